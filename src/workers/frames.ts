import type { Writable } from 'node:stream';

/*
 * What goes over the socket between a taker and the owner. A frame is
 *
 *     length of the rest (4) | kind (1) | …
 *       put       number (4) | length of the name (2) | name | length of the key (2) | key | length of the head (4) | head | body
 *       settled   number (4) | 0: stored, 1: failed, 2: repeats another message, 3: failed, as too much is on its way (1) | why, or the other message's id
 *       note      JSON
 *
 * Numbers are big-endian, texts UTF-8. Both ends are processes of one version that one command has started.
 */

/** A message that is handed over, in the format of durable stores. */
export interface PutFrame {
  readonly kind: 'put';
  readonly number: number;
  readonly store: string;
  /** What stands for the id that the client gave it (OP-07); undefined: it may be stored any number of times. */
  readonly key: string | undefined;
  readonly head: string;
  readonly body: Uint8Array;
}

/** What became of a put. */
export interface SettledFrame {
  readonly kind: 'settled';
  readonly number: number;
  readonly fate: Fate;
}

/**
 * The store has confirmed the message; it is not stored, or nobody knows, `busy` as too many others were on their way (OP-100); it was
 * stored before under this id.
 */
export type Fate =
  | { readonly is: 'stored' }
  | { readonly is: 'failed'; readonly reason: string; readonly busy: boolean }
  | { readonly is: 'repeated'; readonly first: string };

/** Everything that need not be fast. */
export interface NoteFrame {
  readonly kind: 'note';
  readonly note: { readonly type: string };
}

export type Frame = PutFrame | SettledFrame | NoteFrame;

/** Bytes that are no frames: the ends do not belong together. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

const PUT = 1;
const SETTLED = 2;
const NOTE = 3;
const STORED = 0;
const FAILED = 1;
const REPEATED = 2;
const BUSY = 3;
const LENGTH_BYTES = 4;
const KIND_BYTES = 1;
const MAX_NAME_BYTES = 2 ** 16 - 1;
/** Of a frame, bytes: more than a taker hands over at once, less than anybody should have to keep for nonsense. */
export const MAX_FRAME_BYTES = 1024 * 1024 * 1024;

/**
 * A frame as it is written, in pieces: bodies are not copied.
 * @throws FrameError when it is longer than {@link MAX_FRAME_BYTES}, or a name in it than 64 KiB
 */
export function encodeFrame(frame: Frame): readonly Uint8Array[] {
  if (frame.kind === 'put') return encodePut(frame);
  if (frame.kind === 'note') return [framed(NOTE, Buffer.from(JSON.stringify(frame.note)))];
  const { number, fate } = frame;
  const head = Buffer.allocUnsafe(5);
  head.writeUInt8(codeOf(fate), head.writeUInt32BE(number));
  const text = fate.is === 'failed' ? fate.reason : fate.is === 'repeated' ? fate.first : '';
  return [framed(SETTLED, head, Buffer.from(text))];
}

function codeOf(fate: Fate): number {
  if (fate.is === 'stored') return STORED;
  if (fate.is === 'repeated') return REPEATED;
  return fate.busy ? BUSY : FAILED;
}

function encodePut({ number, store, key = '', head, body }: PutFrame): readonly Uint8Array[] {
  const name = Buffer.from(store);
  const keyBytes = Buffer.from(key);
  if (name.byteLength > MAX_NAME_BYTES || keyBytes.byteLength > MAX_NAME_BYTES)
    throw new FrameError(`the name of the store or the id of the message is longer than ${MAX_NAME_BYTES} bytes`);
  const lengths = 4 + 2 + name.byteLength + 2 + keyBytes.byteLength + 4;
  const fixed = LENGTH_BYTES + KIND_BYTES + lengths;
  const headBytes = Buffer.byteLength(head);
  const length = KIND_BYTES + lengths + headBytes + body.byteLength;
  if (length > MAX_FRAME_BYTES) throw new FrameError(`a message of ${body.byteLength} bytes is too large`);
  const bytes = Buffer.allocUnsafe(fixed + headBytes);
  let at = bytes.writeUInt32BE(length, 0);
  at = bytes.writeUInt8(PUT, at);
  at = bytes.writeUInt32BE(number, at);
  at = bytes.writeUInt16BE(name.byteLength, at);
  at += name.copy(bytes, at);
  at = bytes.writeUInt16BE(keyBytes.byteLength, at);
  at += keyBytes.copy(bytes, at);
  at = bytes.writeUInt32BE(headBytes, at);
  bytes.write(head, at);
  return body.byteLength === 0 ? [bytes] : [bytes, body];
}

