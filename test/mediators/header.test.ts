import { describe, expect, it } from 'vitest';
import { serializeXml } from '../../src/xml/index.ts';
import { logged, message, problemLines, problems, sequence } from '../mediation/harness.ts';

const SOAP = (header = '', body = '<a/>') =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">${header && `<s:Header>${header}</s:Header>`}<s:Body>${body}</s:Body></s:Envelope>`;

function soapMessage(header?: string) {
  return message({ body: SOAP(header), contentType: 'text/xml', soapAction: true });
}

/** Runs mediators that never wait. */
function run(mediators: string, request: ReturnType<typeof message>): void {
  expect(sequence(mediators).mediate(request)).toBe(true);
}

function headersOf(request: ReturnType<typeof message>): string {
  const found = request.payload.header();
  return found
    ? serializeXml(found)
        .replace(/^<[^>]*>|<\/[^>]*>$/g, '')
        .replaceAll(/ xmlns:s="[^"]*"/g, '')
    : '';
}

describe('addressing values', () => {
  it.each([
    ['To', 'to'],
    ['From', 'from'],
    ['Action', 'action'],
    ['FaultTo', 'faultTo'],
    ['ReplyTo', 'replyTo'],
    ['RelatesTo', 'relatesTo'],
  ] as const)('%s: set and remove, without a look at the payload', async (name, field) => {
    const request = soapMessage();
    run(`<header name="${name}" value="urn:x"/>`, request);
    expect(request[field]).toBe('urn:x');
    run(`<header name="${name}" action="remove"/>`, request);
    expect(request[field]).toBeUndefined();
    expect(request.payload.kind).toBe('unread');
  });

  it('are computed', () => {
    const request = message({ body: '<o><to>http://b</to></o>' });
    run('<header name="To" expression="//to"/>', request);
    expect(request.to).toBe('http://b');
  });

  it('become empty, with a WARN, when the value is null', async () => {
    const request = message({ to: 'http://b' });
    const records = await logged(() => sequence('<header name="To" expression="$ctx:gone"/>').mediate(request));
    expect(request.to).toBe('');
    expect(records.map(({ level, message: text }) => `${level}: ${text}`)).toEqual([
      'warn: Setting SOAP header : To to empty as evaluated value is null',
    ]);
  });
});

describe('SOAP header blocks', () => {
  const N = 'xmlns:n="urn:n"';

  it('are added with their text; without action="set" beside those that are there', () => {
    const request = soapMessage();
    run(`<header ${N} name="n:h" value="1 &lt; 2"/><header ${N} name="n:h" value="b"/>`, request);
    expect(headersOf(request)).toBe('<n:h xmlns:n="urn:n">1 &lt; 2</n:h><n:h xmlns:n="urn:n">b</n:h>');
    expect(request.payload.untouched).toBe(false);
  });

  it('with action="set" take the place of those of that name (MREQ-30)', () => {
    const request = soapMessage('<m:h xmlns:m="urn:n">old</m:h><m:h xmlns:m="urn:other"/>');
    run(`<header ${N} name="n:h" value="new" action="set"/>`, request);
    expect(headersOf(request)).toBe('<m:h xmlns:m="urn:other"/><n:h xmlns:n="urn:n">new</n:h>');
  });

  it.each(['OM', 'om'])('with type="%s" hold the value as XML', (type) => {
    const request = soapMessage();
    run(`<header ${N} name="n:h" value="&lt;a&gt;1&lt;/a&gt;" type="${type}"/>`, request);
    expect(headersOf(request)).toBe('<n:h xmlns:n="urn:n"><a>1</a></n:h>');
  });

  it('with type="OM" and a value that is no XML are a fault', () => {
    const failing = () => run(`<header ${N} name="n:h" value="no xml" type="OM"/>`, soapMessage());
    expect(failing).toThrow('not well-formed XML');
  });

  it('are removed, all of that name and namespace', () => {
    const request = soapMessage('<m:h xmlns:m="urn:n"/><m:k xmlns:m="urn:n"/><x:h xmlns:x="urn:n"/>');
    run(`<header ${N} name="n:h" action="remove"/>`, request);
    expect(headersOf(request)).toBe('<m:k xmlns:m="urn:n"/>');
  });

  it('may be written as XML; every message gets its own copy', () => {
    const mediators = sequence('<header><n:a xmlns:n="urn:n">1</n:a><m:b xmlns:m="urn:m"/></header>');
    for (const request of [soapMessage(), soapMessage()]) {
      expect(mediators.mediate(request)).toBe(true);
      expect(headersOf(request)).toMatch(/^<n:a [^>]*xmlns:n="urn:n"[^>]*>1<\/n:a><m:b [^>]*xmlns:m="urn:m"[^>]*\/>$/);
    }
  });

  it('leave JSON what it is, and go along with a copy of it', () => {
    const request = message({ body: '{"a":1}', contentType: 'application/json' });
    run(`<header ${N} name="n:h" value="1"/>`, request);
    expect(request.payload.json()).toBe('{"a":1}');
    expect(request.payload.untouched).toBe(true);
    const copy = request.payload.clone().header();
    expect(copy && serializeXml(copy)).toContain('<n:h xmlns:n="urn:n">1</n:h>');
    run(`<header ${N} name="n:h" action="remove"/>`, request);
    expect(request.payload.soapHeader()).toBeUndefined();
    expect(request.payload.clone().soapHeader()).toBeUndefined();
  });

  it('are given to a message without a payload', () => {
    const request = message();
    run(`<header ${N} name="n:h" value="1"/>`, request);
    expect(headersOf(request.payload.clone() && request)).toBe('<n:h xmlns:n="urn:n">1</n:h>');
    expect(request.payload.clone().header()?.firstChild?.nodeName).toBe('n:h');
  });
});

