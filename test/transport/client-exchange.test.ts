import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { onLogRecord } from '../../src/logging/index.ts';
import { MediationError } from '../../src/message/errors.ts';
import { Payload } from '../../src/message/payload.ts';
import { StreamedBody } from '../../src/message/streamed-body.ts';
import { ClientExchange, type ExchangeOptions, newExchangeCounts } from '../../src/transport/client-exchange.ts';
import type { HttpAnswer } from '../../src/transport/http-answer.ts';
import { message, request } from './messages.ts';

const DEADLINE_MS = 60_000;
const SOAP: Array<[string, string]> = [
  ['Content-Type', 'text/xml'],
  ['SOAPAction', '"urn:x"'],
];

function setUp(options: Partial<ExchangeOptions> & { headers?: Array<[string, string]> } = {}) {
  const answers: HttpAnswer[] = [];
  const counts = newExchangeCounts();
  const exchange = new ClientExchange({
    request: request('/services/P', { headers: options.headers ?? SOAP }),
    deadlineMs: DEADLINE_MS,
    deliver: (answer) => answers.push(answer),
    counts,
    ...options,
  });
  return { exchange, answers, counts };
}

function forced() {
  const ended = message();
  ended.axis2.set('FORCE_SC_ACCEPTED', 'true');
  return ended;
}

const textOf = (answer: HttpAnswer | undefined) => Buffer.from(answer?.body ?? []).toString();
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

let log: string[];
let stopListening: () => void;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  log = [];
  stopListening = onLogRecord((record) => log.push(`${record.level} ${record.message}`));
});

