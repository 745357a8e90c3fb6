import { DOMImplementation, DOMParser } from '@xmldom/xmldom';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cloneInto,
  createElement,
  limitXml,
  moveToNamespace,
  newDocument,
  parseXml,
  serializeXml,
  TooLargeError,
  type XmlElement,
  type XmlNode,
  XmlSyntaxError,
  XmlTreeError,
} from '../../src/xml/index.ts';

const root = (text: string) => parseXml(text).documentElement as XmlElement;

describe('edits of the tree', () => {
  /** What both trees are told to do, with nodes named by their place in document order. */
  const edit = fc.record({
    what: fc.constantFrom('append', 'insert', 'remove', 'replace', 'text', 'attribute', 'unset', 'copy', 'make'),
    node: fc.nat(30),
    other: fc.nat(30),
  });
  const documents = fc.constantFrom(
    '<a><b>1<c/>2</b><d k="1" l="2"><!--x--><e><![CDATA[y]]></e></d><?p q?></a>',
    '<a xmlns="urn:a" xmlns:p="urn:p"><p:b p:k="1"/><c><d><e/></d></c>text</a>',
  );

  /** As much of the DOM as the edits need, which both trees have. */
  interface Node {
    readonly nodeType: number;
    readonly parentNode: Node | null;
    readonly nextSibling: Node | null;
    readonly previousSibling: Node | null;
    readonly firstChild: Node | null;
    readonly lastChild: Node | null;
    readonly ownerDocument: { importNode(node: Node, deep: boolean): Node; createTextNode(text: string): Node };
    textContent: string | null;
    appendChild(node: Node): Node;
    insertBefore(node: Node, before: Node | null): Node;
    removeChild(node: Node): Node;
    replaceChild(node: Node, replaced: Node): Node;
    cloneNode(deep: boolean): Node;
    setAttribute(name: string, value: string): void;
    removeAttribute(name: string): void;
  }

  const inOrder = (node: Node): Node[] => {
    const found = [node];
    for (let child = node.firstChild; child; child = child.nextSibling) found.push(...inOrder(child));
    return found;
  };

  function apply(
    top: Node,
    { what, node: at, other: to }: typeof edit extends fc.Arbitrary<infer E> ? E : never,
  ): void {
    const nodes = inOrder(top);
    const node = nodes[at % nodes.length] as Node;
    const other = nodes[to % nodes.length] as Node;
    const parent = other.parentNode;
    const holds = inOrder(node).includes(other);
    const element = other.nodeType === 1;
    if (what === 'text' && element) other.textContent = `t${at}`;
    else if (what === 'attribute' && element) other.setAttribute(`n${at % 3}`, `v${at}`);
    else if (what === 'unset' && element) other.removeAttribute('k');
    else if (what === 'copy' && element && nodes.length < 100) other.appendChild(node.cloneNode(at % 2 === 0));
    else if (what === 'make' && element) other.insertBefore(other.ownerDocument.createTextNode('m'), other.firstChild);
    else if (what === 'append' && element && !holds) other.appendChild(node);
    else if (what === 'insert' && other !== top && parent && !holds) parent.insertBefore(node, other);
    else if (what === 'replace' && other !== top && parent && !holds) parent.replaceChild(node, other);
    else if (what === 'remove' && other !== top && parent) parent.removeChild(other);
  }

  /** The links that a serializer does not follow. */
  const backwards = (node: Node): Node[] => {
    const found: Node[] = [];
    for (let child = node.lastChild; child; child = child.previousSibling) found.push(...backwards(child));
    return [...found, node];
  };

  it('do what those of xmldom do', () => {
    fc.assert(
      fc.property(documents, fc.array(edit, { maxLength: 8 }), (text, edits) => {
        const ours = root(text) as unknown as Node;
        const theirs = new DOMParser().parseFromString(text, 'application/xml').documentElement as unknown as Node;
        for (const one of edits) {
          apply(ours, one);
          apply(theirs, one);
        }
        expect(serializeXml(ours as unknown as XmlNode)).toBe(serializeXml(theirs as unknown as XmlNode));
        expect(ours.textContent).toBe(theirs.textContent);
        const back = backwards(ours).reverse();
        expect(inOrder(ours).findIndex((node, index) => node !== back[index])).toBe(-1);
      }),
      { numRuns: 300 },
    );
  });

  it('refuse what cannot be a tree', () => {
    const top = root('<a><b><c/></b>text</a>');
    const inner = top.firstChild as XmlElement;
    expect(() => inner.appendChild(top)).toThrow(XmlTreeError);
    expect(() => inner.appendChild(inner)).toThrow('it is inside of it');
    const empty = inner.firstChild as XmlElement;
    expect(() => empty.appendChild(empty)).toThrow('it is inside of it');
    expect(() => (top.lastChild as XmlNode).appendChild(inner)).toThrow('it has no children');
    expect(() => top.removeChild(inner.firstChild as XmlNode)).toThrow('is not a child of a');
    expect(() => top.ownerDocument.appendChild(inner)).toThrow('it has a root');
    expect(() => top.appendChild(top.ownerDocument)).toThrow('it is no child');
    expect(() => inner.removeAttributeNode(top.ownerDocument.createAttributeNS(null, 'k'))).toThrow(XmlTreeError);
    expect(serializeXml(top)).toBe('<a><b><c/></b>text</a>');
  });

  it('move nodes between documents, which own them then', () => {
    const [one, two] = [root('<a><b><c/></b></a>'), root('<d/>')];
    two.appendChild(one.firstChild as XmlNode);
    expect(serializeXml(one) + serializeXml(two)).toBe('<a/><d><b><c/></b></d>');
    expect(two.firstChild?.firstChild?.ownerDocument).toBe(two.ownerDocument);
  });

  it('join texts', () => {
    const top = root('<a>1<b/>2</a>');
    top.insertBefore(top.ownerDocument.createTextNode(''), top.firstChild);
    top.appendChild(top.ownerDocument.createTextNode('3'));
    top.normalize();
    expect(top.childNodes.map((node) => node.nodeValue)).toEqual(['1', null, '23']);
  });
});

