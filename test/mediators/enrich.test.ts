import { describe, expect, it } from 'vitest';
import type { MessageContext } from '../../src/message/message-context.ts';
import { JsonValue, type PropertyValue, TypedNumber } from '../../src/message/property-value.ts';
import { parseXml, serializeXml, type XmlElement } from '../../src/xml/index.ts';
import { FakeConfiguration, logged, message, problemLines, problems, sequence } from '../mediation/harness.ts';

const XML = '<o><a>1</a><b k="v">2</b><c/></o>';
const JSON_BODY = '{"a":1,"o":{"k":"x"},"list":[{"id":1},{"id":2}],"s":"text"}';

const xmlMessage = (body = XML) => message({ body });
const jsonMessage = (body = JSON_BODY) => message({ body, contentType: 'application/json' });
const element = (xml: string) => parseXml(xml).documentElement as XmlElement;

function enriched(source: string, target: string, request = xmlMessage()): MessageContext {
  expect(sequence(`<enrich>${source}${target}</enrich>`).mediate(request)).toBe(true);
  return request;
}

const body = ({ payload }: MessageContext) => serializeXml(payload.firstBodyChild() as XmlElement);
const bodyContent = ({ payload }: MessageContext) =>
  serializeXml(payload.body())
    .replace(/^<[^>]*>|<\/[^>]*>$/g, '')
    .replaceAll(/ xmlns(:\w+)?="[^"]*"/g, '');
const xmlAfter = (source: string, target: string, request?: MessageContext) =>
  body(enriched(source, target, request)).replaceAll(/ xmlns=""/g, '');
const jsonAfter = (source: string, target: string, request = jsonMessage()) =>
  enriched(source, target, request).payload.json();

const INLINE = (content: string) => `<source type="inline">${content}</source>`;
const CUSTOM = (xpath: string, more = '') => `<source xpath="${xpath}" ${more}/>`;
const AT = (xpath: string, action = 'replace') => `<target xpath="${xpath}" action="${action}"/>`;
const TO_BODY = '<target type="body"/>';
const TO_PROPERTY = '<target type="property" property="p"/>';
const FROM_PROPERTY = '<source type="property" property="p"/>';
const N = '<n xmlns=""/>';

function withProperty(value: PropertyValue, request = xmlMessage()): MessageContext {
  request.properties.set('p', value);
  return request;
}

async function errorsOf(run: () => unknown): Promise<string[]> {
  return (await logged(run)).filter(({ level }) => level === 'error').map(({ message: text }) => text);
}