afterEach(() => {
  stopListening();
  // The log's own window timers are shorter than any deadline here.
  vi.advanceTimersByTime(DEADLINE_MS / 2);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('the end', () => {
  it('is told once to those who asked, and at once to those who ask later', () => {
    const { exchange } = setUp();
    let ends = 0;
    const count = () => {
      ends += 1;
    };
    exchange.onEnd(count);
    exchange.onEnd(count);
    expect(ends).toBe(0);
    exchange.respond(message());
    exchange.clientGone();
    expect(ends).toBe(2);
    exchange.onEnd(count);
    expect(ends).toBe(3);
  });
});

describe('an answer that still comes', () => {
  const source = { pause: () => {}, resume: () => {}, cancel: () => {} };
  it.each([
    ['1.1', undefined, true],
    ['1.1', 200_000, true],
    ['1.0', 200_000, true],
    // Its client could not tell that the rest is missing.
    ['1.0', undefined, false],
  ])('goes to a client of HTTP/%s, with the length %s: %s', (httpVersion, length, passes) => {
    const { exchange } = setUp({ request: { ...request('/services/P'), httpVersion } });
    const stream = new StreamedBody(Buffer.from('{"a":1}'), length, source);
    const answer = message(Payload.unread(stream.head, 'application/json', { stream }));
    expect(exchange.passes(answer)).toBe(passes);
    exchange.clientGone();
  });
});

describe('an in-flow that goes on without its client', () => {
  it('is acknowledged at once, and its end is nothing new', () => {
    const { exchange, answers, counts } = setUp();
    exchange.acknowledge(forced());
    expect(answers).toMatchObject([{ status: 202 }]);
    expect(exchange.answered).toBe(true);
    exchange.inFlowEnded(forced());
    expect(answers).toHaveLength(1);
    expect(counts).toMatchObject({ acknowledgements: 1, lateAnswers: 0 });
    expect(log).toEqual([]);
  });

  it('is acknowledged once, and never after a failure', () => {
    const twice = setUp();
    twice.exchange.acknowledge(forced());
    twice.exchange.acknowledge(forced());
    expect(twice.answers).toHaveLength(1);
    const failed = setUp();
    failed.exchange.failed({ code: undefined, message: 'broken' });
    failed.exchange.acknowledge(forced());
    expect(failed.answers).toEqual([]);
    failed.exchange.inFlowEnded(forced());
    expect(failed.answers).toMatchObject([{ status: 500 }]);
  });

  it('is acknowledged as NIO-ACK-Requested says', () => {
    const { exchange, answers } = setUp();
    const asked = message();
    asked.axis2.set('NIO-ACK-Requested', 'true');
    asked.axis2.set('HTTP_SC', '299');
    exchange.acknowledge(asked);
    expect(answers).toMatchObject([{ status: 299 }]);
  });
});

describe('an in-flow that ends without an answer', () => {
  it('is acknowledged with 202 and nothing else', () => {
    const { exchange, answers, counts } = setUp();
    const ended = message(Payload.ofJson('{}'));
    ended.headers.set('X-Kept', 'no');
    exchange.inFlowEnded(ended);
    expect(answers).toMatchObject([{ status: 202, body: undefined }]);
    expect(answers[0]?.headers.size).toBe(0);
    expect(exchange.answered).toBe(true);
    expect(counts.acknowledgements).toBe(1);
  });

  it('is acknowledged at once although the flow took over the answer (REQ-1)', () => {
    const { exchange, answers } = setUp();
    exchange.take();
    exchange.inFlowEnded(message());
    expect(answers).toMatchObject([{ status: 202 }]);
  });

  it('leaves the client waiting for the deadline if REQ-1 is switched off', () => {
    const { exchange, answers } = setUp({ acknowledgeTaken: false });
    exchange.take();
    exchange.inFlowEnded(message());
    expect(answers).toEqual([]);
    vi.advanceTimersByTime(DEADLINE_MS);
    expect(answers).toMatchObject([{ status: 504 }]);
  });

  it('waits for every outstanding branch', async () => {
    const { exchange, answers } = setUp();
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    exchange.take();
    exchange.track(first.promise);
    exchange.track(second.promise);
    exchange.inFlowEnded(message());
    first.resolve();
    await settled();
    expect(answers).toEqual([]);
    second.resolve();
    await settled();
    expect(answers).toMatchObject([{ status: 202 }]);
  });

  it('answers with the flow’s own status for NIO-ACK-Requested', () => {
    const { exchange, answers } = setUp();
    const ended = message();
    ended.axis2.set('NIO-ACK-Requested', true);
    ended.axis2.set('HTTP_SC', '201');
    ended.headers.set('X-Kept', 'yes');
    exchange.failed({ code: 1, message: 'overruled' });
    exchange.inFlowEnded(ended);
    expect(answers).toMatchObject([{ status: 201, body: undefined }]);
    expect(answers[0]?.headers.get('x-kept')).toBe('yes');
  });
});

describe('FORCE_SC_ACCEPTED', () => {
  it('answers 202 when the in-flow ends, before outstanding branches, and drops what they answer (REQ-24)', async () => {
    const { exchange, answers, counts } = setUp();
    const work = Promise.withResolvers<void>();
    exchange.take();
    exchange.track(work.promise);
    exchange.inFlowEnded(forced());
    await settled();
    expect(answers).toMatchObject([{ status: 202 }]);
    const late = message(Payload.ofJson('{"late":1}'));
    late.properties.set('proxy.name', 'P');
    exchange.respond(late);
    work.resolve();
    await settled();
    expect(answers).toHaveLength(1);
    expect(counts.lateAnswers).toBe(1);
    expect(log).toContain('warn Trying to send a response to an already responded client request - Proxy Name : P');
  });

  it('does not overtake a branch that answers in the same turn of the event loop', async () => {
    const { exchange, answers } = setUp();
    exchange.take();
    const branch = async () => {
      for (let turns = 0; turns < 20; turns += 1) await undefined;
      exchange.respond(message());
    };
    exchange.track(branch());
    exchange.inFlowEnded(forced());
    await settled();
    expect(answers).toMatchObject([{ status: 200 }]);
    expect(log).toEqual(['warn Trying to send a 202 Accepted response to an already responded client request']);
  });

  it('never hides a failure before the end of the in-flow (OP-03)', () => {
    const { exchange, answers } = setUp();
    exchange.take();
    exchange.failed({ code: undefined, message: 'Failed to store message [m1] in store [S].', status: 503 });
    exchange.inFlowEnded(forced());
    expect(answers).toMatchObject([{ status: 503 }]);
    expect(textOf(answers[0])).toContain('<faultstring>Failed to store message [m1] in store [S].</faultstring>');
  });

  it('after an answer is only a warning', () => {
    const { exchange, answers } = setUp();
    exchange.respond(message(Payload.ofText('first')));
    exchange.inFlowEnded(forced());
    expect(answers).toHaveLength(1);
    expect(log).toContain('warn Trying to send a 202 Accepted response to an already responded client request');
  });
});

describe('a failed flow', () => {
  it('gives 500 when its last branch has ended unanswered (REQ-2)', async () => {
    const { exchange, answers, counts } = setUp({ headers: [['Content-Type', 'application/json']] });
    const work = Promise.withResolvers<void>();
    exchange.track(work.promise);
    exchange.inFlowEnded(message());
    exchange.failed({ code: 101503, message: 'Error connecting to the back end' });
    expect(answers).toEqual([]);
    work.resolve();
    await settled();
    expect(answers).toMatchObject([{ status: 500 }]);
    expect(JSON.parse(textOf(answers[0]))).toEqual({
      Fault: {
        faultcode: 'soapenv:Server',
        faultstring: 'Error connecting to the back end',
        detail: { code: 101503 },
      },
    });
    expect(counts.failures).toBe(1);
  });

  it('because a store is busy tells the client when to come again (OP-100)', () => {
    const { exchange, answers } = setUp();
    exchange.failed({ code: 0, message: 'busy', status: 503 });
    const ended = message();
    ended.axis2.set('HTTP_SC', '503');
    exchange.inFlowEnded(ended);
    expect(answers).toMatchObject([{ status: 503 }]);
    expect(answers[0]?.headers.get('Retry-After')).toBe('1');
    const other = setUp();
    other.exchange.failed({ code: 101503, message: 'the cause' });
    const own = message();
    own.axis2.set('HTTP_SC', '503');
    other.exchange.inFlowEnded(own);
    expect(other.answers[0]?.headers.get('Retry-After')).toBeUndefined();
  });

  it('keeps the first reason and the status that its fault sequence set', () => {
    const { exchange, answers } = setUp();
    exchange.failed({ code: 1, message: 'the cause' });
    exchange.failed({ code: 2, message: 'a consequence' });
    const ended = message();
    ended.axis2.set('HTTP_SC', '429');
    exchange.inFlowEnded(ended);
    expect(answers).toMatchObject([{ status: 429 }]);
    expect(textOf(answers[0])).toContain('the cause');
  });

  it('is answered by its fault sequence if that responds', () => {
    const { exchange, answers } = setUp({ headers: [] });
    exchange.respond(message(Payload.ofText('sorry')));
    exchange.failed({ code: 1, message: 'x' });
    exchange.inFlowEnded(message());
    expect(answers).toMatchObject([{ status: 200 }]);
    expect(textOf(answers[0])).toBe('sorry');
  });

  it('includes tracked work that rejects, and a dispatcher that throws', async () => {
    const one = setUp();
    one.exchange.track(Promise.reject(new Error('a bug')));
    one.exchange.inFlowEnded(message());
    await settled();
    expect(one.answers).toMatchObject([{ status: 500 }]);
    const two = setUp();
    two.exchange.broke(new Error('another bug'));
    expect(two.answers).toMatchObject([{ status: 500 }]);
    expect(textOf(two.answers[0])).toContain('another bug');
    expect(log.filter((line) => line.startsWith('error '))).toHaveLength(2);
  });

  it('goes on waiting when a response cannot be written', () => {
    const { exchange, answers } = setUp({ headers: [] });
    const bad = message();
    bad.axis2.set('messageType', 'application/json');
    expect(() => exchange.respond(bad)).toThrow(MediationError);
    expect(answers).toEqual([]);
    exchange.failed({ code: undefined, message: 'Payload could not be written as JSON.' });
    exchange.inFlowEnded(message());
    expect(answers).toMatchObject([{ status: 500 }]);
  });
});

describe('the end of waiting', () => {
  it('comes with 504 at the deadline, as a fault in the client’s SOAP version (REQ-3)', () => {
    const { exchange, answers, counts } = setUp({ headers: [['Content-Type', 'application/soap+xml']] });
    exchange.track(new Promise(() => {}));
    exchange.inFlowEnded(message());
    vi.advanceTimersByTime(DEADLINE_MS);
    expect(answers).toMatchObject([{ status: 504 }]);
    expect(textOf(answers[0])).toContain('http://www.w3.org/2003/05/soap-envelope');
    expect(counts.expired).toBe(1);
    expect(log.join()).toMatch(/SOCKET_TIMEOUT = 60000, CLIENT_ADDRESS = 127\.0\.0\.1, CORRELATION_ID = c-1/);
  });

  it('comes when the client goes away: nothing is delivered any more', async () => {
    const { exchange, answers, counts } = setUp();
    const work = Promise.withResolvers<void>();
    exchange.track(work.promise);
    exchange.inFlowEnded(message());
    exchange.clientGone();
    expect(exchange.gone).toBe(true);
    exchange.respond(message());
    work.resolve();
    await settled();
    expect(answers).toEqual([]);
    expect(counts).toMatchObject({ clientsGone: 1, lateAnswers: 0 });
  });
});

/** What may happen to an exchange, in any order; the in-flow ends at most once. */
type Happening =
  | 'take'
  | 'track'
  | 'finish'
  | 'reject'
  | 'failed'
  | 'respond'
  | 'end'
  | 'endForced'
  | 'gone'
  | 'expire';

/** The table of the class comment, as a few lines of arithmetic. */
class Model {
  answer: number | undefined;
  gone = false;
  failed = false;
  outstanding = 0;
  ended: 'plain' | 'forced' | undefined;

  happen(what: Happening): void {
    const waiting = this.answer === undefined && !this.gone;
    if (what === 'track') this.outstanding += 1;
    if (what === 'finish' || what === 'reject') this.outstanding -= 1;
    if (what === 'failed' || what === 'reject') this.failed = true;
    if (what === 'end') this.ended ??= 'plain';
    if (what === 'endForced') this.ended ??= 'forced';
    if (!waiting) return;
    if (what === 'respond') this.answer = 200;
    else if (what === 'expire') this.answer = 504;
    else if (what === 'gone') this.gone = true;
    else if (['end', 'endForced', 'finish', 'reject'].includes(what)) this.#settle();
  }

  #settle(): void {
    if (this.ended === undefined || (this.outstanding > 0 && this.ended !== 'forced')) return;
    this.answer = this.failed ? 500 : 202;
  }
}

describe('whatever happens in which order', () => {
  const happenings = fc.array(
    fc.constantFrom<Happening>(
      'take',
      'track',
      'finish',
      'reject',
      'failed',
      'respond',
      'end',
      'endForced',
      'gone',
      'expire',
    ),
    { maxLength: 14 },
  );

  it('the client gets at most one answer, the one of the table, and exactly one in the end unless it is gone', async () => {
    await fc.assert(
      fc.asyncProperty(happenings, async (steps) => {
        const { exchange, answers } = setUp({ headers: [] });
        const model = new Model();
        const branches: Array<PromiseWithResolvers<void>> = [];
        const play = async (what: Happening) => {
          const branch = what === 'finish' || what === 'reject' ? branches.shift() : undefined;
          if ((what === 'finish' || what === 'reject') && !branch) return;
          if ((what === 'end' || what === 'endForced') && model.ended !== undefined) return;
          model.happen(what);
          if (what === 'take') exchange.take();
          else if (what === 'track') {
            const work = Promise.withResolvers<void>();
            branches.push(work);
            exchange.track(work.promise);
          } else if (what === 'finish') branch?.resolve();
          else if (what === 'reject') branch?.reject(new Error('branch'));
          else if (what === 'failed') exchange.failed({ code: 1, message: 'failed' });
          else if (what === 'respond') exchange.respond(message(Payload.ofText('answer')));
          else if (what === 'end') exchange.inFlowEnded(message());
          else if (what === 'endForced') exchange.inFlowEnded(forced());
          else if (what === 'gone') exchange.clientGone();
          else vi.advanceTimersByTime(DEADLINE_MS);
          await settled();
          expect(answers.map(({ status }) => status)).toEqual(model.answer === undefined ? [] : [model.answer]);
          expect(exchange.answered).toBe(model.answer !== undefined);
        };
        for (const step of steps) await play(step);
        if (model.ended === undefined) await play('end');
        while (branches.length > 0) await play('finish');
        expect(answers).toHaveLength(model.gone ? 0 : 1);
      }),
      { numRuns: 400 },
    );
  });
});