function framed(kind: number, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, { byteLength }) => sum + byteLength, KIND_BYTES);
  const head = Buffer.allocUnsafe(LENGTH_BYTES + KIND_BYTES);
  head.writeUInt8(kind, head.writeUInt32BE(length, 0));
  return Buffer.concat([head, ...parts]);
}

/** Writes frames; those of one turn go out together. @returns false when the other end should be given time */
export function writeFrame(socket: Writable, frame: Frame): boolean {
  if (socket.writableCorked === 0) {
    socket.cork();
    process.nextTick(() => socket.uncork());
  }
  let hasRoom = true;
  for (const piece of encodeFrame(frame)) hasRoom = socket.write(piece);
  return hasRoom;
}

/** Puts frames together again, however they were cut. Keeps no more than the frame that is not complete yet. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Of the frame that has begun. */
  #length: number | undefined;

  /** @throws FrameError */
  read(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
    const frames: Frame[] = [];
    for (;;) {
      if (this.#length === undefined) {
        if (this.#bytes < LENGTH_BYTES) return frames;
        const length = this.#take(LENGTH_BYTES).readUInt32BE(0);
        if (length > MAX_FRAME_BYTES) throw new FrameError(`a frame of ${length} bytes is too long`);
        this.#length = length;
      }
      if (this.#bytes < this.#length) return frames;
      frames.push(decodeFrame(this.#take(this.#length)));
      this.#length = undefined;
    }
  }

  #take(count: number): Buffer {
    const [first] = this.#chunks;
    if (first === undefined || first.byteLength < count) {
      this.#chunks = [Buffer.concat(this.#chunks, this.#bytes)];
      return this.#take(count);
    }
    this.#bytes -= count;
    if (first.byteLength === count) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(count);
    return first.subarray(0, count);
  }
}

function decodeFrame(bytes: Buffer): Frame {
  try {
    const kind = bytes.readUInt8(0);
    if (kind === PUT) return decodePut(bytes);
    if (kind === NOTE) return { kind: 'note', note: decodeNote(bytes) };
    if (kind === SETTLED) return decodeSettled(bytes);
    throw new FrameError(`there are no frames of kind ${kind}`);
  } catch (cause) {
    if (cause instanceof FrameError) throw cause;
    throw new FrameError(`a frame of ${bytes.byteLength} bytes cannot be read: ${String(cause)}`, { cause });
  }
}

function decodeNote(bytes: Buffer): NoteFrame['note'] {
  const note: unknown = JSON.parse(bytes.toString('utf8', KIND_BYTES));
  if (isNote(note)) return note;
  throw new FrameError('a note does not say what it is about');
}

function isNote(value: unknown): value is NoteFrame['note'] {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function decodeSettled(bytes: Buffer): SettledFrame {
  const number = bytes.readUInt32BE(KIND_BYTES);
  const is = bytes.readUInt8(KIND_BYTES + 4);
  const text = bytes.toString('utf8', KIND_BYTES + 5);
  if (is === STORED) return { kind: 'settled', number, fate: { is: 'stored' } };
  if (is === FAILED || is === BUSY)
    return { kind: 'settled', number, fate: { is: 'failed', reason: text, busy: is === BUSY } };
  if (is === REPEATED) return { kind: 'settled', number, fate: { is: 'repeated', first: text } };
  throw new FrameError(`a put cannot end with ${is}`);
}

function decodePut(bytes: Buffer): PutFrame {
  let at = KIND_BYTES;
  const number = bytes.readUInt32BE(at);
  at += 4;
  const text = (length: number) => {
    at += 2;
    const read = bytes.toString('utf8', at, at + length);
    at += length;
    return read;
  };
  const store = text(bytes.readUInt16BE(at));
  const key = text(bytes.readUInt16BE(at)) || undefined;
  const headBytes = bytes.readUInt32BE(at);
  at += 4;
  if (at + headBytes > bytes.byteLength) throw new FrameError('the head of a message is cut off');
  const head = bytes.toString('utf8', at, at + headBytes);
  // Of its own: stores may keep it, and must not keep everything that was read with it.
  const body = Uint8Array.prototype.slice.call(bytes, at + headBytes);
  return { kind: 'put', number, store, key, head, body };
}
