import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyBinaryMarks, markBinary } from '../../src/message/binary-element.ts';
import { MediationError } from '../../src/message/errors.ts';
import { type FormattedBody, formatPayload, formatRequest, formatResponse } from '../../src/message/formatter.ts';
import { MessageContext } from '../../src/message/message-context.ts';
import { selfContained } from '../../src/message/packaging.ts';
import { Payload } from '../../src/message/payload.ts';
import { openRelated, type Packaging, writeRelated } from '../../src/message/related.ts';
import { parseXml, type XmlElement } from '../../src/xml/index.ts';
import { NO_CONFIGURATION } from '../stores/messages.ts';

const S11 = 'http://schemas.xmlsoap.org/soap/envelope/';
const S12 = 'http://www.w3.org/2003/05/soap-envelope';
const FILE = Buffer.from([0, 1, 2, 253, 254, 255, 13, 10, 45, 45]);
const BASE64 = FILE.toString('base64');
const INCLUDE = '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:a%40b"/>';
const envelope = (content: string, namespace = S11) =>
  `<S:Envelope xmlns:S="${namespace}"><S:Header><h:H xmlns:h="urn:h"/></S:Header><S:Body><m:f xmlns:m="urn:m">${content}</m:f></S:Body></S:Envelope>`;
const attachment = { headers: new Map([['content-id', '<a@b>']]), bytes: FILE };
const element = (text: string) => parseXml(text).documentElement as XmlElement;

/** A message that came with a file beside it. */
function related(packaging: Packaging, content: string, namespace = S11): MessageContext {
  const type = namespace === S11 ? 'text/xml' : 'application/soap+xml';
  const root = { bytes: Buffer.from(envelope(content, namespace)), contentType: type };
  const { bytes, contentType } = writeRelated({ packaging, start: '<r@b>', root, attachments: [attachment] });
  return received(bytes, contentType);
}

function received(bytes: Uint8Array, contentType: string): MessageContext {
  const message = new MessageContext(NO_CONFIGURATION, Payload.unread(bytes, contentType, { soapAction: true }));
  message.axis2.set('ContentType', contentType);
  message.axis2.set('messageType', contentType.split(';')[0] ?? '');
  message.action = 'urn:do';
  return message;
}

const plain = (content: string, namespace = S11) =>
  received(Buffer.from(envelope(content, namespace)), namespace === S11 ? 'text/xml' : 'application/soap+xml');

/** What a body is on the wire. */
function seen({ bytes = new Uint8Array(), contentType = '' }: FormattedBody) {
  const text = (part: Uint8Array) => Buffer.from(part).toString();
  if (!contentType.startsWith('multipart/')) return { packaging: undefined, text: text(bytes), files: [] };
  const { packaging, root, attachments } = openRelated({ bytes, contentType });
  return {
    packaging,
    text: text(root.bytes),
    files: attachments.map((part) => ({
      id: part.headers.get('content-id'),
      type: part.headers.get('content-type'),
      bytes: Buffer.from(part.bytes).toString('base64'),
    })),
  };
}

const sent = (message: MessageContext, optimize?: Packaging) =>
  seen(formatRequest(message, undefined, undefined, 'POST', optimize));

