import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { rootCertificates } from 'node:tls';
import { logger } from '../logging/index.ts';
import { request as requestHttp } from '../node-http.ts';
import { pause } from '../scheduling/index.ts';
import { type Alert, alertBody, alertText } from './alert.ts';
import type { AlertSettings, HookSettings } from './settings.ts';

const log = logger('WebHook');
/** Between two attempts for one alert, twice as long each time, ms. */
const BACKOFF = { first: 1_000, most: 300_000 };
/** Of what a hook answers is told, characters. */
const ANSWER_CHARS = 200;

/** What came of the last attempt. */
export interface HookOutcome {
  readonly result: 'delivered' | 'retry' | 'failed';
  /** Epoch ms. */
  readonly time: number;
  readonly kind: Alert['kind'];
  /** What it told. */
  readonly text: string;
  readonly attempt: number;
  readonly status?: number | undefined;
  readonly problem?: string | undefined;
}

export interface HookOptions {
  readonly hook: HookSettings;
  readonly limits: Pick<AlertSettings, 'deadlineMs' | 'attempts' | 'queue'>;
  /** Compared with nothing; says whose alert it is. */
  readonly serverName: string;
  readonly secret: (alias: string) => string | undefined;
  /** PEM certificates that are trusted beside the well-known ones. */
  readonly trustedCertificates?: string | undefined;
  /** ms before the second attempt; default 1,000. */
  readonly backOffMs?: number;
}

/**
 * One web hook (OP-24): alerts wait in a bounded queue and are sent one after another.
 *
 *     waiting ──its turn──► sending ──2xx──► delivered
 *        │                    │ ▲
 *        │                    └─┘ no answer, 408, 429, 5xx: again after a back-off, up to so many attempts
 *        │                    └──anything else, or no attempt left──► failed: logged and counted
 *        └──a newer one comes while the queue is full──► dropped: logged and counted
 */
export class WebHook {
  readonly counts = { delivered: 0, failed: 0, dropped: 0, attempts: 0 };
  readonly #options: HookOptions;
  readonly #queue: Alert[] = [];
  readonly #closing = new AbortController();
  #last: HookOutcome | undefined;
  #working: Promise<void> | undefined;

  constructor(options: HookOptions) {
    this.#options = options;
  }

  get settings(): HookSettings {
    return this.#options.hook;
  }

