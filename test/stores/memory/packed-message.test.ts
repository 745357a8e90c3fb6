import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MessagePacker } from '../../../src/stores/memory/packed-messages.ts';
import type { StoredMessage } from '../../../src/stores/stored-message.ts';
import { comparableMessage, everyPropertyType, storedMessage } from '../messages.ts';

const CORRELATION = 'c7f9a0de-8a8b-4f5a-9d60-2a6c2b6b5b0a';
const fits = () => undefined;

const words = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('text/xml', '\ud800', 'a\udc00b', '', 'urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'urn:uuid:X'),
  fc.string({ minLength: 130, maxLength: 300 }),
  fc.uuid().map((uuid) => `urn:uuid:${uuid}`),
  fc.uuid(),
  fc.constantFrom(CORRELATION, `${CORRELATION}_6ba7b810-9dad-11d1-80b4-00c04fd430c8`),
);
const optional = fc.option(words, { nil: undefined });
const addressing = fc.record(
  { to: words, from: words, replyTo: words, faultTo: words, relatesTo: words, action: words },
  { requiredKeys: [] },
);
const failure = fc.record({
  processor: words,
  sourceStore: words,
  endpoint: optional,
  cause: words,
  status: fc.option(fc.integer({ min: 100, max: 599 }), { nil: undefined }),
  attempts: fc.nat(),
  firstAttemptAt: fc.nat(),
  lastAttemptAt: fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 }),
});
const values = fc
  .array(fc.tuple(words, fc.oneof(words, fc.boolean())), { maxLength: 8 })
  .map((pairs) => new Map(pairs));

const messages: fc.Arbitrary<StoredMessage> = fc.record({
  v: fc.constant(1 as const),
  id: words,
  originalId: words,
  correlationId: fc.oneof(optional, fc.constant(CORRELATION)),
  storedAt: fc.integer({ min: 0, max: 2 ** 45 }),
  service: optional,
  body: fc
    .record({
      kind: fc.constantFrom('soap11', 'soap12', 'xml', 'json', 'text', 'binary', 'none'),
      bytes: fc.uint8Array({ maxLength: 20_000, size: 'medium' }),
      contentType: optional,
      soapHeader: optional,
    })
    .map(({ soapHeader, ...body }) => ({ ...body, ...(soapHeader !== undefined && { soapHeader }) })),
  addressing,
  direction: fc.constantFrom('request', 'response'),
  doingRest: fc.boolean(),
  headers: fc.array(fc.tuple(words, words), { maxLength: 10 }),
  axis2: values,
  properties: values,
  variables: values,
  priority: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
  history: fc.array(failure, { maxLength: 3 }),
});

describe('packed messages', () => {
  test('come out as they went in, many of them together', () => {
    fc.assert(
      fc.property(fc.array(messages, { minLength: 1, maxLength: 8 }), (originals) => {
        const packer = new MessagePacker(0);
        const packed = [...originals, ...originals].map((message) => packer.pack(message, fits));
        for (const [index, message] of [...originals, ...originals].entries()) {
          const [again] = packed.slice(index, index + 1).map((each) => packer.unpack(each));
          expect(again && comparableMessage(again)).toEqual(comparableMessage(message));
        }
      }),
      { numRuns: 200 },
    );
  });

  test('keep every type of property', () => {
    const packer = new MessagePacker(0);
    const message = storedMessage({
      axis2: everyPropertyType(),
      properties: everyPropertyType(),
      variables: everyPropertyType(),
    });
    const again = packer.unpack(packer.pack(message, fits));
    expect(again && comparableMessage(again)).toEqual(comparableMessage(message));
  });

  test('take little besides what differs between them', () => {
    const packer = new MessagePacker(0);
    const headers = Array.from({ length: 10 }, (_, index) => [`Header-${index}`, `the same value ${index}`] as const);
    const sizes = Array.from({ length: 10 }, () => {
      const message = storedMessage({ headers, properties: new Map(headers), axis2: new Map(headers) });
      return packer.pack({ ...message, id: crypto.randomUUID(), originalId: crypto.randomUUID() }, fits).size;
    });
    expect(sizes.at(-1)).toBeLessThan(500);
  });

  test('are not packed when they do not fit', () => {
    const packer = new MessagePacker(0);
    const refuse = (size: number) => {
      throw new Error(`${size > 100_000}`);
    };
    const body = { kind: 'binary' as const, bytes: new Uint8Array(100_000), contentType: undefined };
    expect(() => packer.pack(storedMessage({ body }), refuse)).toThrow('true');
  });
});

test('messages that have waited for long, and were compressed, come out as they went in', async () => {
  const packer = new MessagePacker(0);
  const waiting = Array.from({ length: 6_000 }, (_, number) => {
    const body = {
      kind: 'xml',
      contentType: 'application/xml',
      bytes: Buffer.from(`<order>${number}</order>`.repeat(40)),
    } as const;
    return storedMessage({ body, properties: everyPropertyType() });
  });
  const packed = waiting.map((message) => packer.pack(message, fits));
  await packer.settled();
  const slabs = new Set(packed.map(({ slab }) => slab));
  const taken = [...slabs].reduce((sum, slab) => sum + slab.taken, 0);
  expect(taken).toBeLessThan(packed.reduce((sum, { length }) => sum + length, 0) / 2);
  for (const [number, message] of waiting.entries()) {
    const one = packed[number];
    if (!one) throw new Error('it was not packed');
    expect(packer.idOf(one)).toBe(message.id);
    expect(Buffer.compare(packer.unpack(one)?.body.bytes ?? Buffer.alloc(0), message.body.bytes)).toBe(0);
    if (number % 100 === 0)
      expect(comparableMessage(packer.unpack(one) as StoredMessage)).toEqual(comparableMessage(message));
    packer.release(one);
  }
});
