import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readStoredMessageBytes, storedMessageBytes } from '../../../src/stores/sql/stored-message-bytes.ts';
import { StoredMessageError } from '../../../src/stores/stored-message-codec.ts';
import { comparableMessage, everyPropertyType, storedMessage } from '../messages.ts';

describe('a stored message as bytes (REQ-05)', () => {
  test('comes back as it was, whatever its body is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: 'binary' }), (bytes, service) => {
        const body = { kind: 'binary', bytes, contentType: 'application/octet-stream' } as const;
        const message = storedMessage({ body, service, properties: everyPropertyType() });
        expect(comparableMessage(readStoredMessageBytes(storedMessageBytes(message)))).toEqual(
          comparableMessage(message),
        );
      }),
    );
  });

  test('is noticed when it was cut off, or when something was added', () => {
    const bytes = storedMessageBytes(storedMessage());
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => readStoredMessageBytes(bytes.subarray(0, length))).toThrow(StoredMessageError);
    }
    expect(() => readStoredMessageBytes(Buffer.concat([bytes, Buffer.from(' ')]))).toThrow(
      /has something behind its end/,
    );
  });

  test('is told apart from everything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(() => readStoredMessageBytes(bytes)).toThrow(StoredMessageError);
      }),
    );
    expect(() => readStoredMessageBytes(Buffer.from('aced0005', 'hex'))).toThrow(/Java serialization/);
    expect(() => readStoredMessageBytes(Buffer.from('mini-synapse message 2 1 1\n{\nx'))).toThrow(/unknown version 2/);
    expect(() => readStoredMessageBytes(Buffer.from('mini-synapse message 1 2 0\n{}\n'))).toThrow(/unknown version/);
  });
});
