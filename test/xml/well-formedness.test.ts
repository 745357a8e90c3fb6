import { DOMParser } from '@xmldom/xmldom';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseXml, serializeXml, type XmlElement, XmlSyntaxError } from '../../src/xml/index.ts';

type Case = readonly [name: string, document: string];

const CONTROLS = Array.from({ length: 0x20 }, (_, code) => code)
  .filter((code) => ![0x9, 0xa, 0xd].includes(code))
  .concat([0xfffe, 0xffff, 0xd800, 0xdbff, 0xdc00, 0xdfff])
  .map((code): Case => [`U+${code.toString(16).padStart(4, '0')}`, String.fromCharCode(code)]);

const REFERENCES = [
  '&',
  '& ',
  '&&amp;',
  '&amp',
  '&amp ;',
  '&a',
  '&nbsp;',
  '&Amp;',
  '&xxe;',
  '&a:b;',
  '&#;',
  '&#x;',
  '&#xG;',
  '&#X41;',
  '&#65',
  '&#-1;',
  '&# 65;',
  '&#0;',
  '&#x8;',
  '&#x1F;',
  '&#xD800;',
  '&#xDFFF;',
  '&#xFFFE;',
  '&#x110000;',
  '&#99999999999;',
  '&%;',
].map((reference): Case => [reference, reference]);

const inText = ([name, piece]: Case): Case => [`${name} in text`, `<a>x${piece}y</a>`];
const inAttribute = ([name, piece]: Case): Case => [`${name} in an attribute`, `<a b="x${piece}y"/>`];
const inQuotes = ([name, piece]: Case): Case => [`${name} in a quoted attribute`, `<a b='x${piece}y'></a>`];
const inComment = ([name, piece]: Case): Case => [`${name} in a comment`, `<a><!--x${piece}y--></a>`];
const inCdata = ([name, piece]: Case): Case => [`${name} in CDATA`, `<a><![CDATA[x${piece}y]]></a>`];
const inInstruction = ([name, piece]: Case): Case => [`${name} in an instruction`, `<a><?p x${piece}y?></a>`];
const inName = ([name, piece]: Case): Case => [`${name} in a name`, `<a${piece}b/>`];
const itself = (document: string): Case => [document.slice(0, 60), document];

