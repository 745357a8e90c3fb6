import { PassThrough, Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { LineRelay } from '../../src/workers/line-relay.ts';

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
  const relayed = Promise.all([relay.relay(first), relay.relay(second)]);
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
  const relayed = relay.relay(source);
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

it('leaves nothing at the stream, and lets no source wait for ever', async () => {
  const { stream } = sink({ highWaterMark: 1 });
  const relay = new LineRelay(stream);
  const source = new PassThrough();
  void relay.relay(source);
  source.write('one\n');
  await turns();
  expect(source.isPaused()).toBe(true);
  relay.close();
  expect([source.isPaused(), stream.listenerCount('drain')]).toEqual([false, 0]);
  source.end();
});