describe('names', () => {
  const names = fc.constantFrom('a', 'p:a', 'xmlns', 'xmlns:p', 'xml:a', '', ':a', 'a:', 'a:b:c', '1', 'a b', 'é', '-');
  const namespaces = fc.constantFrom(
    null,
    '',
    'urn:x',
    'http://www.w3.org/XML/1998/namespace',
    'http://www.w3.org/2000/xmlns/',
  );

  it('are refused exactly where xmldom refuses them', () => {
    const theirs = new DOMImplementation().createDocument(null, 'r');
    fc.assert(
      fc.property(namespaces, names, (namespace, name) => {
        const outcome = (
          make: () => { prefix: string | null; localName: string | null; namespaceURI: string | null },
        ) => {
          try {
            const { prefix, localName, namespaceURI } = make();
            return { prefix: prefix || null, localName, namespaceURI: namespaceURI || null };
          } catch {
            return 'refused';
          }
        };
        const ours = newDocument(null, 'r');
        expect(outcome(() => ours.createElementNS(namespace, name))).toEqual(
          outcome(() => theirs.createElementNS(namespace || null, name)),
        );
      }),
    );
  });

  it('may get another namespace', () => {
    const top = root('<a><b/></a>');
    moveToNamespace(top, 'urn:x');
    expect(serializeXml(top)).toBe('<a xmlns="urn:x"><b xmlns=""/></a>');
    expect((top.firstChild as XmlElement).namespaceURI).toBeNull();
  });

  it('are looked up where they are declared, or used', () => {
    const top = root('<a xmlns="urn:d" xmlns:p="urn:p"><p:b xmlns=""><c/></p:b></a>');
    const inner = top.firstChild?.firstChild as XmlElement;
    expect(inner.lookupNamespaceURI('p')).toBe('urn:p');
    expect(inner.lookupNamespaceURI(null)).toBeNull();
    expect(top.lookupNamespaceURI('')).toBe('urn:d');
    expect(createElement(top.ownerDocument, 'urn:q', 'q:x').lookupNamespaceURI('q')).toBe('urn:q');
    expect(inner.lookupNamespaceURI('none')).toBeNull();
  });
});

describe('the root element', () => {
  it('is found at once, however many comments stand in front of it, and again when there is another', () => {
    const document = parseXml(`${'<!---->'.repeat(100_000)}<a/>`);
    const began = performance.now();
    for (let time = 0; time < 100_000; time += 1) expect(document.documentElement?.localName === 'a').toBe(true);
    // Looking for it each time takes minutes.
    expect(performance.now() - began).toBeLessThan(20_000);
    const [a, b] = [document.documentElement as XmlElement, createElement(document, null, 'b')];
    document.replaceChild(b, a);
    expect(document.documentElement).toBe(b);
    document.removeChild(b);
    expect(document.documentElement).toBeNull();
  });
});

describe('attributes', () => {
  it('that declare a prefix are set once, with their namespace or without', () => {
    const top = root('<a xmlns:p="urn:p"/>');
    top.setAttribute('xmlns:p', 'urn:q');
    top.setAttribute('xmlns:r', 'urn:r');
    top.setAttributeNS('http://www.w3.org/2000/xmlns/', 'xmlns:r', 'urn:s');
    expect(String(top)).toBe('<a xmlns:p="urn:q" xmlns:r="urn:s"/>');
    expect(top.lookupNamespaceURI('r')).toBe('urn:s');
  });

  it('are set, replaced in their place, and removed', () => {
    const top = root('<a k="1" p:l="2" xmlns:p="urn:p"/>');
    top.setAttribute('k', '3');
    top.setAttributeNS('urn:p', 'q:l', '4');
    top.setAttribute('m', '5');
    expect(top.attributes.map(({ nodeName, value }) => `${nodeName}=${value}`)).toEqual([
      'k=3',
      'q:l=4',
      'xmlns:p=urn:p',
      'm=5',
    ]);
    expect([top.getAttributeNS('urn:p', 'l'), top.hasAttribute('p:l'), top.getAttribute('none')]).toEqual([
      '4',
      false,
      null,
    ]);
    top.removeAttribute('k');
    expect(top.hasAttribute('k')).toBe(false);
    expect(() => top.setAttribute('no name', '')).toThrow("'no name' is not an XML name");
  });
});

describe('the limit on nodes', () => {
  it('holds for reading and for copying', () => {
    limitXml({ maxXmlNodes: 1_000 });
    try {
      expect(() => parseXml(`<a>${'<b/>'.repeat(1_000)}</a>`)).toThrow(XmlSyntaxError);
      const top = root(`<a>${'<b/>'.repeat(600)}</a>`);
      top.appendChild(cloneInto(top.ownerDocument, top));
      expect(() => cloneInto(top.ownerDocument, top)).toThrow(TooLargeError);
    } finally {
      limitXml({});
    }
    expect(root(`<a>${'<b/>'.repeat(1_000)}</a>`).childNodes).toHaveLength(1_000);
  });
});
