import type { Socket } from 'node:net';

/** A body up to this size is copied behind its head; a larger one is handed to the socket as it is, bytes. */
const COPIED_BYTES = 64 * 1024;
/** The line end behind the NUL is for people who read along. */
const FRAME_END = '\0\n';
const FRAME_END_BYTES = Buffer.from(FRAME_END);
const UNSAFE = /[\\\r\n:]/;

/**
 * Writes the frames of one connection (STOMP 1.2). What is to be written during one turn of the event loop goes to the socket in one
 * piece: three writes for every frame, and a system call for every write, were a third of what storing a message cost. Frames never
 * mix, so that anything may be written to the socket between two calls.
 */
export class FrameWriter {
  readonly #socket: Socket;
  #waiting: Uint8Array[] = [];
  #written: Array<() => void> = [];

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Whether something is about to be written. */
  get waits(): boolean {
    return this.#waiting.length > 0;
  }

  /** @param receipt the header of that name, if one is wanted */
  write(
    command: string,
    headers: Readonly<Record<string, string>>,
    receipt: string | undefined,
    body: Uint8Array | undefined,
  ): void {
    if (this.#waiting.length === 0) setImmediate(this.#flush);
    const head = frameHead(command, headers, receipt);
    if (body !== undefined && body.length > COPIED_BYTES) this.#waiting.push(Buffer.from(head), body, FRAME_END_BYTES);
    else this.#waiting.push(wholeFrame(head, body));
  }

  /** Calls back when the socket has been handed all that was said until now; never, if the connection ends before. */
  whenWritten(done: () => void): void {
    if (this.waits) this.#written.push(done);
    else done();
  }

  readonly #flush = (): void => {
    const waiting = this.#waiting;
    const written = this.#written;
    this.#waiting = [];
    if (written.length > 0) this.#written = [];
    // What is said to a connection that has ended is not heard; whoever said it is told by the end.
    if (!this.#socket.writable) return;
    this.#socket.cork();
    for (const bytes of waiting) this.#socket.write(bytes);
    this.#socket.uncork();
    for (const done of written) done();
  };
}

/** A frame up to the empty line behind its headers. */
export function frameHead(
  command: string,
  headers: Readonly<Record<string, string>>,
  receipt: string | undefined,
): string {
  let head = `${command}\n`;
  for (const name in headers) head += `${escapeHeader(name)}:${escapeHeader(headers[name] ?? '')}\n`;
  return receipt === undefined ? `${head}\n` : `${head}receipt:${receipt}\n\n`;
}

function wholeFrame(head: string, body: Uint8Array | undefined): Buffer {
  if (body === undefined || body.length === 0) return Buffer.from(head + FRAME_END);
  const headLength = Buffer.byteLength(head);
  const frame = Buffer.allocUnsafe(headLength + body.length + FRAME_END_BYTES.length);
  frame.write(head, 0, headLength);
  frame.set(body, headLength);
  frame.set(FRAME_END_BYTES, headLength + body.length);
  return frame;
}

/** Escapes a header's name or value as STOMP 1.2 has it. */
function escapeHeader(text: string): string {
  if (!UNSAFE.test(text)) return text;
  const escaped = text.includes('\\') ? text.replaceAll('\\', '\\\\') : text;
  const colons = escaped.replaceAll(':', '\\c');
  return /[\r\n]/.test(colons) ? colons.replaceAll('\r', '\\r').replaceAll('\n', '\\n') : colons;
}