  get last(): HookOutcome | undefined {
    return this.#last;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Where it leads, without what only those may know who write there. */
  get place(): string {
    const url = URL.parse(this.#url ?? '');
    if (!url) return this.settings.urlSecret === undefined ? '' : `the secret ${this.settings.urlSecret}`;
    return url.pathname === '/' && url.search === '' ? url.origin : `${url.origin}/…`;
  }

  /** Puts an alert into the queue, when the hook wants such. */
  tell(alert: Alert): void {
    const { kinds } = this.settings;
    if (this.#closing.signal.aborted || !kinds.some((kind) => kind === alert.kind)) return;
    if (this.#queue.length >= this.#options.limits.queue) {
      // What was newest is worth most.
      this.#queue.shift();
      this.counts.dropped += 1;
      log.warn(`The queue of the web hook [${this.settings.name}] is full: its oldest alert is dropped`);
    }
    this.#queue.push(alert);
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  /** One attempt to send an alert right now, beside the queue. Never rejects. */
  async try(alert: Alert): Promise<HookOutcome> {
    return await this.#attempt(alert, 1, 1);
  }

  /** What waits is not sent any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#queue.length > 0)
      log.warn(`${this.#queue.length} alerts for the web hook [${this.settings.name}] were not sent before the end`);
    this.#queue.length = 0;
    await this.#working;
  }

  get #url(): string | undefined {
    const { url, urlSecret } = this.settings;
    return url ?? (urlSecret === undefined ? undefined : this.#options.secret(urlSecret));
  }

  async #work(): Promise<void> {
    for (let alert = this.#queue.shift(); alert; alert = this.#queue.shift()) await this.#deliver(alert);
  }

  async #deliver(alert: Alert): Promise<void> {
    const { attempts } = this.#options.limits;
    let wait = this.#options.backOffMs ?? BACKOFF.first;
    for (let attempt = 1; !this.#closing.signal.aborted; attempt += 1) {
      const { result, problem } = await this.#attempt(alert, attempt, attempts);
      if (this.#closing.signal.aborted && result !== 'delivered') return;
      if (result !== 'retry') return;
      log.warn(`The web hook [${this.settings.name}] is called again in ${Math.round(wait / 1000)} s: ${problem}`);
      await pause(wait, this.#closing.signal);
      wait = Math.min(BACKOFF.most, 2 * wait);
    }
  }

  async #attempt(alert: Alert, attempt: number, attempts: number): Promise<HookOutcome> {
    this.counts.attempts += 1;
    const told = { time: Date.now(), kind: alert.kind, text: alertText(alert), attempt };
    const outcome = await this.#send(alert).then(
      ({ status, text }): HookOutcome => {
        if (status >= 200 && status < 300) return { ...told, result: 'delivered', status };
        const again = attempt < attempts && (status === 408 || status === 429 || status >= 500);
        return { ...told, result: again ? 'retry' : 'failed', status, problem: `HTTP status ${status} ${text}`.trim() };
      },
      (error: unknown): HookOutcome => {
        const wrong = error instanceof HookConfigurationError;
        const problem = error instanceof Error ? error.message : String(error);
        return { ...told, result: attempt < attempts && !wrong ? 'retry' : 'failed', problem };
      },
    );
    this.#last = outcome;
    if (outcome.result === 'delivered') this.counts.delivered += 1;
    if (outcome.result === 'failed') {
      this.counts.failed += 1;
      log.error(`The web hook [${this.settings.name}] could not be told that ${outcome.text}: ${outcome.problem}`);
    }
    return outcome;
  }

  async #send(alert: Alert): Promise<{ readonly status: number; readonly text: string }> {
    const { hook, limits, serverName, secret, trustedCertificates } = this.#options;
    const url = URL.parse(this.#url ?? '');
    if (!url || !/^https?:$/.test(url.protocol))
      throw new HookConfigurationError(`the secret '${hook.urlSecret}' is not there, or is no http(s) address`);
    const value = hook.header && secret(hook.header.secret)?.trim();
    if (hook.header && !value) throw new HookConfigurationError(`there is no secret '${hook.header.secret}'`);
    const body = Buffer.from(alertBody(alert, serverName));
    const headers = {
      'Content-Type': 'application/json',
      'Content-Length': body.length,
      'User-Agent': 'mini-synapse',
      ...(hook.header && value && { [hook.header.name]: value }),
    };
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(limits.deadlineMs)]);
    const ca = trustedCertificates === undefined ? {} : { ca: [...rootCertificates, trustedCertificates] };
    const options = { method: 'POST', headers, signal, agent: false as const };
    const request = url.protocol === 'https:' ? requestHttps(url, { ...options, ...ca }) : requestHttp(url, options);
    try {
      return await answerOf(request, body);
    } catch (cause) {
      if (!signal.aborted) throw cause;
      const why = this.#closing.signal.aborted ? 'the server ends' : `no answer within ${limits.deadlineMs} ms`;
      throw new Error(why, { cause });
    }
  }
}

/** It will not work before somebody changes something. */
class HookConfigurationError extends Error {
  override readonly name = 'HookConfigurationError';
}

function answerOf(request: ClientRequest, body: Buffer): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response: IncomingMessage) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('error', reject);
      response.on('data', (part: string) => {
        if (text.length < ANSWER_CHARS) text += part.slice(0, ANSWER_CHARS - text.length);
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: text.replaceAll(/\s+/g, ' ').trim() }),
      );
    });
    request.end(body);
  });
}
