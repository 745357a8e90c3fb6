import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cloneInto,
  createElement,
  elementChildren,
  firstElement,
  newDocument,
  parseXml,
  serializeXml,
  textOf,
  type XmlDocument,
  type XmlElement,
  XmlSerializationError,
} from '../../src/xml/index.ts';

/** A generated element; what it becomes is compared after a trip through text. */
interface Tree {
  readonly name: string;
  readonly namespace: string | null;
  readonly prefix: string | null;
  readonly attributes: ReadonlyArray<readonly [name: string, value: string]>;
  readonly children: ReadonlyArray<Tree | string>;
}

const NAMES = fc.constantFrom('a', 'b', 'item', 'é', '_x-1.y');
const TEXT = fc
  .string({
    unit: fc.constantFrom(
      'x',
      ' ',
      '\t',
      '\n',
      '\r',
      '<',
      '>',
      '&',
      '"',
      "'",
      ']]>',
      '\u00a0',
      '\u2028',
      '\u{1F600}',
      '&amp;',
      '-->',
    ),
  })
  .filter((text) => text !== '');
const TREE: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.record({
    name: NAMES,
    namespace: fc.constantFrom(null, 'urn:a', 'urn:b', 'urn:c?x=1&y="2"'),
    prefix: fc.constantFrom(null, null, 'p', 'q'),
    attributes: fc.uniqueArray(fc.tuple(fc.constantFrom('k', 'p:k', 'q:k', 'l'), fc.oneof(TEXT, fc.constant(''))), {
      maxLength: 3,
      selector: ([name]) => name,
    }),
    children: fc.array(fc.oneof({ depthSize: 'small' }, TEXT, tie('tree')), { maxLength: 4 }),
  }),
})).tree;

describe('serializeXml', () => {
  it('and parseXml give back every tree', () => {
    fc.assert(
      fc.property(TREE, (tree) => {
        const document = newDocument(null, 'root');
        const root = document.documentElement as XmlElement;
        build(root, tree);
        const text = serializeXml(document);
        const parsed = parseXml(text);
        expect(described(parsed.documentElement as XmlElement)).toEqual(described(root));
        expect(serializeXml(parsed)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it('declares what a fragment needs, where it is used', () => {
    const root = parseXml('<r xmlns="urn:d" xmlns:p="urn:p" xmlns:u="urn:u"><p:a p:b="1"><c/></p:a></r>')
      .documentElement as XmlElement;
    const fragment = firstElement(root) as XmlElement;
    expect(serializeXml(fragment)).toBe('<p:a xmlns:p="urn:p" p:b="1"><c xmlns="urn:d"/></p:a>');
    const copy = cloneInto(newDocument(null, 'other'), fragment);
    expect(serializeXml(copy)).toBe('<p:a xmlns:p="urn:p" p:b="1"><c xmlns="urn:d"/></p:a>');
  });

  it('takes elements out of a default namespace again', () => {
    const document = newDocument('urn:d', 'a');
    document.documentElement?.appendChild(createElement(document, null, 'b'));
    expect(serializeXml(document)).toBe('<a xmlns="urn:d"><b xmlns=""/></a>');
  });

  it('finds another prefix when one is taken', () => {
    const document = newDocument('urn:1', 'p:a');
    const root = document.documentElement as XmlElement;
    root.setAttributeNS('urn:2', 'p:b', 'x');
    root.setAttributeNS('urn:3', 'c', 'y');
    expect(serializeXml(document)).toBe(
      '<p:a xmlns:p="urn:1" xmlns:ns1="urn:2" xmlns:ns2="urn:3" ns1:b="x" ns2:c="y"/>',
    );
    expect(parseXml(serializeXml(document)).documentElement?.getAttributeNS('urn:2', 'b')).toBe('x');
  });

  it('writes a declaration when asked for', () => {
    expect(serializeXml(parseXml('<?xml version="1.0"?><a/>'), { declaration: 'UTF-8' })).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><a/>',
    );
  });

  it('cannot be made to inject', () => {
    const document = newDocument(null, 'a');
    const root = document.documentElement as XmlElement;
    root.setAttribute('b', '"/><evil c="');
    root.appendChild(document.createTextNode('</a><evil/>&evil;'));
    const cdata = root.appendChild(document.createCDATASection(''));
    cdata.nodeValue = ']]><evil/>';
    const parsed = parseXml(serializeXml(document)).documentElement as XmlElement;
    expect(elementChildren(parsed)).toEqual([]);
    expect(parsed.getAttribute('b')).toBe('"/><evil c="');
    expect(textOf(parsed)).toBe('</a><evil/>&evil;]]><evil/>');
  });

  it.each([
    ['a comment that ends early', (document: XmlDocument) => document.createComment('x --> <evil/>')],
    ['a comment that ends with a dash', (document: XmlDocument) => document.createComment('x-')],
    [
      'an instruction that ends early',
      (document: XmlDocument) => document.createProcessingInstruction('p', 'x?><evil/>'),
    ],
    ['a control character', (document: XmlDocument) => document.createTextNode('\u0000')],
    ['half a surrogate pair', (document: XmlDocument) => document.createTextNode('\ud800')],
    ['a control character in CDATA', (document: XmlDocument) => document.createCDATASection('\u0008')],
  ])('refuses %s', (_, make) => {
    const document = newDocument(null, 'a');
    document.documentElement?.appendChild(make(document));
    expect(() => serializeXml(document)).toThrow(XmlSerializationError);
  });

  it('refuses a control character in an attribute', () => {
    const document = newDocument(null, 'a');
    document.documentElement?.setAttribute('b', '\u0001');
    expect(() => serializeXml(document)).toThrow('U+0001');
  });

  it('needs no stack for deep trees', () => {
    const document = newDocument(null, 'a');
    let parent = document.documentElement as XmlElement;
    for (let depth = 0; depth < 20_000; depth += 1)
      parent = parent.appendChild(createElement(document, null, 'a')) as XmlElement;
    expect(serializeXml(document)).toHaveLength('<a></a>'.length * 20_000 + '<a/>'.length);
  });
});

const PREFIXED: Readonly<Record<string, string>> = { p: 'urn:a', q: 'urn:b' };

function build(parent: XmlElement, tree: Tree): void {
  const document = parent.ownerDocument as XmlDocument;
  const name = tree.namespace !== null && tree.prefix ? `${tree.prefix}:${tree.name}` : tree.name;
  const element = createElement(document, tree.namespace, name);
  for (const [attribute, value] of tree.attributes) {
    const prefix = attribute.includes(':') ? attribute[0] : undefined;
    element.setAttributeNS(prefix ? (PREFIXED[prefix] as string) : null, attribute, value);
  }
  parent.appendChild(element);
  for (const child of tree.children) {
    if (typeof child !== 'string') build(element, child);
    else if (element.lastChild?.nodeType === 3) element.lastChild.textContent += child;
    else element.appendChild(document.createTextNode(child));
  }
}

/** Everything that matters about a tree: expanded names, attributes without declarations, text. */
function described(element: XmlElement): unknown {
  const attributes = Array.from({ length: element.attributes.length }, (_, index) => element.attributes[index])
    .filter((attribute) => attribute?.namespaceURI !== 'http://www.w3.org/2000/xmlns/')
    .map((attribute) => [attribute?.namespaceURI ?? '', attribute?.localName, attribute?.value]);
  const children: unknown[] = [];
  for (let node = element.firstChild; node; node = node.nextSibling) {
    children.push(node.nodeType === 1 ? described(node as XmlElement) : node.nodeValue);
  }
  return { namespace: element.namespaceURI ?? '', name: element.localName, attributes, children };
}
