import { PassThrough, Writable } from 'node:stream';
import { afterEach, expect, it, vi } from 'vitest';
import { LAST_LINES_MS, LineRelay } from '../../src/workers/line-relay.ts';

const NEVER = new Promise<void>(() => {});

afterEach(() => {
  vi.useRealTimers();
});

function sink(options: { readonly highWaterMark?: number } = {}) {
  const written: string[] = [];
  const waiting: Array<() => void> = [];
  const stream = new Writable({
    ...options,
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk.toString());
      if (options.highWaterMark === undefined) done();
      else waiting.push(done);
    },
  });
  return { stream, written, release: () => waiting.shift()?.() };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
}

it('writes whole lines of several sources, however they come', async () => {
  const { stream, written } = sink();
  const relay = new LineRelay(stream);
  const [first, second] = [new PassThrough(), new PassThrough()];
  const relayed = Promise.all([relay.relay(first, NEVER), relay.relay(second, NEVER)]);
  first.write('one beg');
  await turns();
  second.write('two\nth');
  await turns();
  first.write('an and ended\nfour\nfi');
  await turns();
  second.write('ree\n');
  first.write('ve\n');
  await turns();
  first.end();
  second.end('cut off');
  await relayed;
  expect(written.join('').split('\n')).toEqual(['two', 'one began and ended', 'four', 'three', 'five', 'cut off', '']);
  for (const one of written) expect(one.endsWith('\n')).toBe(true);
});

it('lets the sources wait while nobody reads', async () => {
  const { stream, written, release } = sink({ highWaterMark: 1 });
  const relay = new LineRelay(stream);
  const source = new PassThrough();
  const relayed = relay.relay(source, NEVER);
  source.write('one\n');
  await turns();
  source.write('two\n');
  await turns();
  expect([written, source.isPaused()]).toEqual([['one\n'], true]);
  release();
  await turns();
  expect(written).toEqual(['one\n', 'two\n']);
  release();
  source.end();
  await relayed;
});

it('leaves nothing at the stream, and no source open', async () => {
  const { stream } = sink({ highWaterMark: 1 });
  const relay = new LineRelay(stream);
  const source = new PassThrough();
  const before = stream.listenerCount('close');
  const relayed = relay.relay(source, NEVER);
  source.write('one\n');
  await turns();
  expect(source.isPaused()).toBe(true);
  relay.close();
  await relayed;
  expect([source.destroyed, stream.listenerCount('drain'), stream.listenerCount('close')]).toEqual([
    true,
    0,
    before - 1,
  ]);
});

it('lets no source wait for a reader that is gone', async () => {
  const { stream } = sink({ highWaterMark: 1 });
  stream.on('error', () => {});
  const relay = new LineRelay(stream);
  const [source, late] = [new PassThrough(), new PassThrough()];
  const relayed = [relay.relay(source, NEVER), relay.relay(late, NEVER)];
  source.write('one\n');
  await turns();
  expect(source.isPaused()).toBe(true);
  stream.destroy();
  await turns();
  expect(source.isPaused()).toBe(false);
  late.write('two\n');
  await turns();
  expect(late.isPaused()).toBe(false);
  source.end();
  late.end();
  await Promise.all(relayed);
});

it('waits for the last lines of a process that is gone, but not for ever', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { stream, written } = sink();
  const relay = new LineRelay(stream);
  const exited = Promise.withResolvers<void>();
  const [source, heldOpen] = [new PassThrough(), new PassThrough()];
  let over = 0;
  for (const one of [source, heldOpen]) void relay.relay(one, exited.promise).then(() => (over += 1));
  exited.resolve();
  await turns();
  source.end('last\n');
  await turns();
  expect([written, over]).toEqual([['last\n'], 1]);
  await vi.advanceTimersByTimeAsync(LAST_LINES_MS - 1);
  expect(over).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  await turns();
  expect([over, vi.getTimerCount()]).toEqual([2, 0]);
  relay.close();
});

it('keeps no more of a line than it may', async () => {
  const { stream, written } = sink();
  const relay = new LineRelay(stream, { maxLineBytes: 10 });
  const source = new PassThrough();
  const relayed = relay.relay(source, NEVER);
  for (const part of ['123456', '789012', 'next\n', 'more']) {
    source.write(part);
    await turns();
  }
  source.end();
  await relayed;
  expect(written).toEqual(['123456789012\n', 'next\n', 'more\n']);
});
