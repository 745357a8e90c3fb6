import { vi } from 'vitest';
import type { Endpoint } from '../../src/endpoints/endpoint.ts';
import { MediationError } from '../../src/message/errors.ts';
import type { MessageContext } from '../../src/message/message-context.ts';
import type { HttpRequest, HttpResponse } from '../../src/transport/http-sender.ts';
import { endpoint, FakeConfiguration, message, response } from '../mediation/harness.ts';

/** What a back end does with a request: answers with a status, fails with an error code, or whatever else. */
export type Behaviour =
  | number
  | 'refuses'
  | 'times out'
  | ((request: HttpRequest) => HttpResponse | Promise<HttpResponse>);

export type Artifacts = ConstructorParameters<typeof FakeConfiguration>[0];

/** Back ends by host name; one that nothing was said about answers 200 with its own name. */
export class ScriptedBackEnds {
  readonly configuration: FakeConfiguration;
  readonly behaviours: Record<string, Behaviour> = {};
  readonly requests: HttpRequest[] = [];

  constructor(artifacts: Artifacts = {}) {
    this.configuration = new FakeConfiguration(artifacts, 5000);
    this.configuration.sender.answer = (request) => this.#answer(request);
  }

  allWell(): void {
    for (const host of Object.keys(this.behaviours)) delete this.behaviours[host];
  }

  /** The hosts in the order in which they were asked, and forgets them. */
  takeHosts(): string[] {
    return this.requests.splice(0).map(({ url }) => new URL(url).hostname);
  }

  message(body = '<a/>', parts: Parameters<typeof message>[0] = {}): MessageContext {
    return message({ configuration: this.configuration, body, ...parts });
  }

  /** Sends new messages, one after the other; the hosts that answered, or the codes of the failures. */
  async sendMany(target: Endpoint, count: number): Promise<Array<string | number | undefined>> {
    const outcomes: Array<string | number | undefined> = [];
    for (let number = 0; number < count; number += 1) outcomes.push(await this.sendOne(target));
    return outcomes;
  }

  async sendOne(target: Endpoint, request: MessageContext = this.message()): Promise<string | number | undefined> {
    try {
      const answer = await target.send(request);
      return Buffer.from(answer.payload.originalBytes() ?? []).toString();
    } catch (error) {
      if (error instanceof MediationError) return error.code;
      throw error;
    }
  }

  #answer(request: HttpRequest): HttpResponse | Promise<HttpResponse> {
    this.requests.push(request);
    const host = new URL(request.url).hostname;
    const behaviour = this.behaviours[host] ?? 200;
    if (behaviour === 'refuses') throw refused();
    if (behaviour === 'times out')
      throw new MediationError('Send timeout', { code: 101504, baseCode: 101504, status: 504 });
    return typeof behaviour === 'number'
      ? response(behaviour, host, [['Content-Type', 'text/plain']])
      : behaviour(request);
  }
}

export function refused(): MediationError {
  return new MediationError('Error connecting to the back end', {
    code: 101503,
    baseCode: 101503,
    errorCause: 'refused',
  });
}

/** `<endpoint name="a"><address uri="http://a/s">…`, suspended for a second after a failure. */
export function child(name: string, inside = '', settings = ONE_SECOND): string {
  return `<endpoint name="${name}"><address uri="http://${name}/s">${settings}</address>${inside}</endpoint>`;
}

export const ONE_SECOND = '<suspendOnFailure><initialDuration>1000</initialDuration></suspendOnFailure>';
/** As artifacts switch suspension off: no failure has this code. */
export const NEVER_SUSPENDED =
  '<markForSuspension><errorCodes>-1</errorCodes></markForSuspension><suspendOnFailure><errorCodes>-1</errorCodes></suspendOnFailure>';

export function loadBalance(children: string, attributes = '', beside = ''): Endpoint {
  return endpoint(`<endpoint name="G"><loadbalance ${attributes}>${children}</loadbalance>${beside}</endpoint>`);
}

export function failover(children: string, attributes = '', beside = ''): Endpoint {
  return endpoint(`<endpoint name="G"><failover ${attributes}>${children}</failover>${beside}</endpoint>`);
}

/** Only the clock is replaced: call it before endpoints are made, which take it with them. */
export function ownClock(): void {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
}

export function pass(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}
