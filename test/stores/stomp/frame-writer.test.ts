import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameWriter, frameHead } from '../../../src/stores/stomp/frame-writer.ts';

/** A socket that keeps what is written to it, one entry for each time that it is let go. */
class PlayedSocket extends EventEmitter {
  readonly written: Buffer[] = [];
  writable = true;
  #corked: Buffer[] | undefined;

  cork(): void {
    this.#corked = [];
  }

  write(bytes: Uint8Array): boolean {
    this.#corked?.push(Buffer.from(bytes));
    return true;
  }

  uncork(): void {
    this.written.push(Buffer.concat(this.#corked ?? []));
    this.#corked = undefined;
  }
}

function writing() {
  const socket = new PlayedSocket();
  return { socket, writer: new FrameWriter(socket as unknown as Socket) };
}

it('writes what was said during one turn in one piece, in its order', async () => {
  const { socket, writer } = writing();
  writer.write('SEND', { destination: '/queue/a' }, 'r1', Buffer.from('<ü/>'));
  writer.write('ACK', { id: '7' }, undefined, undefined);
  expect(writer.waits).toBe(true);
  expect(socket.written).toEqual([]);
  await nextTurn();
  expect(writer.waits).toBe(false);
  expect(socket.written.map(String)).toEqual(['SEND\ndestination:/queue/a\nreceipt:r1\n\n<ü/>\0\nACK\nid:7\n\n\0\n']);
});

it('writes a large body as it is, between its head and its end', async () => {
  const { socket, writer } = writing();
  const body = Buffer.alloc(100_000, 'x');
  writer.write('SEND', { subject: 'ü' }, undefined, body);
  await nextTurn();
  expect(socket.written).toEqual([Buffer.from(`SEND\nsubject:ü\n\n${body}\0\n`)]);
});

it('says nothing more to a connection that has ended', async () => {
  const { socket, writer } = writing();
  writer.write('ACK', {}, undefined, undefined);
  socket.writable = false;
  await nextTurn();
  expect(socket.written).toEqual([]);
});

it('escapes names and values so that every one comes back as it was', () => {
  const text = fc.string({ unit: fc.constantFrom('\\', ':', '\n', '\r', 'c', 'n', 'r', 'ü', ' ') });
  const plain: Record<string, string> = { '\\\\': '\\', '\\c': ':', '\\n': '\n', '\\r': '\r' };
  fc.assert(
    fc.property(text, text, (name, value) => {
      const [command, line = '', ...rest] = frameHead('SEND', { [name]: value }, undefined).split('\n');
      const [writtenName = '', writtenValue = '', ...more] = line.split(':');
      const read = (escaped: string) => escaped.replace(/\\./g, (pair) => plain[pair] ?? '?');
      expect([command, read(writtenName), read(writtenValue), more, rest]).toEqual(['SEND', name, value, [], ['', '']]);
    }),
  );
});
