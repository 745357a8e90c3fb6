import { describe, expect, it } from 'vitest';
import { closeLogging, configureLogging } from '../../src/logging/index.ts';
import { logged, message, problemLines, sequence } from '../mediation/harness.ts';

async function line(xml: string, request = full()): Promise<string> {
  const records = await logged(async () => expect(await sequence(xml).mediate(request)).toBe(true));
  const lines = records.filter(({ category }) => category === 'LogMediator');
  expect(lines).toHaveLength(1);
  return lines[0]?.message ?? '';
}

/** A SOAP request of a proxy with everything that a line can show. */
function full() {
  const request = message({
    body:
      '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header><h:id xmlns:h="urn:h"> 5 </h:id>' +
      '<two/></e:Header><e:Body><a>x</a></e:Body></e:Envelope>',
    contentType: 'text/xml',
    soapAction: true,
  });
  request.axis2.set('correlation_id', 'c-1');
  request.action = 'urn:getQuote';
  request.properties.set('ARTIFACT_NAME', 'proxyP');
  return request;
}

const SIMPLE =
  'To: /services/P, WSAction: urn:getQuote, SOAPAction: urn:getQuote, MessageID: urn:uuid:1, correlation_id: c-1, Direction: request';

describe('the line of level', () => {
  it('simple, which is the default', async () => {
    expect(await line('<log/>')).toBe(`{proxy:P} ${SIMPLE}`);
    expect(await line('<log level="simple"><property name="a" value="1"/></log>')).toBe(`{proxy:P} ${SIMPLE}, a = 1`);
  });

  it('simple, of a message with nothing known or everything known', async () => {
    const bare = message();
    bare.to = undefined;
    bare.direction = 'response';
    expect(await line('<log/>', bare)).toBe('To: , MessageID: urn:uuid:1, Direction: response');
    const known = message();
    Object.assign(known, { from: 'f', replyTo: 'r', action: '' });
    expect(await line('<log/>', known)).toBe(
      'To: /services/P, From: f, WSAction: , SOAPAction: , ReplyTo: r, MessageID: urn:uuid:1, Direction: request',
    );
  });

  it('headers: the blocks of the SOAP header', async () => {
    expect(await line('<log level="headers"><property name="a" value="1"/></log>')).toBe(
      '{proxy:P}  correlation_id : c-1, id :  5 , two : , a = 1',
    );
    const without = message({ body: '<a/>' });
    expect(await line('<log level="headers"><property name="a" value="1"/></log>', without)).toBe('a = 1');
  });

  it('full: the simple line with its properties, then the envelope', async () => {
    const text = await line('<log level="full"><property name="a" value="1"/></log>');
    expect(text).toMatch(
      /^\{proxy:P\} To: .*Direction: request, a = 1, Envelope: <\?xml version='1\.0' encoding='utf-8'\?><e:Envelope /,
    );
    expect(text).toMatch(/<e:Body><a>x<\/a><\/e:Body><\/e:Envelope>$/);
  });

  it('full: the JSON of a JSON payload', async () => {
    const json = message({ body: '{"a":1}', contentType: 'application/json' });
    expect(await line('<log level="full"/>', json)).toBe(
      'To: /services/P, MessageID: urn:uuid:1, Direction: request, Payload: {"a":1}',
    );
    expect(json.payload.untouched).toBe(true);
  });

  it('full, by logFullPayload, whatever the level says', async () => {
    expect(await line('<log level="custom" logFullPayload="TRUE"/>')).toContain(', Envelope: <');
  });

  it('custom: the properties only', async () => {
    const custom = `<log level="custom"><property name="a" value="1"/><property name="b" expression="//a"/>
      <property name="c" expression="get-property('missing')"/></log>`;
    expect(await line(custom)).toBe('{proxy:P} a = 1, b = x, c = null');
    expect(await line('<log level="custom" logMessageID="true"><property name="a" value="1"/></log>')).toBe(
      '{proxy:P} MessageID: urn:uuid:1, correlation_id: c-1, a = 1',
    );
  });

  it('custom, with a template in front of the properties', async () => {
    expect(await line('<log level="custom"><message>hello</message><property name="a" value="1"/></log>')).toBe(
      '{proxy:P} hello, a = 1',
    );
    expect(await line('<log><message>hello</message><property name="a" value="1"/></log>')).toBe(
      '{proxy:P} hello, a = 1',
    );
  });

  it('simple and full, with a template in front', async () => {
    expect(await line('<log level="simple"><message>hello</message></log>')).toBe(`{proxy:P} hello, ${SIMPLE}`);
    expect(await line('<log level="full"><message>hello</message></log>')).toContain(
      `{proxy:P} hello, ${SIMPLE}, Envelope`,
    );
  });
});