describe('XML: where it comes from', () => {
  it.each([
    [CUSTOM('//a'), '<o><a>1</a><b k="v">2</b><c><a>1</a></c></o>'],
    [CUSTOM('//a | //b'), '<o><a>1</a><b k="v">2</b><c><a>1</a><b k="v">2</b></c></o>'],
    [CUSTOM('//a/text()'), '<o><a>1</a><b k="v">2</b><c>1</c></o>'],
    [CUSTOM('//b/@k'), '<o><a>1</a><b k="v">2</b><c>v</c></o>'],
    [CUSTOM('count(//a)'), '<o><a>1</a><b k="v">2</b><c>1.0</c></o>'],
    [CUSTOM("'text'"), '<o><a>1</a><b k="v">2</b><c>text</c></o>'],
    [CUSTOM('//a', 'clone="false"'), '<o><b k="v">2</b><c><a>1</a></c></o>'],
    [CUSTOM('//a', 'clone="true" type="custom"'), '<o><a>1</a><b k="v">2</b><c><a>1</a></c></o>'],
    [INLINE(N), '<o><a>1</a><b k="v">2</b><c><n/></c></o>'],
    [INLINE('plain'), '<o><a>1</a><b k="v">2</b><c>plain</c></o>'],
    [INLINE('<n xmlns="" x="{//a}">{//b/@k}</n>'), '<o><a>1</a><b k="v">2</b><c><n x="1">v</n></c></o>'],
  ])('%s as a child', (source, expected) => {
    expect(xmlAfter(source, AT('//c', 'child'))).toBe(expected);
  });

  it.each([
    ['an element', element('<e>1</e>'), '<c><e>1</e></c>'],
    ['a list of elements', [element('<e/>'), element('<f/>')], '<c><e/><f/></c>'],
    ['text', 'some text', '<c>some text</c>'],
    ['JSON', new JsonValue('{"a":1}'), '<c>{"a":1}</c>'],
  ] as Array<[string, PropertyValue, string]>)('a property that holds %s', (_, value, expected) => {
    expect(xmlAfter(FROM_PROPERTY, AT('//c', 'child'), withProperty(value))).toContain(expected);
  });

  it('body and envelope go into properties', () => {
    expect(serializeXml(enriched('<source type="body"/>', TO_PROPERTY).properties.get('p') as XmlElement)).toBe(XML);
    const envelope = enriched('<source type="envelope"/>', TO_PROPERTY).properties.get('p') as XmlElement;
    expect(envelope.localName).toBe('Envelope');
  });

  it('an entry, XML or text', () => {
    const localEntry = {
      x: { key: 'x', text: '<e/>', xml: element('<e/>') },
      t: { key: 't', text: '<f/>', xml: undefined },
    };
    const configuration = new FakeConfiguration({ localEntry });
    for (const [key, expected] of [
      ['x', '<e/>'],
      ['t', '<f/>'],
    ]) {
      const request = message({ body: XML, configuration });
      expect(xmlAfter(`<source type="inline" key="${key}"/>`, TO_BODY, request)).toBe(expected);
    }
  });

  it('what is not there is an error in the log, and nothing changes', async () => {
    for (const source of [CUSTOM('//gone'), FROM_PROPERTY, '<source type="inline" key="gone"/>']) {
      const request = xmlMessage();
      const errors = await errorsOf(() => enriched(source, AT('//c'), request));
      expect(errors.at(-1)).toBe('Cannot Enrich message from an empty source.');
      expect(body(request)).toBe(XML);
    }
    expect(await errorsOf(() => enriched(CUSTOM('//gone'), AT('//c')))).toContain(
      'Specified node by xpath cannot be found.',
    );
    const typed = withProperty(new TypedNumber('INTEGER', 1));
    expect(await errorsOf(() => enriched(FROM_PROPERTY, AT('//c'), typed))).toContain('Invalid source property type.');
  });

  it('a configured element is copied for every message', () => {
    const flow = sequence(`<enrich>${INLINE(N)}${TO_BODY}</enrich>`);
    const requests = [xmlMessage(), xmlMessage()];
    for (const request of requests) expect(flow.mediate(request)).toBe(true);
    expect(requests.map(bodyContent)).toEqual(['<n/>', '<n/>']);
  });
});

