import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageLine, poisonLine, readMessageLine } from '../../../src/management/operations/message-lines.ts';
import type { StoredBody } from '../../../src/stores/stored-message.ts';
import { comparableMessage, everyPropertyType, storedMessage } from '../../stores/messages.ts';

const KINDS: ReadonlyArray<StoredBody['kind']> = ['soap11', 'soap12', 'xml', 'json', 'text', 'binary'];

describe('messages as lines', () => {
  it('keeps everything, whatever the body', () => {
    const bodies = fc.record({ kind: fc.constantFrom(...KINDS), bytes: fc.uint8Array({ maxLength: 200 }) });
    fc.assert(
      fc.property(bodies, fc.nat({ max: 9 }), fc.string({ unit: 'binary' }), ({ kind, bytes }, replays, text) => {
        const message = storedMessage({
          body: { kind, bytes, contentType: 'a/b' },
          properties: new Map([...everyPropertyType(), ['text', text]]),
          headers: [['X', text]],
          ...(replays > 0 && { replays }),
        });
        const line = messageLine(message);
        expect(line).not.toContain('\n');
        expect(comparableMessage(readMessageLine(line))).toEqual(comparableMessage(message));
      }),
    );
  });

  it('shows text as text, and bytes as base64', () => {
    const text = storedMessage({
      body: { kind: 'json', bytes: Buffer.from('{"a":"ü"}'), contentType: 'application/json' },
    });
    expect(JSON.parse(messageLine(text))).toMatchObject({
      v: 1,
      id: text.id,
      body: { kind: 'json', text: '{"a":"ü"}' },
    });
    const bytes = storedMessage({ body: { kind: 'text', bytes: Buffer.from([0xfc]), contentType: undefined } });
    expect(JSON.parse(messageLine(bytes)).body).toEqual({ kind: 'text', base64: '/A==' });
  });

  it.each([
    ['nonsense', 'it is not JSON'],
    ['[]', 'head is not an object'],
    ['7', 'it is not an object'],
    ['{"v":2}', 'unknown version 2'],
    ['{"v":1,"id":"a"}', 'head.originalId is not text'],
    [poisonLine({ id: 'p', reason: 'r', bytes: Buffer.from('x'), headers: [] }), 'could not decode'],
    [broken({ text: 'a', base64: 'YQ==' }), 'both text and base64'],
    [broken({ base64: 'not base64!' }), 'body.base64 is not base64'],
    [broken({ base64: 7 }), 'body.base64 is not base64'],
    [messageLine(storedMessage({ id: '' })), 'its id is empty'],
  ])('refuses %s', (line, reason) => {
    expect(() => readMessageLine(line)).toThrow(reason);
  });
});

function broken(content: Record<string, unknown>): string {
  const line = JSON.parse(messageLine(storedMessage()));
  return JSON.stringify({ ...line, body: { kind: 'text', ...content } });
}
