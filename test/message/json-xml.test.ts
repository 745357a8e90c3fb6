import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cloneWithOrigins,
  jsonToXml,
  keyOfXmlName,
  XmlToJsonError,
  xmlNameOf,
  xmlToJson,
} from '../../src/message/json-xml.ts';
import { newDocument, parseXml, serializeXml, type XmlElement } from '../../src/xml/index.ts';

const element = (text: string) => parseXml(text).documentElement as XmlElement;
/** As XML that comes from elsewhere: nothing is remembered about it. */
const forgotten = (root: XmlElement) => element(serializeXml(root));

describe('JSON to XML (spec mediators 5.3)', () => {
  test.each([
    ['{}', '<jsonObject/>'],
    ['[]', '<jsonArray/>'],
    ['{"a":1}', '<jsonObject><a>1</a></jsonObject>'],
    ['{"a":"1"}', '<jsonObject><a>1</a></jsonObject>'],
    ['{"a":null,"b":"","c":{}}', '<jsonObject><a/><b/><c/></jsonObject>'],
    ['{"a":[]}', '<jsonObject/>'],
    ['{"a":[1,2]}', '<jsonObject><a>1</a><a>2</a></jsonObject>'],
    [
      '{"a":[[1,2],[3]]}',
      '<jsonObject><a><jsonArray><jsonElement>1</jsonElement><jsonElement>2</jsonElement></jsonArray></a><a><jsonArray><jsonElement>3</jsonElement></jsonArray></a></jsonObject>',
    ],
    ['[1,{"b":2}]', '<jsonArray><jsonElement>1</jsonElement><jsonElement><b>2</b></jsonElement></jsonArray>'],
    ['{"e":{"@id":7,"$":"t"}}', '<jsonObject><e id="7">t</e></jsonObject>'],
    [
      '{"1a":1,"$b":2}',
      '<jsonObject><_JsonReader_PD_1a>1</_JsonReader_PD_1a><_JsonReader_PS_b>2</_JsonReader_PS_b></jsonObject>',
    ],
    ['{"a b":1}', '<jsonObject><a_JsonReader_32_b>1</a_JsonReader_32_b></jsonObject>'],
    ['{"a":1,"a":2}', '<jsonObject><a>1</a><a>2</a></jsonObject>'],
    ['{"n":1.50,"m":1E3}', '<jsonObject><n>1.50</n><m>1E3</m></jsonObject>'],
    ['"text"', '<jsonValue>"text"</jsonValue>'],
    ['5', '<jsonValue>5</jsonValue>'],
  ])('%s', (json, xml) => {
    expect(serializeXml(jsonToXml(json))).toBe(xml);
  });
});

describe('XML to JSON (spec mediators 5.4, 7.5; siblings of one name become one list, MREQ-27)', () => {
  test.each([
    ['<a>01</a>', '{"a":"01"}'],
    ['<a>+1</a>', '{"a":"+1"}'],
    ['<a> 1 </a>', '{"a":" 1 "}'],
    ['<a>TRUE</a>', '{"a":"TRUE"}'],
    ['<a>true</a>', '{"a":true}'],
    ['<a>1e5</a>', '{"a":1E+5}'],
    ['<a>-0</a>', '{"a":0}'],
    ['<a>1.0</a>', '{"a":1.0}'],
    ['<a/>', '{"a":null}'],
    ['<a>  </a>', '{"a":null}'],
    ['<a><b>1</b><c/><b>2</b></a>', '{"a":{"b":[1,2],"c":null}}'],
    ['<a><b x="1">t</b></a>', '{"a":{"b":{"@x":"1","$":"t"}}}'],
    ['<a x="1"/>', '{"a":{"@x":"1"}}'],
    ['<n:a xmlns:n="u"><n:b>1</n:b></n:a>', '{"a":{"b":1}}'],
    ['<a><?xml-multiple b?><b>1</b></a>', '{"a":{"b":[1]}}'],
    ['<a><?xml-multiple b?></a>', '{"a":{"b":[]}}'],
    ['<a><?xml-multiple?><b>1</b><c>2</c></a>', '{"a":{"b":[1],"c":2}}'],
    ['<a><![CDATA[1 < 2]]><!-- no --></a>', '{"a":"1 < 2"}'],
    ['<text xmlns="http://ws.apache.org/commons/ns/payload">hello</text>', '{"text":"hello"}'],
    ['<jsonObject/>', '{}'],
    ['<jsonArray/>', '[]'],
    ['<jsonArray><jsonElement>1</jsonElement></jsonArray>', '[1]'],
    ['<jsonValue>"x"</jsonValue>', '"x"'],
    ['<a><jsonObject><b>1</b></jsonObject></a>', '{"a":{"b":1}}'],
    ['<a><jsonElement>1</jsonElement><jsonElement>2</jsonElement></a>', '{"a":[1,2]}'],
    ['<a>\n  <b>1</b>\n</a>', '{"a":{"b":1}}'],
  ])('%s', (xml, json) => {
    expect(xmlToJson(element(xml))).toBe(json);
  });

  test('mixed content has no JSON', () => {
    expect(() => xmlToJson(element('<a>mixed<b/>text</a>'))).toThrow(XmlToJsonError);
    expect(() => xmlToJson(element('<a>mixed<b/>text</a>'))).toThrow(
      'Could not convert OMElement to JSON. Invalid XML payload.',
    );
  });
});