describe('XML: where it goes', () => {
  const TWO = CUSTOM('//a | //b');

  it.each([
    [INLINE(N), AT('//b'), '<o><a>1</a><n/><c/></o>'],
    [TWO, AT('//c'), '<o><a>1</a><b k="v">2</b><a>1</a><b k="v">2</b></o>'],
    [TWO, AT('//a', 'sibling'), '<o><a>1</a><a>1</a><b k="v">2</b><b k="v">2</b><c/></o>'],
    [INLINE('new'), AT('//b'), '<o><a>1</a><b k="v">new</b><c/></o>'],
    [INLINE('new'), AT('//b/text()'), '<o><a>1</a><b k="v">new</b><c/></o>'],
    [INLINE(N), AT('//b/text()'), '<o><a>1</a><b k="v"><n/></b><c/></o>'],
    [INLINE('new'), AT('//b/@k'), '<o><a>1</a><b k="new">2</b><c/></o>'],
    [INLINE(N), AT('//a | //b'), '<o><n/><b k="v">2</b><c/></o>'],
    [CUSTOM('//c', 'clone="false"'), AT('//a', 'sibling'), '<o><a>1</a><c/><b k="v">2</b></o>'],
  ])('%s to %s', (source, target, expected) => {
    expect(xmlAfter(source, target)).toBe(expected);
  });

  it('nowhere is a fault', () => {
    expect(() => enriched(INLINE(N), AT('//gone'))).toThrow('Invalid Target object to be enrich.');
    expect(() => enriched(INLINE(N), AT("'text'"))).toThrow('Invalid Target object to be enrich.');
    expect(() => enriched(INLINE(N), AT('//b/@k'))).toThrow('Invalid Target object to be enrich.');
  });

  it('the SOAP header gets header blocks', () => {
    const soap =
      '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header/><s:Body><a/></s:Body></s:Envelope>';
    const request = message({ body: soap, contentType: 'text/xml', soapAction: true });
    enriched(INLINE('<n:h xmlns:n="urn:n"/>'), AT('$header', 'child'), request);
    expect(request.payload.header()?.firstChild?.nodeName).toBe('n:h');
  });

  it.each([
    ['replace', '<n/>'],
    ['child', '<o><a>1</a><b k="v">2</b><c/><n/></o>'],
    ['sibling', '<o><a>1</a><b k="v">2</b><c/></o><n/>'],
  ])('the body, %s', (action, expected) => {
    expect(bodyContent(enriched(INLINE(N), `<target type="body" action="${action}"/>`))).toBe(expected);
  });

  it('an empty body gets elements, but no text', async () => {
    const request = message();
    request.axis2.set('NO_ENTITY_BODY', true);
    expect(bodyContent(enriched(INLINE(N), TO_BODY, request))).toBe('<n/>');
    expect(request.axis2.has('NO_ENTITY_BODY')).toBe(false);
    const errors = await errorsOf(() => enriched(INLINE('text'), TO_BODY, message()));
    expect(errors).toEqual(['Invalid Object type to be inserted into message body']);
  });

  it('the body becomes JSON with text that is a JSON object or array', () => {
    const request = enriched(INLINE('{"a":[1]}'), TO_BODY);
    expect(request.payload.json()).toBe('{"a":[1]}');
    expect(xmlAfter(INLINE('not json'), TO_BODY)).toBe('<o>not json</o>');
  });

  it('the envelope is replaced by an envelope only', () => {
    const soap = (content: string) =>
      `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>${content}</s:Body></s:Envelope>`;
    const request = enriched(INLINE(soap(N)), '<target type="envelope"/>');
    expect(bodyContent(request)).toBe('<n/>');
    expect(request.payload.soapVersion).toBe('1.2');
    const kept = withProperty(element(soap('<k/>')));
    expect(bodyContent(enriched(FROM_PROPERTY, '<target type="envelope"/>', kept))).toBe('<k/>');
    expect(() => enriched(INLINE(N), '<target type="envelope"/>')).toThrow('A SOAPEnvelope is expected');
  });

  it('does not change the messageType', () => {
    const request = jsonMessage();
    request.axis2.set('messageType', 'application/json');
    enriched(INLINE(N), TO_BODY, request);
    expect(request.axis2.get('messageType')).toBe('application/json');
    expect(request.payload.jsonText()).toBe('{"n":null}');
  });

  it('a property gets an element, a list, or text (MREQ-34)', () => {
    const one = enriched(CUSTOM('//a'), TO_PROPERTY).properties.get('p') as XmlElement;
    expect(serializeXml(one)).toBe('<a>1</a>');
    const two = enriched(TWO, TO_PROPERTY).properties.get('p') as XmlElement[];
    expect(two.map((item) => serializeXml(item))).toEqual(['<a>1</a>', '<b k="v">2</b>']);
    expect(enriched(CUSTOM('//a/text()'), TO_PROPERTY).properties.get('p')).toBe('1');
  });

  it('a property that is XML gets a child', () => {
    const child = '<target type="property" property="p" action="child"/>';
    for (const value of [element('<p><x/></p>'), '<p><x/></p>']) {
      const after = enriched(INLINE(N), child, withProperty(value)).properties.get('p') as XmlElement;
      expect(serializeXml(after).replace(' xmlns=""', '')).toBe('<p><x/><n/></p>');
    }
  });

  it("an expression get-property('scope', 'name') is the property", () => {
    const request = enriched(CUSTOM('//a'), AT("get-property('p')"));
    expect(serializeXml(request.properties.get('p') as XmlElement)).toBe('<a>1</a>');
    enriched(CUSTOM('//a/text()'), AT("get-property('axis2', 'q')"), request);
    expect(request.axis2.get('q')).toBe('1');
    enriched(CUSTOM("'t'"), AT("synapse:get-property('operation', 'r')"), request);
    expect(request.operation.get('r')).toBe('t');
    enriched(CUSTOM('//c'), AT("get-property('p')", 'child'), request);
    expect(serializeXml(request.properties.get('p') as XmlElement)).toBe('<a>1<c/></a>');
  });

  it('a copy is stored: what happens to the message later does not change it', () => {
    const request = enriched(CUSTOM('//a'), TO_PROPERTY);
    enriched(INLINE('changed'), AT('//a'), request);
    expect(serializeXml(request.properties.get('p') as XmlElement)).toBe('<a>1</a>');
  });
});