const MALFORMED: readonly Case[] = [
  ...CONTROLS.flatMap((one) =>
    [inText, inAttribute, inComment, inCdata, inInstruction, inName].map((place) => place(one)),
  ),
  ...REFERENCES.flatMap((one) => [inText, inAttribute, inQuotes].map((place) => place(one))),
  ...[']]>', '<', '< b/>', '<1/>', '<-/>', '</>', '</ a>', '<>', '<!', '<!b>', '<?', '<? p?>', '<b', '<b>', '</b>'].map(
    (piece) => inText([piece, piece]),
  ),
  ...['<', '<b/>', '"'].map((piece) => inAttribute([piece, piece])),
  ...['<', "'"].map((piece) => inQuotes([piece, piece])),
  ...[
    // Tags and attributes
    '<a b=c/>',
    '<a b=c d="1"/>',
    '<a b/>',
    '<a b c="1"/>',
    '<a b=/>',
    '<a b=>x</a>',
    '<a ="1"/>',
    '<a b="1" b="1"/>',
    '<a b="1" c="2" b="3"/>',
    '<a b="1"c="2"/>',
    "<a b='1'c='2'/>",
    '<a b="1""/>',
    '<a b="1/>',
    '<a b=\'1"/>',
    '<a b"1"/>',
    '<a b=="1"/>',
    '<a b= "1"" "/>',
    '<a "b"="1"/>',
    '<a b = = "1"/>',
    '<a 1b="1"/>',
    '<a -b="1"/>',
    '<a .b="1"/>',
    '<a b!="1"/>',
    '<a/ >',
    '<a / >',
    '<a//>',
    '<a/b="1">',
    '<a b="1"/ >',
    '<a></a',
    '<a></a b="1">',
    '<a></a/>',
    '<a></ a>',
    '<a></A>',
    '<A></a>',
    '<a><b></a></b>',
    '<a><b></a>',
    '<a></a></a>',
    '</a>',
    '<a',
    '<a ',
    '<a b',
    '<a b=',
    '<a b="',
    '<a b="1"',
    '<a b="1" ',
    '<a>',
    '<a>text',
    '<a><b/>',
    '<a><b></b>',
    '<1a/>',
    '<-a/>',
    '<.a/>',
    '<a$/>',
    '<a!/>',
    '<a(/>',
    '< a/>',
    '<\u00d7a/>',
    '<a\u00a0b="1"/>',
    '<a b="1"\u00a0c="2"/>',
    '<a b="1"\u3000/>',
    '<a\n\u0085/>',
    '<a <b/>/>',
    '<a><b</b></a>',
    '<a b="1"><c d="<e/>"/></a>',
    '<a></a\n\nb>',
    // Around the root
    '',
    ' ',
    '\n',
    'text',
    '&amp;',
    '<a/>text',
    'text<a/>',
    '<a/>&amp;',
    '<a/>&#32;',
    '<a/><b/>',
    '<a/><a/>',
    '<a/></a>',
    '<a/><![CDATA[x]]>',
    '<![CDATA[x]]><a/>',
    '<![CDATA[]]>',
    '<!---->',
    '<?p?>',
    '<a/><',
    '<a/>>',
    '><a/>',
    '<a/>]]>',
    '\u00a0<a/>',
    '<a/>\u0085',
    '\ufeff\ufeff<a/>',
    '<a/>\ufeff',
    // Comments
    '<a><!-- -- --></a>',
    '<a><!-- x --- ></a>',
    '<a><!-- x ---></a>',
    '<a><!--->',
    '<a><!--></a>',
    '<a><!--',
    '<a><!-- x',
    '<a><!-- x --',
    '<a><!-- x -></a>',
    '<a><! -- x --></a>',
    '<a><!- x -></a>',
    '<!-- x -- y --><a/>',
    '<a/><!-- x',
    '<a b="1" <!-- x -->/>',
    '<!-- x',
    '<!-',
    // CDATA
    '<a><![CDATA[x</a>',
    '<a><![CDATA[x]]</a>',
    '<a><![CDATA[x] ]></a>',
    '<a><![cdata[x]]></a>',
    '<a><![ CDATA[x]]></a>',
    '<a><![CDATA [x]]></a>',
    '<a><![CDATA[x]]>]]></a>',
    '<a><![IGNORE[x]]></a>',
    '<a><![INCLUDE[x]]></a>',
    '<a><![CDATA[',
    // Processing instructions and the XML declaration
    '<a><?p',
    '<a><?p x></a>',
    '<a><?p x?',
    '<a><? p x?></a>',
    '<a><?1p x?></a>',
    '<a><?p:q x?></a>',
    '<a><?p"x?></a>',
    '<a><?p<x?></a>',
    '<a><?xml x?></a>',
    '<a><?XML x?></a>',
    '<a><?xMl version="1.0"?></a>',
    ' <?xml version="1.0"?><a/>',
    '\n<?xml version="1.0"?><a/>',
    '<!-- x --><?xml version="1.0"?><a/>',
    '<a/><?xml version="1.0"?>',
    '<?xml?><a/>',
    '<?xml ?><a/>',
    '<?xml encoding="UTF-8"?><a/>',
    '<?xml version=1.0?><a/>',
    '<?xml version="1.0\'?><a/>',
    '<?xml version="2.0"?><a/>',
    '<?xml version="1.0" ?<a/>',
    '<?xml version="1.0" standalone="maybe"?><a/>',
    '<?xml version="1.0" standalone="YES"?><a/>',
    '<?xml standalone="yes" version="1.0"?><a/>',
    '<?xml version="1.0" encoding=""?><a/>',
    '<?xml version="1.0" encoding="-8"?><a/>',
    '<?xml version="1.0" encoding="U T F"?><a/>',
    '<?xml version="1.0" standalone="yes" encoding="UTF-8"?><a/>',
    '<?xml version="1.0"encoding="UTF-8"?><a/>',
    '<?xml version="1.0" version="1.0"?><a/>',
    '<?xml version="1.0" other="1"?><a/>',
    '<?XML version="1.0"?><a/>',
    '<?xml version="1.0"><a/>',
    '<?xml version="1.0"?>',
    '<?xml version="1.0"?><?xml version="1.0"?><a/>',
    '<? xml version="1.0"?><a/>',
    '<?xml version = "1.0" standalone = yes?><a/>',
    // DOCTYPE: refused as such, whatever it says
    '<!DOCTYPE a><a/>',
    '<!DOCTYPE a []><a/>',
    '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    '<!DOCTYPE a PUBLIC "p" "http://127.0.0.1:1/a.dtd"><a/>',
    '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    '<!DOCTYPE a [<!ENTITY % x "y">%x;]><a/>',
    '<!DOCTYPE a [<!ENTITY l "lol"><!ENTITY m "&l;&l;&l;&l;&l;&l;&l;&l;"><!ENTITY n "&m;&m;&m;&m;&m;&m;&m;&m;">]><a>&n;</a>',
    '<!DOCTYPE a [<!ATTLIST a b CDATA "c">]><a/>',
    '<!doctype a><a/>',
    '<!DOCTYPE html><html/>',
    '<!DOCTYPE',
    '<!-- x --><!DOCTYPE a><a/>',
    '<a><!DOCTYPE a></a>',
    '<a/><!DOCTYPE a>',
    '<!ENTITY x "y"><a/>',
    '<!ELEMENT a ANY><a/>',
    // Namespaces
    '<p:a/>',
    '<a p:b="1"/>',
    '<p:a xmlns:q="u"/>',
    '<a><b xmlns:p="u"/><p:c/></a>',
    '<a xmlns:p=""/>',
    '<a xmlns:p="u"><b xmlns:p=""/></a>',
    '<:a/>',
    '<a:/>',
    '<a:b:c xmlns:a="u"/>',
    '<:/>',
    '<a :b="1"/>',
    '<a b:="1"/>',
    '<a b:c:d="1" xmlns:b="u"/>',
    '<a xmlns:1p="u"/>',
    '<a xmlns:="u"/>',
    '<p :a xmlns:p="u"/>',
    '<p: a xmlns:p="u"/>',
    '<a xmlns:xmlns="u"/>',
    '<a xmlns:xml="u"/>',
    '<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>',
    '<a xmlns="http://www.w3.org/XML/1998/namespace"/>',
    '<a xmlns:p="http://www.w3.org/2000/xmlns/"/>',
    '<a xmlns="http://www.w3.org/2000/xmlns/"/>',
    '<xmlns:a/>',
    '<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>',
    '<a xmlns:p="u" p:b="1" p:b="2"/>',
    '<a xmlns="u" xmlns="u"/>',
    '<a xmlns:p="u" xmlns:p="v"/>',
    '<a xmlns:p="u"><b xmlns:q="u" p:c="1" q:c="2"/></a>',
    '<a xmlns:p="u"></q:a>',
    '<p:a xmlns:p="u"></a>',
    '<a xmlns:p="u"></p:a>',
    // Limits
    `${'<a>'.repeat(257)}${'</a>'.repeat(257)}`,
    `<a ${Array.from({ length: 1025 }, (_, index) => `b${index}="1"`).join(' ')}/>`,
  ].map(itself),
];

