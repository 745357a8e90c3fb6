import { Writable } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  encodeFrame,
  type Frame,
  FrameError,
  FrameReader,
  MAX_FRAME_BYTES,
  writeFrame,
} from '../../src/workers/frames.ts';

const number = fc.nat({ max: 2 ** 32 - 1 });
const text = fc.string({ unit: 'binary', maxLength: 200 }).map((one) => one.toWellFormed());
const frames = fc.oneof<fc.Arbitrary<Frame>[]>(
  fc.record({
    kind: fc.constant('put' as const),
    number,
    store: text,
    key: fc.option(
      text.filter((key) => key !== ''),
      { nil: undefined },
    ),
    head: text,
    body: fc.uint8Array({ maxLength: 5_000 }),
  }),
  fc.record({
    kind: fc.constant('settled' as const),
    number,
    fate: fc.oneof(
      fc.constant({ is: 'stored' as const }),
      fc.record({ is: fc.constant('failed' as const), reason: text, busy: fc.boolean() }),
      fc.record({ is: fc.constant('repeated' as const), first: text }),
    ),
  }),
  fc.record({ kind: fc.constant('note' as const), note: fc.record({ type: text, value: fc.jsonValue() }) }),
);

/** `-0` is `0` in JSON. */
function shown(frame: Frame): unknown {
  if (frame.kind === 'put') return { ...frame, body: [...frame.body] };
  return frame.kind === 'note' ? { ...frame, note: JSON.stringify(frame.note) } : frame;
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    chunks.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return chunks;
}

it('reads what was written, however it was cut', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.array(frames, { maxLength: 10 }), sizes, (written, cuts) => {
      const reader = new FrameReader();
      const bytes = Buffer.concat(written.flatMap((frame) => [...encodeFrame(frame)]));
      const read = cut(bytes, cuts).flatMap((chunk) => reader.read(chunk));
      expect(read.map(shown)).toEqual(written.map(shown));
    }),
  );
});

it('gives bodies memory of their own', () => {
  const put = { kind: 'put', number: 1, store: 's', key: undefined, head: '{}', body: Buffer.from('body') } as const;
  const bytes = Buffer.concat([...encodeFrame(put)]);
  const [frame] = new FrameReader().read(bytes);
  bytes.fill(0);
  expect(frame?.kind === 'put' && Buffer.from(frame.body).toString()).toBe('body');
  expect(frame?.kind === 'put' && frame.body.buffer.byteLength).toBe(4);
});

it.each([
  ['of another kind', Buffer.from([0, 0, 0, 1, 9])],
  ['of no kind', Buffer.from([0, 0, 0, 0])],
  ['that is cut off', Buffer.from([0, 0, 0, 2, 1, 0])],
  ['that is no JSON', Buffer.from([0, 0, 0, 2, 3, 0x7b])],
  ['that is a note about nothing', Buffer.from([0, 0, 0, 3, 3, 0x7b, 0x7d])],
  ['that is no note', Buffer.from([0, 0, 0, 5, 3, ...Buffer.from('null')])],
  ['with a fate that there is not', Buffer.from([0, 0, 0, 6, 2, 0, 0, 0, 1, 7])],
])('refuses a frame %s', (_, bytes) => {
  expect(() => new FrameReader().read(bytes)).toThrow(FrameError);
});

it('refuses a frame that is too long before it has come, and does not write one', () => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(MAX_FRAME_BYTES + 1);
  expect(() => new FrameReader().read(length)).toThrow(FrameError);
  const put = { kind: 'put', number: 1, key: undefined, head: '{}', body: new Uint8Array() } as const;
  expect(() => encodeFrame({ ...put, store: 's'.repeat(65_536) })).toThrow(FrameError);
  const body = { byteLength: MAX_FRAME_BYTES } as Uint8Array;
  expect(() => encodeFrame({ ...put, store: 's', body })).toThrow(FrameError);
});

it('writes the frames of one turn together', async () => {
  const writes: number[] = [];
  const socket = new Writable({
    writev: (chunks, done) => {
      writes.push(chunks.length);
      done();
    },
  });
  for (let index = 0; index < 3; index += 1) writeFrame(socket, { kind: 'note', note: { type: `${index}` } });
  socket.end();
  await new Promise((resolve) => socket.once('close', resolve));
  expect(writes).toEqual([3]);
});