describe('XML: remove', () => {
  it('what an expression selects', () => {
    expect(xmlAfter(CUSTOM('//a | //b'), '<target type="body" action="remove"/>')).toBe('<o><c/></o>');
    expect(xmlAfter(CUSTOM('//b/@k'), '<target action="remove"/>')).toBe('<o><a>1</a><b>2</b><c/></o>');
  });

  it('from a property', () => {
    const request = withProperty(element('<p><x/><y/></p>'));
    enriched(CUSTOM('$ctx:p//x'), '<target type="property" property="p" action="remove"/>', request);
    expect(serializeXml(request.properties.get('p') as XmlElement)).toBe('<p><y/></p>');
    expect(request.payload.kind).toBe('unread');
  });

  it('nothing is an error in the log', async () => {
    const errors = await errorsOf(() => enriched(CUSTOM('//gone'), '<target type="body" action="remove"/>'));
    expect(errors).toEqual(['Specified node by xpath cannot be found.']);
  });
});

describe('JSON: where it comes from', () => {
  const TARGET = AT('json-eval($.a)');

  it.each([
    [CUSTOM('json-eval($.o)'), '{"a":{"k":"x"},"o":{"k":"x"},"list":[{"id":1},{"id":2}],"s":"text"}'],
    [CUSTOM('json-eval($.list[*].id)'), '{"a":[1,2],"o":{"k":"x"},"list":[{"id":1},{"id":2}],"s":"text"}'],
    [CUSTOM('json-eval($.o.k)', 'clone="false"'), '{"a":"x","o":{},"list":[{"id":1},{"id":2}],"s":"text"}'],
    [INLINE('{"n":[1,null]}'), '{"a":{"n":[1,null]},"o":{"k":"x"},"list":[{"id":1},{"id":2}],"s":"text"}'],
    [INLINE('true'), '{"a":true,"o":{"k":"x"},"list":[{"id":1},{"id":2}],"s":"text"}'],
    [CUSTOM('$' + '{payload.o.k}'), '{"a":"x","o":{"k":"x"},"list":[{"id":1},{"id":2}],"s":"text"}'],
  ])('%s', (source, expected) => {
    expect(jsonAfter(source, TARGET)).toBe(expected);
  });

  it('the body', () => {
    expect(jsonAfter('<source type="body"/>', TO_PROPERTY, jsonMessage('{"a":1}'))).toBe('{"a":1}');
    expect(enriched('<source type="body"/>', TO_PROPERTY, jsonMessage('{"a": 1}')).properties.get('p')).toBe('{"a":1}');
  });

  it.each([
    ['{"n":1}', '{"a":{"n":1}}'],
    ['plain', '{"a":"plain"}'],
    [new JsonValue('[1]'), '{"a":[1]}'],
    [new TypedNumber('INTEGER', 5), '{"a":5}'],
    [true, '{"a":true}'],
  ] as Array<[PropertyValue, string]>)('a property %s', (value, expected) => {
    expect(jsonAfter(FROM_PROPERTY, TARGET, withProperty(value, jsonMessage('{"a":0}')))).toBe(expected);
  });

  it('a property that is XML makes it XML', () => {
    const request = withProperty(element('<e>1</e>'), jsonMessage('{"a":0}'));
    enriched(FROM_PROPERTY, TO_BODY, request);
    expect(request.payload.json()).toBeUndefined();
    expect(body(request)).toBe('<e>1</e>');
  });

  it('an inline text with placeholders', () => {
    const request = jsonMessage('{"a":0,"s":"te\\"xt","o":{"k":[1]}}');
    request.properties.set('n', 'name');
    const text =
      '{"s":{json-eval($.s)},"q":"{json-eval($.s)}","o":{json-eval($.o)},"n":"{$ctx:n}","e":{json-eval($.gone)},"x":{}}';
    expect(jsonAfter(INLINE(text), TO_BODY, request)).toBe(
      '{"s":"te\\"xt","q":"te\\"xt","o":{"k":[1]},"n":"name","e":"","x":{}}',
    );
  });

  it('nowhere is a fault', () => {
    expect(() => jsonAfter(CUSTOM('json-eval($.gone)'), TARGET)).toThrow('Failed to enrich the JSON payload');
    expect(() => jsonAfter(FROM_PROPERTY, TARGET)).toThrow('Failed to get the source for Enriching : ');
  });
});