const WELL_FORMED: ReadonlyArray<readonly [document: string, written?: string]> = [
  ['<a/>'],
  ['<a></a>', '<a/>'],
  ['<a />', '<a/>'],
  ['<a\n/>', '<a/>'],
  ['<a></a >', '<a/>'],
  ['<a></a\n>', '<a/>'],
  ['<a> </a>'],
  ['<a>\n</a>'],
  ['<a>text</a>'],
  ['\ufeff<a/>', '<a/>'],
  ['<a b="1"/>'],
  ["<a b='1'/>", '<a b="1"/>'],
  ['<a b = "1"/>', '<a b="1"/>'],
  ['<a\tb\n=\r\n"1"\n/>', '<a b="1"/>'],
  ['<a b=""/>'],
  ['<a b=">"/>', '<a b="&gt;"/>'],
  ["<a b='\"'/>", '<a b="&quot;"/>'],
  ['<a b="\'"/>'],
  ['<a b="1" c="2"/>'],
  ['<a b="1" B="2"/>'],
  ['<a b=" 1\t2\n3 "/>', '<a b=" 1 2 3 "/>'],
  ['<a b="1\r\n2\r3"/>', '<a b="1 2 3"/>'],
  ['<a b="&#9;&#10;&#13;"/>'],
  ['<a b="]]&gt;"/>'],
  ['<a b="]]>"/>', '<a b="]]&gt;"/>'],
  ['<a b="&lt;&amp;"/>'],
  ['<a b="--"/>'],
  ['<a>&lt;&gt;&amp;&apos;&quot;</a>', '<a>&lt;&gt;&amp;\'"</a>'],
  ['<a>&#65;&#x42;&#x1F600;</a>', '<a>AB\u{1F600}</a>'],
  ['<a>&#x9;&#xA;&#xD;</a>', '<a>\t\n&#13;</a>'],
  ['<a>1\r\n2\r3</a>', '<a>1\n2\n3</a>'],
  ['<a>&amp;amp;</a>'],
  ['<a>&#38;lt;</a>', '<a>&amp;lt;</a>'],
  ['<a>]] &gt;</a>'],
  ['<a>]]</a>'],
  ['<a>></a>', '<a>&gt;</a>'],
  ['<a>"\'</a>'],
  ['<a>\u0085\u2028\u007f\ufffd</a>'],
  ['<a>\u{10FFFF}\u{1F600}</a>'],
  ['<\u00e9l\u00e9ment \u00e0="1"/>'],
  ['<_a.b-c1/>'],
  ['<a\u00b7/>'],
  ['<\u{10000}/>'],
  ['<\u4e2d\u6587>x</\u4e2d\u6587>'],
  ['<a><!-- x --></a>'],
  ['<a><!----></a>'],
  ['<a><!-- - - --></a>'],
  ['<a><!-- <b> & ]]> --></a>'],
  ['<!-- x --><a/><!-- y -->'],
  ['<a><!-- &amp; --></a>'],
  ['<a><![CDATA[<b> & x]]></a>'],
  ['<a><![CDATA[]]></a>'],
  ['<a><![CDATA[]]]]></a>'],
  ['<a><![CDATA[x]]><![CDATA[y]]></a>'],
  ['<a>x<![CDATA[y]]>z</a>'],
  ['<a><![CDATA[--]]></a>'],
  ['<a><![CDATA[<![CDATA[]]></a>'],
  ['<a><?p?></a>'],
  ['<a><?p x="1" < & ?></a>'],
  ['<?p x?><a/><?q y?>'],
  ['<a><?xml-stylesheet x?></a>'],
  ['<?xmlish x?><a/>'],
  ['<a><?p   x ?></a>', '<a><?p x ?></a>'],
  ['<?xml version="1.0"?><a/>', '<a/>'],
  ["<?xml version='1.0'?><a/>", '<a/>'],
  ['<?xml version="1.1"?><a/>', '<a/>'],
  ['<?xml version="1.0" encoding="UTF-8"?><a/>', '<a/>'],
  ['<?xml version="1.0" encoding="utf-8" standalone="yes" ?>\n<a/>\n', '<a/>'],
  ["<?xml  version = '1.0'  standalone = 'no' ?><a/>", '<a/>'],
  ['<?xml version="1.0"?>\n<!-- x -->\n<a/>', '<!-- x --><a/>'],
  [' <a/> ', '<a/>'],
  ['\n\t<a/>\r\n', '<a/>'],
  ['<a xmlns="u"/>'],
  ['<p:a xmlns:p="u"/>'],
  ['<p:a xmlns:p="u"></p:a >', '<p:a xmlns:p="u"/>'],
  ['<a xmlns:p="u" p:b="1" b="2"/>'],
  ['<a xmlns="u"><b xmlns=""/></a>'],
  ['<a xmlns="u"><b xmlns="v"><c xmlns="u"/></b></a>'],
  ['<a xmlns:p="u"><b xmlns:p="v" p:c="1"/><p:d/></a>'],
  ['<a xml:lang="en" xml:space="preserve"/>'],
  ['<a xmlns:xml="http://www.w3.org/XML/1998/namespace"/>', '<a/>'],
  ['<xml:a/>'],
  ['<a p:b="1" xmlns:p="u"/>', '<a xmlns:p="u" p:b="1"/>'],
  ['<p:a p:b="1" q:b="2" xmlns:p="u" xmlns:q="v"/>', '<p:a xmlns:p="u" xmlns:q="v" p:b="1" q:b="2"/>'],
  ['<a xmlns="u" xmlns:p="u" b="1" p:b="2"/>'],
  ['<__proto__ constructor="1"><toString/></__proto__>'],
  ['<a xmlns:__proto__="u"><__proto__:b/></a>'],
  ['<a xmlns="http://x.org/?a=1&amp;b=2"/>'],
  [`${'<a>'.repeat(256)}${'</a>'.repeat(256)}`, `${'<a>'.repeat(255)}<a/>${'</a>'.repeat(255)}`],
  [`<a ${Array.from({ length: 1024 }, (_, index) => `b${index}="1"`).join(' ')}/>`],
];

