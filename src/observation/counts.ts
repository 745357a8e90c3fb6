import { LatencyHistogram } from './latency.ts';

/** What came in at one entry: a proxy service, an API, an inbound endpoint, a sequence. Only grows, but for `inFlight`. */
export class EntryCounts {
  requests = 0;
  /** Flows that failed, and answers with 5xx. */
  errors = 0;
  inFlight = 0;
  /** From the request to its answer, or to the end of its flow where nobody waits. */
  readonly latency = new LatencyHistogram();
}

/** What was sent to one endpoint. Lives and dies with its definition. */
export class EndpointCounts {
  /** Sends that were really made: a suspended endpoint refuses without counting. */
  requests = 0;
  /** Sends without an answer, and answers with 5xx. */
  errors = 0;
  inFlight = 0;
  readonly latency = new LatencyHistogram();
}

/** What was put into one store by this process. */
export class PutCounts {
  stored = 0;
  failed = 0;
  readonly latency = new LatencyHistogram();
}

/** The delivery attempts of one processor. */
export class AttemptCounts {
  /** By what the back end answered: `2xx`, `4xx`, …, `none`; bounded. */
  readonly byStatus = new Map<string, number>();
  readonly latency = new LatencyHistogram();
  /** Epoch ms; 0: none yet. */
  lastBegan = 0;
  /** Age of the message of the last attempt that began, ms. */
  lastLag = 0;
}