describe('JSON: where it goes', () => {
  it.each([
    [AT('json-eval($.o.k)'), '{"o":{"k":9}}'],
    [AT('json-eval(o.k)'), '{"o":{"k":9}}'],
    [AT('json-eval($.o.new)'), '{"o":{"k":1,"new":9}}'],
    [AT("json-eval($['o'])"), '{"o":9}'],
    [AT('$' + '{payload.o.k}'), '{"o":{"k":9}}'],
  ])('%s', (target, expected) => {
    expect(jsonAfter(INLINE('9'), target, jsonMessage('{"o":{"k":1}}'))).toBe(expected);
  });

  it('all places of an indefinite path', () => {
    expect(jsonAfter(INLINE('9'), AT('json-eval($..id)'), jsonMessage('[{"id":true},{"id":true,"x":true}]'))).toBe(
      '[{"id":9},{"id":9,"x":true}]',
    );
  });

  it.each(['json-eval($.gone.k)', 'json-eval($.list[5])', 'json-eval($.a.b)'])('%s is a fault', (path) => {
    expect(() => jsonAfter(INLINE('9'), AT(path))).toThrow(`Failed to enrich the JSON payload: No results for path`);
  });

  it('child appends to arrays and merges objects', () => {
    expect(jsonAfter(INLINE('{"id":3}'), AT('json-eval($.list)', 'child'), jsonMessage('{"list":[1]}'))).toBe(
      '{"list":[1,{"id":3}]}',
    );
    expect(jsonAfter(INLINE('{"k":2,"l":3}'), AT('json-eval($.o)', 'child'), jsonMessage('{"o":{"k":1,"z":0}}'))).toBe(
      '{"o":{"k":2,"z":0,"l":3}}',
    );
    expect(jsonAfter(INLINE('{"k":2}'), AT('json-eval($)', 'child'), jsonMessage('{"o":1}'))).toBe('{"o":1,"k":2}');
  });

  it.each([
    [INLINE('1'), AT('json-eval($.o)', 'child'), 'Cannot add a child that is a number to a target that is an object'],
    [INLINE('1'), AT('json-eval($.o)', 'sibling'), 'Action sibling is not supported. Please use child action instead'],
    [INLINE('"x"'), TO_BODY, 'Unsupported JSON payload : "x".Only JSON arrays and objects can be enriched to the body'],
    [
      INLINE('{}'),
      '<target type="body" action="child"/>',
      'Action child is not supported for a JSON body. Please use replace action instead',
    ],
    [
      INLINE('{}'),
      '<target type="property" property="p" action="child"/>',
      'Property p holds no JSON array to which a child can be added',
    ],
    [
      INLINE('{}'),
      '<target type="property" property="p" action="sibling"/>',
      'Action sibling is not supported. Please use child action instead',
    ],
    [
      INLINE('5'),
      '<target type="key" xpath="json-eval($.o)"/>',
      'A key can only be replaced by a JSON string, not by a number',
    ],
  ])('%s to %s is an error in the log only', async (source, target, expected) => {
    const request = jsonMessage('{"o":{"k":1}}');
    expect(await errorsOf(() => enriched(source, target, request))).toEqual([expected]);
    expect(request.payload.json()).toBe('{"o":{"k":1}}');
    expect(request.properties.has('p')).toBe(false);
  });

  it('of a large value that is none for the body the log shows the beginning only', async () => {
    const request = jsonMessage('{"o":1}');
    request.properties.set('large', new JsonValue(`"${'secret '.repeat(10_000)}"`));
    const [error] = await errorsOf(() => enriched('<source type="property" property="large"/>', TO_BODY, request));
    expect(error).toMatch(/^Unsupported JSON payload : "secret .*….Only JSON arrays and objects/);
    expect(error?.length).toBeLessThan(400);
  });

  it('the body', () => {
    const request = jsonMessage();
    request.axis2.set('messageType', 'application/json');
    expect(jsonAfter(CUSTOM('json-eval($.list)'), TO_BODY, request)).toBe('[{"id":1},{"id":2}]');
    expect(request.axis2.get('messageType')).toBe('application/json');
  });

  it('a property gets JSON text; an array in it gets a child', () => {
    const request = enriched(CUSTOM('json-eval($.s)'), TO_PROPERTY, jsonMessage());
    expect(request.properties.get('p')).toBe('"text"');
    const list = withProperty('[1]', jsonMessage());
    enriched(CUSTOM('json-eval($.o)'), '<target type="property" property="p" action="child"/>', list);
    expect(list.properties.get('p')).toBe('[1,{"k":"x"}]');
  });

  it('a key is renamed and moves to the end', () => {
    const target = '<target type="key" xpath="json-eval($.o.a)"/>';
    expect(jsonAfter(INLINE('"z"'), target, jsonMessage('{"o":{"a":1,"b":2}}'))).toBe('{"o":{"b":2,"z":1}}');
  });

  it('numbers keep their digits', () => {
    expect(
      jsonAfter(INLINE('1'), AT('json-eval($.a)'), jsonMessage('{"a":0,"n":1.50,"big":12345678901234567890}')),
    ).toBe('{"a":1,"n":1.50,"big":12345678901234567890}');
  });

  it('paths with placeholders are made for every message', () => {
    const flow = sequence(`<enrich>${INLINE('9')}<target xpath="json-eval($.list[{$ctx:i}].id)"/></enrich>`);
    const results = ['0', '1'].map((index) => {
      const request = jsonMessage('{"list":[{"id":1},{"id":2}]}');
      request.properties.set('i', index);
      expect(flow.mediate(request)).toBe(true);
      return request.payload.json();
    });
    expect(results).toEqual(['{"list":[{"id":9},{"id":2}]}', '{"list":[{"id":1},{"id":9}]}']);
  });
});

describe('JSON: remove', () => {
  const FROM_BODY = '<target type="body" action="remove"/>';

  it.each([
    ['json-eval($.a)', '{"o":{"k":"x"},"list":[{"id":1},{"id":2}],"s":"text"}'],
    ['json-eval($.a,$.s, $.list[0])', '{"o":{"k":"x"},"list":[{"id":2}]}'],
    ["json-eval($.list[?(@.id==2)],$['o','s'])", '{"a":1,"list":[{"id":1}]}'],
    ['json-eval($..id)', '{"a":1,"o":{"k":"x"},"list":[{},{}],"s":"text"}'],
    ['json-eval($..gone)', '{"a":1,"o":{"k":"x"},"list":[{"id":1},{"id":2}],"s":"text"}'],
  ])('%s', (paths, expected) => {
    expect(jsonAfter(CUSTOM(paths), FROM_BODY)).toBe(expected);
  });

  it('all', () => {
    expect(enriched(CUSTOM('json-eval($)'), FROM_BODY, jsonMessage()).payload.isEmpty).toBe(true);
  });

  it('from a property', () => {
    const target = '<target type="property" property="p" action="remove"/>';
    const request = withProperty('{"a":1,"b":2}', jsonMessage());
    enriched(CUSTOM('json-eval($.a)'), target, request);
    expect(request.properties.get('p')).toBe('{"b":2}');
    enriched(CUSTOM('json-eval($)'), target, request);
    expect(request.properties.get('p')).toBe('');
  });

  it('what is not there is a fault for a definite path', () => {
    expect(() => jsonAfter(CUSTOM('json-eval($.gone)'), FROM_BODY)).toThrow('Failed to enrich the JSON payload');
  });
});

describe('an XML payload with JSON paths is seen as XML', () => {
  it('as a source; as a target it leads nowhere', () => {
    expect(xmlAfter(CUSTOM('json-eval($.o.a)'), AT('//c'))).toBe('<o><a>1</a><b k="v">2</b><c>1</c></o>');
    expect(() => enriched(INLINE('1'), AT('json-eval($.o.a)'))).toThrow('Invalid Target object to be enrich.');
  });
});

describe('what is wrong is told', () => {
  it.each([
    ['', TO_BODY, 'source element is mandatory'],
    [INLINE(N), '', 'target element is mandatory'],
    ['<source type="all"/>', TO_BODY, 'Unexpected source type'],
    [INLINE(N), '<target type="all"/>', 'Unexpected target type'],
    [INLINE(N), '<target type="body" action="add"/>', 'Unexpected target action'],
    ['<source type="envelope"/>', AT('//a'), 'Wrong combination of source and target type'],
    ['<source type="envelope"/>', '<target type="envelope"/>', 'Wrong combination of source and target type'],
    ['<source type="envelope"/>', TO_BODY, 'Wrong combination of source and target type'],
    ['<source type="body"/>', '<target type="envelope"/>', 'Wrong combination of source and target type'],
    ['<source type="body"/>', TO_BODY, 'Wrong combination of source and target type'],
    [CUSTOM('//a'), '<target type="envelope"/>', 'Wrong combination of source and target type'],
    [INLINE(N), '<target type="body" action="remove"/>', 'Wrong combination of source type and target action'],
    [CUSTOM('//a'), '<target type="custom" action="remove"/>', 'Wrong combination of target type and target action'],
    [CUSTOM('//a'), '<target type="envelope" action="remove"/>', 'Wrong combination of target type and target action'],
    [CUSTOM('//a'), '<target type="inline" action="remove"/>', 'Wrong combination of target type and target action'],
    [
      '<source type="body"/>',
      '<target type="key" xpath="json-eval($.a)"/>',
      'Wrong combination of source type and target type',
    ],
    [
      INLINE('a'),
      '<target type="key" action="child" xpath="json-eval($.a)"/>',
      'Wrong combination of target type and target action',
    ],
    [INLINE(N), '<target type="envelope" action="child"/>', 'Invalid target action'],
    ['<source/>', TO_BODY, 'xpath attribute is required for CUSTOM type'],
    [INLINE(N), '<target/>', 'xpath attribute is required for CUSTOM type'],
    ['<source type="property"/>', TO_BODY, 'xpath attribute is required for CUSTOM type'],
    [INLINE(N), '<target type="property"/>', 'xpath attribute is required for CUSTOM type'],
    ['<source/>', '<target type="body" action="remove"/>', 'xpath attribute is required for CUSTOM type'],
    [CUSTOM('//a'), '<target type="property" action="remove"/>', 'xpath attribute is required for CUSTOM type'],
    ['<source type="inline"/>', TO_BODY, 'XML element is required for INLINE type'],
    [
      INLINE('1'),
      AT('json-eval($)'),
      'Acting replace is not supported for root path in type custom. Please use type body action replace instead',
    ],
    [INLINE('a'), '<target type="key"/>', "Xpath must be defined for the target type 'key'."],
    [INLINE('a'), '<target type="key" xpath="//a"/>', "Xpath must be defined for the target type 'key'."],
  ])('%s %s', (source, target, expected) => {
    expect(problemLines(`<enrich>${source}${target}</enrich>`)).toEqual([`error: ${expected}`]);
  });

  it('expressions that do not compile, with their place', () => {
    const wrong = problems(`<enrich>\n<source\n xpath="//["/><target\n xpath="json-eval($[)"/></enrich>`);
    expect(wrong.map(({ severity, position }) => [severity, position.line])).toEqual([['error', 4]]);
    expect(problems(`<enrich>\n<source\n xpath="//["/>${TO_BODY}</enrich>`)).toMatchObject([{ position: { line: 3 } }]);
    expect(problemLines(`<enrich>${CUSTOM('json-eval($.a,$[)')}<target action="remove"/></enrich>`)).toHaveLength(1);
  });

  it('a placeholder that does not compile is text', () => {
    expect(problemLines(`<enrich>${INLINE('{a:b::c}')}${TO_BODY}</enrich>`)[0]).toContain(
      'warning: {a:b::c} is taken for text',
    );
  });
});