describe('JSON through XML whose origin is forgotten (spec mediators 7.4, with the [I] rows of 5.4)', () => {
  test.each([
    ['{"a":"1"}', '{"a":1}'],
    ['{"a":""}', '{"a":null}'],
    ['{"a":{}}', '{"a":null}'],
    ['{"a":[1]}', '{"a":1}'],
    ['{"a":[1,2]}', '{"a":[1,2]}'],
    ['{"a":{"@id":7,"b":1}}', '{"a":{"@id":"7","b":1}}'],
    ['{"1a":1,"$b":2}', '{"1a":1,"$b":2}'],
    ['{"a":1.50,"b":1E3,"c":-0}', '{"a":1.50,"b":1E+3,"c":0}'],
    ['{"a":[null,1,""]}', '{"a":[null,1,null]}'],
    ['{"jsonObject":{"x":1}}', '{"x":1}'],
    ['{"a":1,"a":2}', '{"a":[1,2]}'],
    ['[null]', '[null]'],
    ['[{}]', '[null]'],
    ['{}', '{}'],
    ['[]', '[]'],
    ['{"a":[]}', '{}'],
    ['[1,[2,3],{"a":[]}]', '[1,[2,3],null]'],
    ['[[1],[2]]', '[[1],[2]]'],
    ['{"a":[[1,2],[3]]}', '{"a":[[1,2],[3]]}'],
  ])('%s gives %s', (json, expected) => {
    expect(xmlToJson(forgotten(jsonToXml(json)))).toBe(expected);
  });
});

describe('JSON through XML that remembers (MREQ-26)', () => {
  /** Keys once, attribute keys before others: what XML can keep in order. */
  const json = fc.letrec<{ value: unknown; object: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string({ unit: 'grapheme', maxLength: 5 }),
      fc.constantFrom('1', 'true', 'null', '', ' ', '1e5', 'a b'),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      tie('object'),
    ),
    object: fc
      .dictionary(
        fc.oneof(
          fc.string({ unit: 'grapheme', maxLength: 4 }),
          fc.constantFrom(
            'a',
            'b',
            '1a',
            '$',
            '$x',
            'jsonObject',
            'jsonArray',
            'jsonElement',
            'xmlns',
            '_JsonReader_',
            '_JsonReader_PD_1',
            '@',
            '#text',
            '__proto__',
          ),
        ),
        tie('value'),
        { maxKeys: 4, noNullPrototype: true },
      )
      .map((object) => Object.fromEntries(Object.entries(object).filter(([key]) => !/^@./.test(key)))),
  }));
  const wellFormed = (text: string) => text.isWellFormed();

  test('comes back as it was', () => {
    fc.assert(
      fc.property(fc.oneof(json.object, fc.array(json.value)), (value) => {
        const text = JSON.stringify(value);
        fc.pre(wellFormed(text));
        expect(JSON.parse(xmlToJson(jsonToXml(text)))).toEqual(JSON.parse(text));
      }),
      { numRuns: 1_000 },
    );
  });

  test('comes back as it was from a copy', () => {
    fc.assert(
      fc.property(json.object, (value) => {
        const text = JSON.stringify(value);
        fc.pre(wellFormed(text));
        const copy = cloneWithOrigins(newDocument(null, 'x'), jsonToXml(text));
        expect(JSON.parse(xmlToJson(copy))).toEqual(JSON.parse(text));
      }),
    );
  });

  test.each([
    '{"a":"1","b":["x"],"c":[],"d":{},"e":"","f":null,"g":[[]],"h":[[1]],"i":1.50,"j":1E3,"k":"true"}',
    '{"a":{"@id":7,"@ok":true,"$":"5"}}',
    '{"a":{"@id":"7"}}',
    '{"a":{"@n":null,"$":""}}',
    '{"a":{"$":"t"}}',
    '{"a":{"$":"t","b":1}}',
    '[[],[[]],[null],{}]',
    '{"c":[],"d":1}',
    '{"a":1,"b":[],"c":2}',
    '-1.50',
    '"x"',
  ])('%s', (text) => {
    expect(xmlToJson(jsonToXml(text))).toBe(text);
  });

  test('an edited value is what its new text looks like; its neighbours stay', () => {
    const root = jsonToXml('{"a":"1","b":"2","c":["x"]}');
    const [first] = Array.from({ length: 1 }, () => root.firstChild as XmlElement);
    if (!first) throw new Error('no element');
    first.textContent = '3';
    expect(xmlToJson(root)).toBe('{"a":3,"b":"2","c":["x"]}');
  });
});

describe('names', () => {
  test('every key has a name of its own', () => {
    const key = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom(
        '_JsonReader_',
        '_JsonReader_36_',
        '_JsonReader_PS_a',
        '_JsonReader_95_JsonReader_36_',
        'xmlns',
        'XMLNSa',
        '1',
        '$',
        '$1',
        '',
      ),
    );
    fc.assert(
      fc.property(key, (text) => {
        const name = xmlNameOf(text);
        expect(keyOfXmlName(name)).toBe(text);
        expect(() => element(`<${name}/>`)).not.toThrow();
      }),
      { numRuns: 1_000 },
    );
  });
});