describe('the separator', () => {
  it('stands between all parts, with \\n and \\t understood', async () => {
    const text = await line('<log separator="\\n\\t"><property name="a" value="1"/></log>');
    expect(text.split('\n\t')).toEqual([
      '{proxy:P} To: /services/P',
      'WSAction: urn:getQuote',
      'SOAPAction: urn:getQuote',
      'MessageID: urn:uuid:1',
      'correlation_id: c-1',
      'Direction: request',
      'a = 1',
    ]);
  });

  it('is taken away once at the very start', async () => {
    const custom = '<log level="custom" separator="-"><property name="-a" value="1"/></log>';
    expect(await line(custom)).toBe('{proxy:P} -a = 1');
  });
});

describe('the category', () => {
  it.each([
    ['INFO', 'info'],
    [' warn ', 'warn'],
    ['Error', 'error'],
    ['FATAL', 'fatal'],
  ])('%s becomes the level %s', async (category, level) => {
    const [record] = await logged(() => sequence(`<log category="${category}"/>`).mediate(message()));
    expect(record?.level).toBe(level);
  });

  it.each(['DEBUG', 'TRACE'])('%s costs nothing while it is off', async (category) => {
    const request = message({ body: '<broken' });
    const records = await logged(() => sequence(`<log level="full" category="${category}"/>`).mediate(request));
    expect(records).toEqual([]);
    expect(request.payload.kind).toBe('unread');
  });

  it('DEBUG is written when it is on', async () => {
    configureLogging({ level: 'debug', stream: { write: () => true } as unknown as NodeJS.WritableStream });
    try {
      expect(await line('<log category="DEBUG" level="custom"><property name="a" value="1"/></log>')).toBe(
        '{proxy:P} a = 1',
      );
    } finally {
      configureLogging({ level: 'info', stream: { write: () => true } as unknown as NodeJS.WritableStream });
      closeLogging();
    }
  });
});

describe('the prefix', () => {
  it.each([
    ['proxyP', '{proxy:P} '],
    ['apiA', '{api:A} '],
    ['inboundendpointI', '{inboundendpoint:I} '],
    ['other', '{other} '],
    [undefined, ''],
  ])('of ARTIFACT_NAME %s is %j', async (name, prefix) => {
    const request = message();
    if (name !== undefined) request.properties.set('ARTIFACT_NAME', name);
    expect(await line('<log level="custom"><property name="a" value="1"/></log>', request)).toBe(`${prefix}a = 1`);
  });
});

it('fails and empties the body when it cannot be shown in full', () => {
  const request = message({ body: '<broken' });
  expect(() => sequence('<log level="full"/>').mediate(request)).toThrow(/^Could not build full log message: /);
  expect(request.payload.firstBodyChild()).toBeUndefined();
});

it('leaves the body alone otherwise', async () => {
  const request = message({ body: '<broken' });
  expect(await line('<log><property name="a" expression="$trp:Host"/></log>', request)).toContain('a = ');
  expect(request.payload.kind).toBe('unread');
});

it('shows the XML child of a property', async () => {
  const xml = '<log level="custom"><property name="a"><b xmlns="">1</b></property></log>';
  expect(await line(xml, message())).toContain('a = <b xmlns="">1</b>');
});

it.each([
  ['<log level="Full"/>', 'Invalid log level. Level has to be one of the following : simple, headers, full, custom'],
  [
    '<log category="LOUD"/>',
    'Invalid log category. Category has to be one of the following : INFO, TRACE, DEBUG, WARN, ERROR, FATAL',
  ],
  ['<log><property value="1"/></log>', 'Entry name is a required attribute for a Log property'],
  ['<log><property name="a"/></log>', 'A value or an expression must be specified for a property of <log>'],
])('%s fails the deployment', (xml, text) => {
  expect(problemLines(xml)).toEqual([`error: ${text}`]);
});