describe('what came as MTOM', () => {
  it('goes on as it is, byte by byte, when MTOM is asked for or nothing', () => {
    for (const optimize of [undefined, 'mtom'] as const) {
      const message = related('mtom', INCLUDE);
      const { bytes, contentType, soapAction } = formatRequest(message, undefined, undefined, 'POST', optimize);
      expect(bytes).toBe(message.payload.originalBytes());
      expect(contentType).toBe(message.payload.contentType);
      expect(soapAction).toBe('"urn:do"');
    }
  });

  it('is one envelope with Base64 in it as SOAP with Attachments', () => {
    const { packaging, text, files } = sent(related('mtom', `<i>${INCLUDE}</i>`), 'swa');
    expect([packaging, files]).toEqual(['swa', []]);
    expect(text).toContain(`<i>${BASE64}</i>`);
    expect(text).not.toContain('Include');
  });

  it.each(['text/xml', 'application/xml', 'application/json'])('is Base64 where it becomes %s', (type) => {
    const message = related('mtom', `<i>${INCLUDE}</i>`);
    if (type === 'text/xml') message.axis2.set('enableMTOM', 'false');
    else message.axis2.set('messageType', type);
    message.axis2.set('ContentType', type);
    const { packaging, text } = sent(message);
    expect(packaging).toBeUndefined();
    expect(text).toContain(BASE64);
    expect(text).not.toContain('cid:');
  });

  it('is unpacked where enableMTOM is false, looked into or not, and stays what it is to those who look after that', () => {
    const message = related('mtom', `<i>${INCLUDE}</i>`);
    message.axis2.set('enableMTOM', 'false');
    expect(sent(message).text).toContain(`<i>${BASE64}</i>`);
    expect(message.payload.firstBodyChild()?.toString()).toContain('cid:a%40b');
    expect(message.payload.untouched).toBe(true);
    message.axis2.set('enableMTOM', 'optional');
    expect(sent(message)).toMatchObject({ packaging: 'mtom', files: [{ id: '<a@b>', bytes: BASE64 }] });
  });

  it('keeps what is beside it when its SOAP version changes', () => {
    const formatted = formatRequest(related('mtom', INCLUDE), 'soap12');
    expect(seen(formatted)).toMatchObject({ packaging: 'mtom', files: [{ id: '<a@b>', bytes: BASE64 }] });
    expect(seen(formatted).text).toContain(S12);
    expect(formatted.contentType).toContain('start-info="application/soap+xml"');
    expect(formatted.contentType).toContain('action="urn:do"');
    expect(formatted.soapAction).toBeUndefined();
  });

  it('cannot be unpacked when a part is missing', () => {
    const message = related('mtom', INCLUDE.replace('a%40b', 'gone'));
    expect(() => sent(message, 'swa')).toThrow(
      new MediationError('The message refers to cid:gone, which is not among its attachments'),
    );
  });

  it('is kept with what is beside it by stores', () => {
    const message = related('mtom', INCLUDE);
    message.payload.changed();
    expect(seen(formatPayload(message.payload))).toMatchObject({ packaging: 'mtom', files: [{ bytes: BASE64 }] });
  });
});

describe('what came with attachments', () => {
  it('goes on as it is when SOAP with Attachments is asked for or nothing', () => {
    for (const optimize of [undefined, 'swa'] as const) {
      const message = related('swa', 'a@b');
      expect(formatRequest(message, undefined, undefined, 'POST', optimize).bytes).toBe(
        message.payload.originalBytes(),
      );
    }
  });

  it('keeps its attachments as MTOM', () => {
    expect(sent(related('swa', 'a@b'), 'mtom')).toMatchObject({
      packaging: 'mtom',
      files: [{ id: '<a@b>', bytes: BASE64 }],
      text: expect.stringContaining('>a@b<'),
    });
  });

  it('is alone where enableSwA is false', () => {
    const message = related('swa', 'a@b');
    message.axis2.set('enableSwA', false);
    expect(sent(message)).toMatchObject({ packaging: undefined, text: expect.stringContaining('>a@b<') });
  });
});

