import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deadLetterOf, putAside } from '../../src/processors/dead-letter.ts';
import { letterAsStored, letterBytes, readDeadLetters, removeLetter } from '../../src/processors/dead-letter-files.ts';
import { storedPoison } from '../../src/processors/message-delivery-ending.ts';
import type { StoredMessage } from '../../src/stores/stored-message.ts';

let data: string;

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'mini-synapse-letters-'));
});

afterEach(() => rmSync(data, { recursive: true, force: true }));

const SOAP11 = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body/></e:Envelope>';
const SOAP12 = SOAP11.replace('http://schemas.xmlsoap.org/soap/envelope/', 'http://www.w3.org/2003/05/soap-envelope');

function message(body: string | Uint8Array, contentType: string, soapAction?: string): StoredMessage {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const headers: Array<[string, string]> = [['Content-Type', contentType]];
  if (soapAction !== undefined) headers.push(['SOAPAction', soapAction]);
  const poison = storedPoison({ id: 'one', reason: 'why', bytes, headers });
  const { undecoded: _, ...stored } = poison;
  return { ...stored, body: { ...stored.body, contentType } };
}

/** Put aside and read again. */
async function again(stored: StoredMessage): Promise<StoredMessage> {
  await putAside(data, deadLetterOf(stored, 'S', 'P', 'why'));
  const [letter] = (await readDeadLetters(data)).letters;
  if (!letter) throw new Error('there is no letter');
  return letterAsStored(letter, await letterBytes(letter));
}

describe('a letter as a message again', { timeout: 60_000 }, () => {
  it.each([
    ['SOAP 1.1', message(SOAP11, 'text/xml', '"urn:order"'), 'soap11', 'urn:order', false],
    ['an action without quotes', message(SOAP11, 'text/xml', 'urn:order'), 'soap11', 'urn:order', false],
    ['no action', message(SOAP11, 'text/xml', '""'), 'soap11', undefined, false],
    ['SOAP 1.2', message(SOAP12, 'application/soap+xml; action="urn:order"'), 'soap12', 'urn:order', false],
    [
      'compressed SOAP',
      message(Buffer.from([0x1f, 0x8b, 0, 0xff]), 'text/xml', '"urn:order"'),
      'binary',
      'urn:order',
      false,
    ],
    ['JSON', message('{}', 'application/json'), 'json', undefined, true],
    ['XML', message('<a/>', 'application/xml'), 'xml', undefined, true],
    ['nothing', message('', 'text/plain'), 'none', undefined, true],
  ] as const)('%s', async (_, stored, kind, action, doingRest) => {
    const found = await again(stored);
    expect({ kind: found.body.kind, addressing: found.addressing, doingRest: found.doingRest }).toEqual({
      kind,
      addressing: action === undefined ? {} : { action },
      doingRest,
    });
  });
});

describe('letters of a message that was sent again', { timeout: 60_000 }, () => {
  it('have a name of their own, whatever is removed meanwhile', async () => {
    const first = deadLetterOf(message('<a/>', 'text/xml'), 'S', 'P', 'why');
    await putAside(data, first);
    const [letter] = (await readDeadLetters(data)).letters;
    await putAside(data, { ...first, replays: 1 });
    await putAside(data, { ...first, replays: 1, bytes: Buffer.from('<other/>') });
    if (letter) await removeLetter(letter);
    const { letters, damaged } = await readDeadLetters(data);
    expect(damaged).toEqual([]);
    expect(letters.map(({ replays }) => replays)).toEqual([1, 1]);
    expect((await Promise.all(letters.map(letterBytes))).map(String)).toEqual(['<a/>', '<other/>']);
    expect(readdirSync(join(data, 'dead-letter/S'))).toHaveLength(4);
  });
});

it('a letter says when its store could not decode it', { timeout: 60_000 }, async () => {
  const poison = storedPoison({ id: 'torn', reason: 'it is torn', bytes: Buffer.from('x'), headers: [] });
  await putAside(data, deadLetterOf(poison, 'S', 'P', 'it is torn'));
  await putAside(data, deadLetterOf(message('<a/>', 'text/xml'), 'S', 'P', 'why'));
  const { letters } = await readDeadLetters(data);
  expect(letters.map(({ id, undecoded }) => [id, undecoded])).toEqual([
    ['torn', true],
    ['one', undefined],
  ]);
});