describe('well-formedness (OP-92)', () => {
  it('covers some hundred cases', () => {
    expect(MALFORMED.length + WELL_FORMED.length).toBeGreaterThan(400);
  });

  it('refuses everything malformed', () => {
    const accepted = MALFORMED.filter(([, document]) => !refusal(document)).map(([name]) => name);
    expect(accepted).toEqual([]);
  });

  it('accepts everything well-formed and loses nothing', () => {
    const outcomes = WELL_FORMED.map(([document]) => refusal(document) ?? serializeXml(parseXml(document)));
    expect(outcomes).toEqual(WELL_FORMED.map(([document, written]) => written ?? document));
  });

  it('writes what it reads back to the same text', () => {
    for (const [document] of WELL_FORMED) {
      const once = serializeXml(parseXml(document));
      expect(serializeXml(parseXml(once))).toBe(once);
    }
  });

  it('says where a document is wrong', () => {
    expect(refusal('<a>\n  <b>&</b>\n</a>')).toMatchObject({
      line: 2,
      column: 6,
      message: "'&' must be written as '&amp;'",
    });
    expect(refusal('<a>\r\n\t<b c=d/></a>')).toMatchObject({
      line: 2,
      column: 7,
      message: "the value of 'c' must stand in quotes",
    });
    expect(refusal('<a>\n<b>\n</a>')).toMatchObject({
      line: 3,
      column: 1,
      message: '</a> does not close <b> of line 2',
    });
    expect(refusal('<a>\n <b>')).toMatchObject({ line: 2, column: 2, message: 'element <b> is not closed' });
    expect(refusal('\n<!DOCTYPE a><a/>')).toMatchObject({ line: 2, column: 1, message: 'DOCTYPE is not allowed' });
    expect(refusal('<a>&x;</a>')?.message).toContain("entity '&x;' is not defined");
    expect(refusal('<a b="1"\n c="2"\n b="3"/>')).toMatchObject({
      line: 3,
      column: 2,
      message: "attribute 'b' is given twice",
    });
    expect(refusal('<a>\u0001</a>')).toMatchObject({
      line: 1,
      column: 4,
      message: 'the character U+0001 is not allowed in XML',
    });
  });

  it('keeps the limits that it is given', () => {
    expect(() => parseXml('<a><a/></a>', { maxDepth: 1 })).toThrow('nested more than 1 deep');
    expect(() => parseXml('<a b="1" c="2"/>', { maxAttributes: 1 })).toThrow('more than 1 attributes');
    expect(parseXml('<a b="1"><a/></a>', { maxDepth: 2, maxAttributes: 1 }).documentElement?.localName).toBe('a');
  });

  it('is no laxer than xmldom and builds the same tree', () => {
    const pieces = fc.constantFrom(
      '<a>',
      '</a>',
      '<b c="1">',
      '</b>',
      '<p:d xmlns:p="u"/>',
      '<e',
      '/>',
      '>',
      '"',
      ' f=',
      "'1'",
      '&amp;',
      '&',
      ';',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '<?p',
      '?>',
      'x',
      ' ',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (inside) => {
        const document = `<r>${inside.join('')}</r>`;
        if (refusal(document)) return;
        const ours = serializeXml(withoutEmptyCdata(parseXml(document).documentElement as XmlElement));
        expect(ours).toBe(serializeXml(strictXmldom(document)));
      }),
      { numRuns: 2000 },
    );
  });
});

function refusal(document: string): XmlSyntaxError | undefined {
  try {
    parseXml(document);
    return undefined;
  } catch (error) {
    if (error instanceof XmlSyntaxError) return error;
    throw error;
  }
}

/** The library's own parser, which must not complain about what we accept. */
function strictXmldom(document: string): XmlElement {
  const onError = (level: string, message: string) => {
    throw new Error(`${level}: ${message}`);
  };
  return new DOMParser({ onError }).parseFromString(document, 'application/xml')
    .documentElement as unknown as XmlElement;
}

/** xmldom's parser drops empty CDATA sections. */
function withoutEmptyCdata(element: XmlElement): XmlElement {
  for (const node of [...element.childNodes]) {
    if (node.nodeType === 4 && node.nodeValue === '') element.removeChild(node);
    else if (node.nodeType === 1) withoutEmptyCdata(node as XmlElement);
  }
  return element;
}
