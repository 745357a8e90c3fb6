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
        expect(JSON.parse(prettyJson(text) ?? '')).toEqual(JSON.parse(text));
      }),
    );
  });

  it('does not fail on what is no JSON', () => {
    fc.assert(fc.property(fc.string(), (text) => ['string', 'undefined'].includes(typeof prettyJson(text))));
  });
});

describe.each<[string, (text: string) => string | undefined, string[]]>([
  ['XML', prettyXml, ['<', '<a>', '<a>x', '<a>x</a><!--', '<a "', "<a b='", '<?', '<![CDATA[', '</a>', '<a>x<b>']],
  ['JSON', prettyJson, ['"', '"\\\\"', '\\"', '[', '{"a":', ']', '[1,', '"\\']],
])('pretty %s of hostile bodies', (_, pretty, pieces) => {
  // Going through such a text again and again takes minutes.
  it.each(pieces)('a quarter of a mebibyte takes no time and does not become far longer: %s', (piece) => {
    const text = piece.repeat(Math.ceil((256 * 1024) / piece.length));
    const began = performance.now();
    const length = pretty(text)?.length ?? 0;
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(length).toBeLessThanOrEqual(4.1 * text.length);
  });
});

describe('pretty XML', () => {
  it('gives up where something begins that has no end', () => {
    for (const text of ['<a><', '<a b="></a>', '<!-- x ->', '<![CDATA[ ]]', '<?x', '<a>text'])
      expect(prettyXml(text)).toBeUndefined();
    expect(prettyJson('{"a": "b')).toBeUndefined();
  });

  it('shows what is nested deeply and short', () => {
    const pretty = prettyXml(`${'<a>'.repeat(100)}<b/>${'</a>'.repeat(100)}`);
    expect(pretty?.split('\n')).toHaveLength(201);
    expect(pretty).toContain(`\n${' '.repeat(80)}<b/>`);
  });

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
        expect(prettyXml(xml)?.replaceAll(/\s/g, '')).toBe(xml.replaceAll(/\s/g, ''));
      }),
    );
  });

  it('does not fail on what is no XML', () => {
    fc.assert(fc.property(fc.string(), (text) => ['string', 'undefined'].includes(typeof prettyXml(text))));
    expect(prettyXml('<a><b></a>')).toContain('<b>');
  });
});
