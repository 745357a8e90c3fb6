import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prettyJson, prettyXml } from '../../../src/management/operations/pretty.ts';

describe('pretty JSON', () => {
  it('has one member a line, and numbers as they are written', () => {
    expect(prettyJson('{"a":[1.50,1E3,{}],"b":{"c":"x: {y}, \\"z\\""},"d":[]}')).toBe(
      '{\n  "a": [\n    1.50,\n    1E3,\n    {}\n  ],\n  "b": {\n    "c": "x: {y}, \\"z\\""\n  },\n  "d": []\n}',
    );
  });

  it('says the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.parse(prettyJson(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('does not fail on what is no JSON', () => {
    fc.assert(fc.property(fc.string(), (text) => typeof prettyJson(text) === 'string'));
  });
});

describe('pretty XML', () => {
  it('has one element a line, and elements with text as they are', () => {
    const xml =
      '<?xml version="1.0"?><a x="1 > 0"><b>text <i>mixed</i> more</b>\n<c/><d></d><!-- e --><f><g><![CDATA[<x>]]></g></f></a>';
    expect(prettyXml(xml)).toBe(
      [
        '<?xml version="1.0"?>',
        '<a x="1 > 0">',
        '  <b>text <i>mixed</i> more</b>',
        '  <c/>',
        '  <d></d>',
        '  <!-- e -->',
        '  <f>',
        '    <g><![CDATA[<x>]]></g>',
        '  </f>',
        '</a>',
      ].join('\n'),
    );
  });

  it('loses nothing but blanks', () => {
    const names = fc.constantFrom('a', 'b', 'p:c');
    const { node } = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        names.map((name) => `<${name}/>`),
        fc.tuple(names, fc.stringMatching(/^[a-z ]{1,8}$/)).map(([name, text]) => `<${name}>${text}</${name}>`),
        fc
          .tuple(names, fc.array(tie('node'), { maxLength: 3 }))
          .map(([name, inner]) => `<${name}>${inner.join('')}</${name}>`),
      ),
    }));
    fc.assert(
      fc.property(node, (xml) => {
        expect(prettyXml(xml).replaceAll(/\s/g, '')).toBe(xml.replaceAll(/\s/g, ''));
      }),
    );
  });

  it('does not fail on what is no XML', () => {
    fc.assert(fc.property(fc.string(), (text) => typeof prettyXml(text) === 'string'));
    expect(prettyXml('<a><b></a>')).toContain('<b>');
  });
});
