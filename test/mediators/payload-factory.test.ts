import { describe, expect, it } from 'vitest';
import type { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { limitXml, parseXml, serializeXml, type XmlElement } from '../../src/xml/index.ts';
import { FakeConfiguration, message, problemLines, problems, sequence } from '../mediation/harness.ts';

const XML = '<o xmlns=""><id>7</id><q>a &lt; "b"</q><x>1</x><x>2</x></o>';
const JSON_BODY = '{"n":1.50,"s":"say \\"hi\\"","o":{"k":[1,"x"]},"list":[{"a":1},{"a":2}],"t":true,"z":null}';

const xmlMessage = () => message({ body: XML });
const jsonMessage = () => message({ body: JSON_BODY, contentType: 'application/json' });

function made(media: string, format: string, args = '', request = xmlMessage()): MessageContext {
  const factory = `<payloadFactory media-type="${media}"><format>${format}</format><args>${args}</args></payloadFactory>`;
  expect(sequence(factory).mediate(request)).toBe(true);
  return request;
}

const body = ({ payload }: MessageContext) => serializeXml(payload.firstBodyChild() as XmlElement);
const xmlOf = (format: string, args = '', request?: MessageContext) => body(made('xml', format, args, request));
const jsonOf = (format: string, args = '', request?: MessageContext) =>
  made('json', format, args, request).payload.json();
const textFrom = (format: string, args = '', request?: MessageContext) =>
  made('text', format, args, request).payload.text();

const VALUE = (value: string) => `<arg value="${value}"/>`;
const XPATH = (path: string, more = '') => `<arg expression="${path}" ${more}/>`;
const PATH = (path: string, more = '') => `<arg evaluator="json" expression="${path}" ${more}/>`;

describe('XML', () => {
  it('takes text escaped, and XML as it is', () => {
    expect(xmlOf('<r xmlns="">$1</r>', XPATH('//id'))).toBe('<r xmlns="">7</r>');
    expect(xmlOf('<r xmlns="" a="$1">$1</r>', XPATH('//q'))).toBe(
      '<r xmlns="" a="a &lt; &quot;b&quot;">a &lt; "b"</r>',
    );
    expect(xmlOf('<r xmlns="">$1</r>', VALUE('a &amp; &lt;b'))).toBe('<r xmlns="">a &amp; &lt;b</r>');
    expect(xmlOf('<r xmlns="">$1</r>', VALUE('&lt;b&gt;1&lt;/b&gt;'))).toBe('<r xmlns=""><b>1</b></r>');
    expect(xmlOf('<r xmlns="">$1</r>', XPATH('//x'))).toBe('<r xmlns=""><x>1</x><x>2</x></r>');
    expect(xmlOf('<r xmlns="">$1</r>', XPATH('$ctx:gone'))).toBe('<r xmlns=""/>');
  });

  it('takes JSON as XML, of an object or array only what is inside', () => {
    expect(xmlOf('<r xmlns="">$1</r>', PATH('$.o'), jsonMessage())).toBe('<r xmlns=""><k>1</k><k>x</k></r>');
    expect(xmlOf('<r xmlns="">$1</r>', PATH('$.list'), jsonMessage())).toBe(
      '<r xmlns=""><jsonElement><a>1</a></jsonElement><jsonElement><a>2</a></jsonElement></r>',
    );
    expect(xmlOf('<r xmlns="">$1</r>', PATH('$.s'), jsonMessage())).toBe('<r xmlns="">say "hi"</r>');
  });

  it('drops white space between elements of the template, not inside of text', () => {
    expect(xmlOf('\n <r xmlns="">\n  <a> $1 </a>\n <b/>\n</r>\n', VALUE('v'))).toBe('<r xmlns=""><a> v </a><b/></r>');
  });

  it('may be given as text', () => {
    expect(xmlOf('<![CDATA[<?xml version="1.0"?><r>$1</r>]]>', VALUE('1'))).toBe('<r>1</r>');
    expect(xmlOf('$1', VALUE('&lt;r/&gt;'))).toBe('<r/>');
  });

  it('of two roots is the first one only (spec mediators 7.6)', () => {
    const request = made('xml', '$1', XPATH('//x'));
    expect(serializeXml(request.payload.body())).toMatch(/<[^>]*Body[^>]*><x>1<\/x><\/[^>]*Body>/);
  });

  it('that is an envelope becomes the envelope; otherwise the header blocks stay', () => {
    const soap = (header: string, content: string) =>
      `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>${header}</s:Header><s:Body>${content}</s:Body></s:Envelope>`;
    const soapMessage = () =>
      message({ body: soap('<h xmlns="urn:h"/>', '<a xmlns=""/>'), contentType: 'text/xml', soapAction: true });
    const kept = made('xml', '<r xmlns=""/>', '', soapMessage());
    expect(kept.payload.header()?.firstChild?.nodeName).toBe('h');
    const replaced = made('xml', soap('', '<r xmlns=""/>'), '', soapMessage());
    expect(replaced.payload.header()?.firstChild).toBeNull();
    expect(body(replaced)).toBe('<r xmlns=""/>');
    const version12 = soap('', '<r xmlns=""/>').replace(
      'http://schemas.xmlsoap.org/soap/envelope/',
      'http://www.w3.org/2003/05/soap-envelope',
    );
    expect(made('xml', version12, '', soapMessage()).payload.soapVersion).toBe('1.2');
  });

  it('that is none is a fault', () => {
    expect(() => made('xml', 'only text')).toThrow('Generated content is not a valid XML payload');
    expect(() => made('xml', '&lt;a>')).toThrow('Error creating SOAP Envelope from source <a>');
    expect(() => made('xml', '&lt;!DOCTYPE a []>&lt;a/>')).toThrow('Error creating SOAP Envelope from source');
  });
});

it('a payload that is too large says which limit it meets', () => {
  limitXml({ maxXmlNodes: 1_000 });
  try {
    expect(() => made('xml', `<![CDATA[<r>${'<b/>'.repeat(1_000)}</r>]]>`)).toThrow(
      'payloadFactory makes a payload that is too large: the document has more than 1000 nodes',
    );
  } finally {
    limitXml({});
  }
  expect(() => made('xml', `<![CDATA[${'<a>'.repeat(300)}${'</a>'.repeat(300)}]]>`)).toThrow(
    'payloadFactory makes a payload that is too large: elements are nested more than 256 deep',
  );
});

describe('JSON', () => {
  it.each([
    ['{"v":"$1"}', XPATH('//id'), '{"v":"7"}'],
    ['{"v":$1}', XPATH('//id'), '{"v":7}'],
    ['{"v":"$1"}', XPATH('//q'), '{"v":"a < \\"b\\""}'],
    ['{"v":"$1","w":"$2","v2":"$1"}', VALUE('1') + VALUE('2'), '{"v":"1","w":"2","v2":"1"}'],
    ['{"v":"$1"}', VALUE('a\\b&#10;c&#9;'), '{"v":"a\\\\b\\nc\\t"}'],
    ['{"n":$1}', XPATH('/*/*/*/x[1]/..'), '{"n":{"o":{"id":7,"q":"a < \\"b\\"","x":[1,2]}}}'],
    ['{"v":$1}', VALUE('&lt;a&gt;1&lt;/a&gt;'), '{"v":{"a":1}}'],
    ['{"v":$1}', VALUE('{&quot;a&quot;:1}'), '{"v":{"a":1}}'],
    ['{"v":"$1"}', '<arg value="{&quot;a&quot;:1}" literal="true"/>', '{"v":"{\\"a\\":1}"}'],
    ['{"v":"$1"}', XPATH('//x', 'literal="true"'), '{"v":"<x>1</x><x>2</x>"}'],
    ['{"v":"$1"}', XPATH('$ctx:gone'), '{"v":""}'],
    ['{"price":"5$","v":"$1"}', VALUE('1'), '{"price":"5$","v":"1"}'],
    ['\n {"v":1}\n ', '', '{"v":1}'],
  ])('%s with %s', (format, args, expected) => {
    expect(jsonOf(format, args)).toBe(expected);
  });

  it('of a path that selects elements: vector of spec mediators 7.6', () => {
    const request = message({ body: '<o><p><q>1</q></p></o>' });
    expect(jsonOf('{"n":$1}', XPATH('//p'), request)).toBe('{"n":{"p":{"q":1}}}');
  });

  it('values are escaped for JSON, not for XML: vector of spec mediators 7.6, MREQ-29', () => {
    expect(jsonOf('{"n":"$1"}', VALUE('a&amp;b'))).toBe('{"n":"a&b"}');
  });

  it.each([
    ['{"v":$1}', PATH('$.o'), '{"v":{"k":[1,"x"]}}'],
    ['{"v":$1}', PATH('json-eval($.list)'), '{"v":[{"a":1},{"a":2}]}'],
    ['{"v":"$1"}', PATH('$.s'), '{"v":"say \\"hi\\""}'],
    ['{"v":"$1"}', PATH('$.o', 'literal="true"'), '{"v":"{\\"k\\":[1,\\"x\\"]}"}'],
    ['{"v":$1,"w":$2}', PATH('$.t') + PATH('$.z'), '{"v":true,"w":null}'],
    ['{"v":"$1"}', PATH('$.gone'), '{"v":""}'],
    ['{"v":$1}', XPATH('json-eval($.o)'), '{"v":{"k":[1,"x"]}}'],
  ])('%s with %s of JSON', (format, args, expected) => {
    expect(jsonOf(format, args, jsonMessage())).toBe(expected);
  });

  it('with escapeXmlChars line ends inside of texts are escaped', () => {
    const request = message();
    request.payload = Payload.ofJson('{"a":{"t":"1"}}');
    request.properties.set('p', '{"t":"x\ny",\n "u":1}');
    const factory = (more: string) =>
      `<payloadFactory media-type="json" ${more}><format>{"v":$1}</format><args>${PATH('$ctx:p')}</args></payloadFactory>`;
    request.properties.set('p', '{"t":"x\\ny"}');
    expect(sequence(factory('escapeXmlChars="true"')).mediate(request)).toBe(true);
    expect(request.payload.json()).toBe('{"v":{"t":"x\\ny"}}');
  });

  it('with QUOTE_STRING_IN_PAYLOAD_FACTORY_JSON quotes are added around text', () => {
    const request = xmlMessage();
    request.properties.set('QUOTE_STRING_IN_PAYLOAD_FACTORY_JSON', 'true');
    const args = VALUE('text') + VALUE('5') + VALUE('true') + VALUE('null') + VALUE('05') + VALUE('{}');
    expect(jsonOf('[$1,$2,$3,$4,$5,$6]', args, request)).toBe('["text",5,true,null,"05",{}]');
  });

  it('may be empty, and nothing else that is not JSON', () => {
    const empty = made('json', ' ');
    expect(empty.payload.isEmpty).toBe(true);
    expect(() => made('json', 'plain text')).toThrow('Error creating JSON Payload from source plain text');
  });
});

describe('text', () => {
  it('takes everything as it is', () => {
    expect(textFrom(' a $1 b $2 ', XPATH('//q') + XPATH('//x[1]/..'))).toBe(`a a < "b" b ${XML}`);
    expect(textFrom('$1', VALUE('a &amp; &lt;b'))).toBe('a & <b');
    expect(textFrom('$1', PATH('$.o'), jsonMessage())).toBe('{"k":[1,"x"]}');
  });
});

describe(`\${expression}`, () => {
  function prepared(): MessageContext {
    const request = jsonMessage();
    request.variables.set('name', 'a "b" & c');
    request.variables.set('xml', parseXml('<e><f>1</f></e>').documentElement as XmlElement);
    request.variables.set('json', '{"k":1}');
    return request;
  }

  it.each([
    [`{"v":\${payload.n},"t":\${payload.t}}`, '{"v":1.5,"t":true}'],
    [`{"v":\${payload.o}}`, '{"v":{"k":[1,"x"]}}'],
    [`{"v":"\${payload.o}"}`, '{"v":"{\\"k\\":[1,\\"x\\"]}"}'],
    [`{"v":"\${payload.s}"}`, '{"v":"say \\"hi\\""}'],
    [`{"v":"\${vars.name}"}`, '{"v":"a \\"b\\" & c"}'],
    [`{"v":"x \${vars.name} y"}`, '{"v":"x a \\"b\\" & c y"}'],
    [`{"v":\${vars.json}}`, '{"v":{"k":1}}'],
    [`{"v":\${vars.xml}}`, '{"v":{"e":{"f":1}}}'],
    [`{"v":"\${vars.gone}"}`, '{"v":""}'],
  ])('in JSON: %s', (format, expected) => {
    expect(jsonOf(format, '', prepared())).toBe(expected);
  });

  it.each([
    [`<r xmlns="">\${payload.n}</r>`, '<r xmlns="">1.5</r>'],
    [`<r xmlns="">\${payload.o}</r>`, '<r xmlns=""><k>1</k><k>x</k></r>'],
    [`<r xmlns="">\${vars.name}</r>`, '<r xmlns="">a "b" &amp; c</r>'],
    [`<r xmlns="" a="\${vars.name}"/>`, '<r xmlns="" a="a &quot;b&quot; &amp; c"/>'],
    [`<r xmlns="">\${vars.xml}</r>`, '<r xmlns=""><e><f>1</f></e></r>'],
    [`<r xmlns=''>\${(payload.n &lt; 2) ? 'less' : 'more'}</r>`, '<r xmlns="">less</r>'],
  ])('in XML: %s', (format, expected) => {
    expect(xmlOf(format, '', prepared())).toBe(expected);
  });

  it('in text', () => {
    expect(textFrom(`\${vars.name}, \${payload.o}, "\${vars.xml}"`, '', prepared())).toBe(
      'a "b" & c, {"k":[1,"x"]}, "<e><f>1</f></e>"',
    );
  });

  it('and $N may stand together; a lone quote mark belongs to the text', () => {
    expect(textFrom(`"\${payload.n} $1`, VALUE('v'), prepared())).toBe('"1.5 v');
  });

  it('may be an argument, too (MREQ-12)', () => {
    expect(jsonOf('{"v":$1,"w":"$2"}', XPATH(`\${payload.o}`) + XPATH(`\${vars.name}`), prepared())).toBe(
      '{"v":{"k":[1,"x"]},"w":"a \\"b\\" & c"}',
    );
  });

  it('that is wrong is told at deployment', () => {
    const factory = `<payloadFactory media-type="json">\n<format>{"v":\${payload.}}</format></payloadFactory>`;
    const [problem] = problems(factory);
    expect(problem?.message.startsWith('Invalid Payload format : ')).toBe(true);
    expect(problem?.position.line).toBe(2);
  });
});

describe('the type of the message', () => {
  it.each([
    ['json', '{}', 'application/xml', 'application/json'],
    ['text', 'x', 'application/json', 'text/plain'],
    ['xml', '<r/>', 'application/json', 'application/xml'],
    ['xml', '<r/>', undefined, 'application/xml'],
    ['xml', '<r/>', 'text/xml', 'text/xml'],
    ['xml', '<r/>', 'application/soap+xml; charset=UTF-8', 'application/soap+xml; charset=UTF-8'],
    ['xml', '<r/>', 'application/xml', 'application/xml'],
  ])('%s %s on a message of type %s: %s', (media, format, before, after) => {
    const request = xmlMessage();
    if (before) request.axis2.set('messageType', before);
    request.axis2.set('NO_ENTITY_BODY', true);
    made(media, format, '', request);
    expect(request.axis2.get('messageType')).toBe(after);
    if (before !== after) {
      expect(request.axis2.get('ContentType')).toBe(after);
      expect(request.headers.get('Content-Type')).toBe(after);
    }
    expect(request.axis2.has('NO_ENTITY_BODY')).toBe(false);
  });
});

describe('a template by key', () => {
  const entry = (key: string, text: string, xml?: XmlElement) => ({ key, text, xml });

  function byKey(key: string, media: string, entries: Record<string, ReturnType<typeof entry>>, registry = {}) {
    const configuration = new FakeConfiguration({ localEntry: entries });
    Object.assign(configuration.services, { registry: { text: (name: string) => (registry as never)[name] } });
    const request = message({ body: XML, configuration });
    request.properties.set('which', 'T');
    const factory = `<payloadFactory media-type="${media}"><format key="${key}"/><args>${VALUE('1')}</args></payloadFactory>`;
    expect(sequence(factory).mediate(request)).toBe(true);
    return request;
  }

  it('is a local entry, text or XML, or a resource of the registry', () => {
    expect(byKey('T', 'json', { T: entry('T', ' {"v":$1} ') }).payload.json()).toBe('{"v":1}');
    const xml = parseXml('<r>\n <a>$1</a> </r>').documentElement as XmlElement;
    expect(body(byKey('T', 'xml', { T: entry('T', serializeXml(xml), xml) }))).toBe('<r><a>1</a></r>');
    expect(byKey('{$ctx:which}', 'text', { T: entry('T', 'v $1') }).payload.text()).toBe('v 1');
    expect(byKey('conf:/t.json', 'json', {}, { 'conf:/t.json': '{"r":$1}' }).payload.json()).toBe('{"r":1}');
  });

  it('that is not there, or is wrong, is a fault', () => {
    expect(() => byKey('gone', 'json', {})).toThrow('Key gone not found ');
    expect(() => byKey('T', 'json', { T: entry('T', `{"v":\${payload.}}`) })).toThrow('Invalid Payload format : ');
  });

  it('is read again when the entry has changed', () => {
    const factory = sequence('<payloadFactory media-type="text"><format key="T"/></payloadFactory>');
    const results = ['one', 'two'].map((text) => {
      const request = message({ configuration: new FakeConfiguration({ localEntry: { T: entry('T', text) } }) });
      expect(factory.mediate(request)).toBe(true);
      return request.payload.text();
    });
    expect(results).toEqual(['one', 'two']);
  });
});

describe('an argument that there is not', () => {
  it.each(['$2', '$0', '$10'])('%s is a fault which names it, and a warning at deployment (MREQ-9)', (place) => {
    expect(() => made('json', `{"v":"${place}"}`, VALUE('1'))).toThrow(
      `payloadFactory: no argument for ${place} (1 arguments defined)`,
    );
    const factory = `<payloadFactory media-type="json"><format>{"v":"${place}"}</format><args>${VALUE('1')}</args></payloadFactory>`;
    expect(problemLines(factory)).toEqual([`warning: there is no argument for ${place}: every message will fail`]);
  });
});

describe('what is wrong is told', () => {
  const factory = (inside: string, attributes = '') => `<payloadFactory ${attributes}>${inside}</payloadFactory>`;
  const FORMAT = '<format>x</format>';

  it.each([
    [factory(''), 'format element of payloadFactoryMediator is required'],
    [factory(`${FORMAT}<args><arg/></args>`), 'Unsupported arg type. value or expression attribute required'],
    [factory(`${FORMAT}<args><arg expression=" "/></args>`), 'Attribute value for xpath cannot be empty'],
    [
      factory(FORMAT, 'template-type="FreeMarker"'),
      'FreeMarker templates of <payloadFactory> are not supported: FreeMarker is a Java library',
    ],
  ])('%s', (xml, expected) => {
    expect(problemLines(xml)).toEqual([`error: ${expected}`]);
  });

  it.each([
    [factory(FORMAT, 'media-type="XML"'), "attribute 'media-type' of <payloadFactory>: 'XML' is not allowed"],
    [
      factory(`${FORMAT}<args><arg expression="//["/></args>`),
      'Invalid XPath expression for attribute expression : //[',
    ],
    [
      factory(`${FORMAT}<args><arg evaluator="json" expression="$["/></args>`),
      'Invalid XPath expression for attribute expression : $[',
    ],
  ])('%s', (xml, expected) => {
    expect(problemLines(xml)[0]?.startsWith(`error: ${expected}`)).toBe(true);
  });
});