describe('HTTP headers', () => {
  it('are set, replaced and removed whatever their name is, without a look at the payload', () => {
    const request = message({ body: '<a/>' });
    request.headers.add('X-A', 'old');
    run('<header name="x-a" value="new" scope="transport"/>', request);
    expect(request.headers.get('X-A')).toBe('new');
    run('<header name="To" value="somewhere" scope="transport"/>', request);
    expect(request.headers.get('To')).toBe('somewhere');
    run('<header name="X-A" action="remove" scope="transport"/>', request);
    expect(request.headers.has('X-A')).toBe(false);
    expect(request.payload.kind).toBe('unread');
  });

  it('become empty, with a WARN, when the value is null', async () => {
    const request = message();
    const set = sequence('<header name="X" expression="$ctx:gone" scope="transport"/>');
    const records = await logged(() => set.mediate(request));
    expect(request.headers.get('X')).toBe('');
    expect(records.map(({ message: text }) => text)).toEqual([
      'Setting HTTP header : X to empty as evaluated value is null',
    ]);
  });
});

describe('what is wrong is told', () => {
  it.each([
    ['<header/>', 'A valid name attribute is required for the header mediator'],
    ['<header name=" "/>', 'A valid name attribute is required for the header mediator'],
    ['<header action="remove"><a/></header>', 'A valid name attribute is required for the header mediator'],
    ['<header name="To"/>', "A 'value' or 'expression' attribute is required for a [set] header mediator"],
    [
      '<header name="Token" value="x"/>',
      'Invalid SOAP header: Token specified at the header mediator. All SOAP headers must be namespace qualified.',
    ],
    ['<header name="p:h" value="x"/>', "Invalid namespace prefix 'p' in name attribute"],
    [
      '<header name="To" value="x" scope="axis2"/>',
      "Only 'transport' or 'default' values are allowed for attribute scope for a header mediator, Unsupported scope axis2",
    ],
  ])('%s', (xml, expected) => {
    expect(problemLines(xml)).toEqual([`error: ${expected}`]);
  });

  it('with its place', () => {
    expect(problems('<header\n name="Token" value="x"/>')[0]?.position).toMatchObject({ line: 2, column: 2 });
    expect(problemLines('<header name="To" expression="//["/>')).toHaveLength(1);
  });
});
