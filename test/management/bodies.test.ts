import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bytesBody, streamBody } from '../../src/management/bodies.ts';
import { problemsOf } from '../../src/management/validation.ts';

const TYPE = 'application/octet-stream';
const LATE = { status: 408, message: 'The body did not come in time' };

function request(): PassThrough & IncomingMessage {
  return Object.assign(new PassThrough(), { headers: { 'content-type': TYPE } }) as unknown as PassThrough &
    IncomingMessage;
}

/** Until what was written has been read: streams do not use timers. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('the body of a request', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  async function trickle(body: PassThrough, count: number): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      body.write('x');
      await settled();
      await vi.advanceTimersByTimeAsync(50_000);
    }
  }

  it('is taken as it is', async () => {
    const body = request();
    const read = bytesBody([TYPE], { maximumBytes: 10 }).read(body);
    body.end(Buffer.from([0xff, 0xfe]));
    expect([...(await read)]).toEqual([0xff, 0xfe]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is given up when nothing comes for a minute', async () => {
    const read = bytesBody([TYPE], { maximumBytes: 10 }).read(request());
    const refused = expect(read).rejects.toMatchObject(LATE);
    await vi.advanceTimersByTimeAsync(60_001);
    await refused;
  });

  it('is given up when it is held as a whole and trickles', async () => {
    const body = request();
    const read = bytesBody([TYPE], { maximumBytes: 1000 }).read(body);
    const refused = expect(read).rejects.toMatchObject(LATE);
    await trickle(body, 7);
    await refused;
  });

  it('may come for as long as it likes when it is read as it comes', async () => {
    const body = request();
    const chunks = await streamBody([TYPE], { maximumBytes: 1000 }).read(body);
    const read = (async () => {
      const all: Buffer[] = [];
      for await (const chunk of chunks) all.push(chunk);
      return all;
    })();
    await trickle(body, 100);
    body.end();
    expect(Buffer.concat(await read).toString()).toBe('x'.repeat(100));
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is given up when it is too large, which can still be answered', async () => {
    const body = request();
    body.write('x'.repeat(11));
    await expect(bytesBody([TYPE], { maximumBytes: 10 }).read(body)).rejects.toMatchObject({ status: 413 });
    expect(body.destroyed).toBe(false);
  });
});

it('of all that is wrong with a body, twenty things are told', async () => {
  const schema = { type: 'array', items: { type: 'string' } };
  expect((await problemsOf(schema, [1, 2]))?.details).toHaveLength(2);
  expect((await problemsOf(schema, new Array(5_000).fill(1)))?.details).toHaveLength(20);
});
