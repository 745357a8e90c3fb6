import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 20;
const NS_PER_MS = 1e6;

/** How late the event loop was lately, ms (OP-101). */
export interface EventLoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Measures by how much timers are late. */
export class EventLoopMonitor {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #last: EventLoopDelay = { p50: 0, p99: 0, max: 0 };

  start(): void {
    this.#histogram.enable();
  }

  stop(): void {
    this.#histogram.disable();
  }

  /** Of the time since the last {@link turn}, or of the time before that while there is too little. */
  delay(): EventLoopDelay {
    return this.#histogram.count > 50 ? this.#now() : this.#last;
  }

  turn(): void {
    if (this.#histogram.count > 0) this.#last = this.#now();
    this.#histogram.reset();
  }

  #now(): EventLoopDelay {
    const late = (ns: number) => Math.max(0, Math.round((ns / NS_PER_MS - RESOLUTION_MS) * 100) / 100);
    const { max } = this.#histogram;
    return { p50: late(this.#histogram.percentile(50)), p99: late(this.#histogram.percentile(99)), max: late(max) };
  }
}
