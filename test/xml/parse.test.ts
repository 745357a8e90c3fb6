import { describe, expect, it } from 'vitest';
import {
  elementChildren,
  firstElement,
  parseXml,
  textOf,
  type XmlElement,
  XmlSyntaxError,
} from '../../src/xml/index.ts';

describe('positions', () => {
  const source = [
    '<?xml version="1.0"?>',
    '<proxy xmlns="urn:s" name="P"',
    '       transports="http">',
    '\t<target><inSequence a = "1"',
    '   b',
    '   ="2"/></target><x/>',
    '  <![CDATA[',
    ']]><y z="&#10;"/>',
    '</proxy>',
  ].join('\r\n');

  it('name where elements and attributes start, from 1', () => {
    const root = rootOf(source);
    const [target, x, y] = elementChildren(root) as [XmlElement, XmlElement, XmlElement];
    const inSequence = firstElement(target) as XmlElement;
    expect(position(root)).toEqual([2, 1]);
    expect(attributePosition(root, 'xmlns')).toEqual([2, 8]);
    expect(attributePosition(root, 'name')).toEqual([2, 22]);
    expect(attributePosition(root, 'transports')).toEqual([3, 8]);
    expect(position(target)).toEqual([4, 2]);
    expect(position(inSequence)).toEqual([4, 10]);
    expect(attributePosition(inSequence, 'a')).toEqual([4, 22]);
    expect(attributePosition(inSequence, 'b')).toEqual([5, 4]);
    expect(position(x)).toEqual([6, 19]);
    expect(position(y)).toEqual([8, 4]);
    expect(attributePosition(y, 'z')).toEqual([8, 7]);
  });

  it('are not moved by a byte order mark', () => {
    expect(position(rootOf('\ufeff<a/>'))).toEqual([1, 1]);
    expect(position(rootOf(Buffer.from('\ufeff\n <a/>')))).toEqual([2, 2]);
  });
});

describe('encodings', () => {
  const text = '<a>\u00e9\u20ac\u{1F600}</a>';
  const utf16be = (content: string) => Buffer.from(content, 'utf16le').swap16();

  it.each<[string, Uint8Array, string?]>([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${text}`)],
    ['UTF-16 LE with a byte order mark', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16 BE with a byte order mark', utf16be(`\ufeff${text}`)],
    ['UTF-16 LE without', Buffer.from(text, 'utf16le')],
    ['UTF-16 BE without', utf16be(text)],
    ['declared UTF-16', Buffer.from(`\ufeff<?xml version="1.0" encoding="UTF-16"?>${text}`, 'utf16le')],
    ['UTF-8 against what is declared', Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${text}`), 'utf-8'],
    ['UTF-16 LE named by the transport', Buffer.from(text, 'utf16le'), 'UTF-16LE'],
  ])('reads %s', (_, bytes, charset) => {
    expect(textOf(rootOf(bytes, charset))).toBe('\u00e9\u20ac\u{1F600}');
  });

  it.each([
    ['ISO-8859-1', '\u00e9\u0080'],
    ['windows-1252', '\u00e9\u20ac'],
    ['ISO-8859-15', '\u00e9\u20ac'],
  ])('honours a declared %s', (encoding, expected) => {
    const bytes = Buffer.concat([
      Buffer.from(`<?xml version="1.0" encoding="${encoding}"?><a>`),
      Buffer.from([0xe9, encoding === 'ISO-8859-15' ? 0xa4 : 0x80]),
      Buffer.from('</a>'),
    ]);
    expect(textOf(rootOf(bytes))).toBe(expected);
  });

  it.each([
    ['bytes that are no UTF-8', Buffer.from('<a>\xe9</a>', 'latin1'), 'not utf-8'],
    [
      'a charset that is not known',
      Buffer.from('<?xml version="1.0" encoding="x-none"?><a/>'),
      "encoding 'x-none' is not known",
    ],
    [
      '8-bit text that declares UTF-16',
      Buffer.from('<?xml version="1.0" encoding="UTF-16"?><a/>'),
      "declares encoding 'UTF-16'",
    ],
    [
      'bytes that are not US-ASCII',
      Buffer.from('<?xml version="1.0" encoding="US-ASCII"?><a>\u00e9</a>'),
      'not US-ASCII',
    ],
    [
      'an odd number of UTF-16 bytes',
      Buffer.concat([Buffer.from('\ufeff<a/>', 'utf16le'), Buffer.from([0])]),
      'not utf-16le',
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parseXml(bytes)).toThrow(XmlSyntaxError);
    expect(() => parseXml(bytes)).toThrow(message);
  });
});

describe('cost', () => {
  it.each([
    ['open tags', '<a>'.repeat(100_000)],
    ['attributes without value', `<a ${'b '.repeat(100_000)}>`],
    ['quotes', `<a b="${"'".repeat(100_000)}`],
    ['less-than signs', '<a'.repeat(100_000)],
    ['ampersands', `<a>${'&amp;'.repeat(100_000)}&</a>`],
    ['comment dashes', `<a><!--${'-'.repeat(100_000)}</a>`],
    ['blanks', `<a${' '.repeat(200_000)}<`],
    ['instructions', `<a>${'<?p '.repeat(50_000)}`],
  ])('of hostile %s is bounded: the document is refused in one pass', (_, document) => {
    expect(() => parseXml(document)).toThrow(XmlSyntaxError);
  });
});

function rootOf(source: string | Uint8Array, charset?: string): XmlElement {
  return parseXml(source, charset === undefined ? {} : { charset }).documentElement as XmlElement;
}

function position(node: { lineNumber?: number; columnNumber?: number } | null): unknown {
  return [node?.lineNumber, node?.columnNumber];
}

function attributePosition(element: XmlElement, name: string): unknown {
  return position(element.getAttributeNode(name));
}
