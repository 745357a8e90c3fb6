import { afterEach, describe, expect, it } from 'vitest';
import { jsonText, jsonTexts } from '../../src/expressions/json-text.ts';
import { type JsonNode, parseJson, parseLenientJson } from '../../src/message/json.ts';
import { jsonToXml } from '../../src/message/json-xml.ts';
import { limitXml } from '../../src/xml/index.ts';

it('a JSON object with more @ keys than an element may have attributes becomes elements from there on', () => {
  const members = Object.fromEntries(Array.from({ length: 1_100 }, (_, index) => [`@a${index}`, index]));
  const root = jsonToXml(JSON.stringify({ r: members }));
  const owner = [root, ...root.childNodes].find((node) => 'attributes' in node && node.attributes.length > 0);
  expect(owner && 'attributes' in owner && owner.attributes.length).toBe(1_024);
});

describe('OP-91: values of a JSON document are bounded as nodes of an XML document are', () => {
  afterEach(() => limitXml({}));

  it.each([parseJson, parseLenientJson])('%o refuses one more, wherever it stands', (parse) => {
    limitXml({ maxXmlNodes: 1_000 });
    const full = (more: string) => `[${'{"a":1},'.repeat(499)}1${more}]`;
    expect(parse(full('')).kind).toBe('array');
    for (const more of [',1', ',{}', ',[]', ',"x"', ',null'])
      expect(() => parse(full(more))).toThrow('the JSON document has more than 1000 values');
  });

  it('a value that stands in many places is not written beyond the longest text', () => {
    let node: JsonNode = { kind: 'string', value: 'x'.repeat(1_000) };
    for (let level = 0; level < 40; level += 1) node = { kind: 'array', items: [node, node] };
    expect(() => jsonText(node)).toThrow('the JSON text has more than 33554432 characters');
    const half: JsonNode = { kind: 'string', value: 'x'.repeat(20_000_000) };
    expect(() => jsonTexts([half, half])).toThrow('more than 33554432 characters in all');
    expect(
      jsonTexts([
        { kind: 'array', items: [] },
        { kind: 'object', members: [] },
      ]),
    ).toEqual(['[]', '{}']);
  });
});