describe('what came alone', () => {
  const XMIME = `<i xmlns:x="http://www.w3.org/2005/05/xmlmime" x:contentType="image/gif">${BASE64}</i>`;
  const XSI = `<i xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xs="http://www.w3.org/2001/XMLSchema" xsi:type="xs:base64Binary">${BASE64}</i>`;

  it.each([
    ['xmime:contentType', XMIME, 'image/gif'],
    ['xsi:type', XSI, 'application/octet-stream'],
  ])('what says by %s that it is bytes is taken out', (_, content, type) => {
    const message = plain(content);
    const { packaging, text, files } = sent(message, 'mtom');
    expect(packaging).toBe('mtom');
    expect(files).toEqual([{ id: expect.stringMatching(/^<1\..*@mini-synapse>$/), type, bytes: BASE64 }]);
    expect(text).toContain(`href="cid:${files[0]?.id?.slice(1, -1)}"`);
    expect(text).not.toContain(BASE64);
    expect(message.payload.untouched).toBe(true);
    expect(sent(message).text).toContain(BASE64);
  });

  it('so is a binary payload, and an element made of bytes, through copies too', () => {
    const file = new MessageContext(NO_CONFIGURATION, Payload.ofBinary(FILE));
    file.axis2.set('messageType', 'text/xml');
    expect(sent(file, 'mtom')).toMatchObject({ files: [{ bytes: BASE64 }], text: expect.stringContaining('binary') });
    const wrapped = Payload.ofBodyChild(element(`<w xmlns="urn:w">${BASE64}</w>`));
    markBinary(wrapped.firstBodyChild() ?? element('<none/>'));
    const message = new MessageContext(NO_CONFIGURATION, wrapped.clone());
    message.axis2.set('enableMTOM', 'true');
    expect(sent(message)).toMatchObject({ packaging: 'mtom', files: [{ bytes: BASE64 }] });
  });

  it('text that looks like Base64 stays; the envelope is the only part, as the reference has it', () => {
    const { packaging, text, files } = sent(plain(`<i>${BASE64}</i>`), 'mtom');
    expect([packaging, files]).toEqual(['mtom', []]);
    expect(text).toContain(`<i>${BASE64}</i>`);
    expect(sent(plain(''), 'swa')).toMatchObject({ packaging: 'swa', files: [] });
  });

  it('what is no SOAP is not packaged', () => {
    const message = received(Buffer.from('{"a":1}'), 'application/json');
    expect(sent(message, 'mtom')).toMatchObject({ packaging: undefined, text: '{"a":1}' });
  });
});

it('an element that goes by itself holds its bytes, and MTOM takes them out again', () => {
  const { payload } = related('mtom', `<i>${INCLUDE}</i>`);
  const alone = selfContained(payload, payload.firstBodyChild() ?? element('<none/>'));
  expect(alone.textContent).toBe(BASE64);
  const sentAlone = new MessageContext(NO_CONFIGURATION, Payload.ofBodyChild(alone));
  copyBinaryMarks(alone, sentAlone.payload.firstBodyChild() ?? element('<none/>'));
  expect(sent(sentAlone, 'mtom')).toMatchObject({ packaging: 'mtom', files: [{ bytes: BASE64 }] });
  const untouched = plain('<i/>').payload;
  const child = untouched.firstBodyChild() ?? element('<none/>');
  expect(selfContained(untouched, child)).toBe(child);
});

describe('answers', () => {
  it('are MTOM where axis2 enableMTOM says so, in their own SOAP version', () => {
    const message = plain(
      `<i xmlns:x="http://www.w3.org/2005/05/xmlmime" x:contentType="image/gif">${BASE64}</i>`,
      S12,
    );
    message.axis2.set('enableMTOM', 'true');
    const formatted = formatResponse(message, 'soap11');
    expect(formatted.contentType).toMatch(/^multipart\/related;.*start-info="application\/soap\+xml"/);
    expect(seen(formatted).files).toHaveLength(1);
  });

  it('are as they came otherwise', () => {
    const message = related('swa', 'a@b');
    expect(formatResponse(message, 'soap11').bytes).toBe(message.payload.originalBytes());
  });
});

it('any bytes go out by MTOM and come back the same as Base64', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const message = new MessageContext(NO_CONFIGURATION, Payload.ofBinary(bytes));
      message.axis2.set('messageType', 'text/xml');
      const { bytes: there = new Uint8Array(), contentType = '' } = formatRequest(
        message,
        'soap11',
        undefined,
        'POST',
        'mtom',
      );
      const back = received(there, contentType);
      back.axis2.set('enableMTOM', 'false');
      const text = Buffer.from(formatRequest(back, undefined).bytes ?? []).toString();
      expect(Buffer.from(/binary[^>]*>([^<]*)</.exec(text)?.[1] ?? '', 'base64')).toEqual(Buffer.from(bytes));
    }),
  );
});
