import fc from 'fast-check';
import { expect, it } from 'vitest';
import { copyWithout } from '../../src/message/copy-without.ts';
import { envelopeAround } from '../../src/message/soap.ts';
import { elementChildren, parseXml, serializeXml, type XmlElement } from '../../src/xml/index.ts';

interface Tree {
  readonly children: readonly Tree[];
  readonly omit: boolean;
}

const tree = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.record({
    children: fc.oneof({ depthSize: 'small' }, fc.constant([]), fc.array(tie('tree'), { maxLength: 4 })),
    omit: fc.boolean(),
  }),
})).tree;

const written = ({ children, omit }: Tree, without: boolean): string =>
  without && omit ? '' : `<n o="${omit}">t${children.map((child) => written(child, without)).join('')}</n>`;

it('is the same as writing the document without the elements', () => {
  fc.assert(
    fc.property(tree, (root) => {
      const top = { ...root, omit: false };
      const envelope = envelopeAround(parseXml(written(top, false)).documentElement as XmlElement, '1.1');
      const before = serializeXml(envelope);
      const all = [envelope, ...descendants(envelope)];
      const omitted = all.filter((node) => node.getAttribute('o') === 'true');
      const { envelope: copy, copies } = copyWithout(envelope, omitted);
      const expected = envelopeAround(parseXml(written(top, true)).documentElement as XmlElement, '1.1');
      expect(serializeXml(copy)).toBe(serializeXml(expected));
      expect(serializeXml(envelope)).toBe(before);
      for (const { parentNode } of omitted) {
        if (
          parentNode &&
          !omitted.some((one) => one !== parentNode && contains(one, parentNode)) &&
          !omitted.includes(parentNode as XmlElement)
        )
          expect(copies.has(parentNode)).toBe(true);
      }
    }),
  );
});

function descendants(element: XmlElement): XmlElement[] {
  return elementChildren(element).flatMap((child) => [child, ...descendants(child)]);
}

function contains(element: XmlElement, node: unknown): boolean {
  return descendants(element).includes(node as XmlElement);
}
