import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { StreamedBody } from '../../src/message/streamed-body.ts';
import { OutgoingBody } from '../../src/transport/outgoing-body.ts';

const KIB = 1024;

/** A body on its way to a socket that has so many bytes left; undici stops it after each chunk. */
function outgoing() {
  const heard: string[] = [];
  const stream = new StreamedBody(Buffer.from('a'), undefined, {
    pause: () => heard.push('pause'),
    resume: () => heard.push('resume'),
    cancel: () => heard.push('cancel'),
  });
  const socket = { unwritten: 0 };
  const waits: boolean[] = [];
  const body = new OutgoingBody(stream, {
    unwritten: () => socket.unwritten,
    onWait: (forClient) => waits.push(forClient),
  });
  let text = '';
  body.on('data', (chunk: Uint8Array) => {
    text += Buffer.from(chunk).toString();
    body.pause();
  });
  body.on('end', () => {
    text += '.';
  });
  return { body, stream, socket, heard, waits, text: () => text };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('a body on its way to a back end', () => {
  it('begins a turn after undici asks for it', async () => {
    const { body, stream, text } = outgoing();
    stream.end();
    body.resume();
    expect(text()).toBe('');
    await nextTurn();
    expect(text()).toBe('a.');
    expect(body.complete).toBe(true);
  });

  it('goes on though undici wants a pause, unless 128 KiB wait to be sent', async () => {
    const { body, stream, socket, heard, waits, text } = outgoing();
    body.resume();
    await nextTurn();
    socket.unwritten = 128 * KIB - 1;
    stream.push(Buffer.from('b'));
    expect([text(), heard, waits]).toEqual(['ab', [], [true]]);
    socket.unwritten = 128 * KIB;
    stream.push(Buffer.from('c'));
    stream.push(Buffer.from('d'));
    expect([text(), heard, waits]).toEqual(['abc', ['pause'], [true, false]]);
    socket.unwritten = 0;
    body.resume();
    expect([text(), heard, waits]).toEqual(['abcd', ['pause', 'resume'], [true, false, true]]);
  });

  it('tells undici once what broke it off, and nothing after that', async () => {
    const { body, stream, text } = outgoing();
    body.resume();
    await nextTurn();
    const failed = once(body, 'error').catch((error: unknown) => [error]);
    const closed = once(body, 'close');
    const reason = new Error('the client has gone');
    stream.fail(reason);
    expect(await failed).toEqual([reason]);
    await closed.catch(() => {});
    expect([body.destroyed, body.closed, body.errored]).toEqual([true, true, reason]);
    body.resume();
    await nextTurn();
    expect(text()).toBe('a');
  });

  it('is not begun any more when it was given up before', async () => {
    const { body, stream, text } = outgoing();
    body.resume();
    body.destroy();
    await nextTurn();
    expect([text(), stream.taken]).toEqual(['', false]);
  });

  it.each([
    ['given up', (stream: StreamedBody) => stream.cancel()],
    ['taken by another one', (stream: StreamedBody) => stream.pipe({ accept: () => true, end() {}, fail() {} })],
  ])('that was %s before it began breaks its request off', async (_, lose) => {
    const { body, stream, text } = outgoing();
    const broken = new Promise((resolve) => body.once('close', resolve));
    lose(stream);
    body.resume();
    await broken;
    expect(body.errored?.message).toBe('The body has been passed on already');
    expect(text()).toBe('');
  });
});
