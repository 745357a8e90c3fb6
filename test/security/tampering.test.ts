import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MediationError } from '../../src/message/errors.ts';
import { bodyOf } from '../../src/message/soap.ts';
import { canonicalize } from '../../src/security/canonical-xml.ts';
import { SecurityFailure } from '../../src/security/security-failure.ts';
import { escapeText, XmlSyntaxError } from '../../src/xml/index.ts';
import { envelope, opened, parsed, secured, twoSides } from './two-sides.ts';

/** What is in the Body, whatever its declarations and ids stand. */
function content(text: string): string {
  const body = bodyOf(parsed(text));
  let written = '';
  for (let node = body.firstChild; node; node = node.nextSibling)
    written += node.nodeType === 1 ? canonicalize(node as Parameters<typeof canonicalize>[0]) : (node.nodeValue ?? '');
  return written;
}

const word = fc.string({
  unit: fc.constantFrom('a', 'ß', '\u{1F600}', ' ', '&', '<', '\t', '\n', '"', ']]>'),
  maxLength: 20,
});
const bodies = fc
  .tuple(word, word, fc.constantFrom('m', 'n'))
  .map(
    ([text, value, prefix]) =>
      `<${prefix}:a xmlns:${prefix}="urn:x" v="${escapeText(value).replaceAll('"', '&quot;').replaceAll('\n', '&#10;')}"><b>${escapeText(text)}</b></${prefix}:a>`,
  );

describe('what is secured', () => {
  it('is opened as it was', async () => {
    const { alice, bob } = twoSides({});
    const symmetric = twoSides({ binding: 'symmetric', derivedKeys: true });
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const before = envelope(body);
        const one = await opened(bob, (await secured(alice, before)).text);
        const other = await opened(symmetric.bob, (await secured(symmetric.alice, before)).text);
        expect(content(one.text)).toBe(content(before));
        expect(content(other.text)).toBe(content(before));
      }),
      { numRuns: 15 },
    );
  });

  it.each([
    ['signed', { encrypted: '' }],
    ['signed and encrypted', {}],
    ['symmetric', { binding: 'symmetric' }],
  ] as const)('and changed anywhere is refused, or says the same: %s', async (_, parts) => {
    const { alice } = twoSides(parts);
    const before = envelope('<m:a xmlns:m="urn:x" xsd:v="1"><m:b>text</m:b></m:a>');
    const { text } = await secured(alice, before);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(text.length - 1),
        fc.constantFrom('A', 'x', '1', '', ' ', '<', '&', '='),
        async (at, change) => {
          const changed = text.slice(0, at) + change + text.slice(at + 1);
          // A receiver of its own: a message that came before would be refused for that.
          const { bob } = twoSides(parts);
          try {
            const { text: result } = await opened(bob, changed);
            expect(content(result)).toBe(content(before));
          } catch (error) {
            const expected = [SecurityFailure, MediationError, XmlSyntaxError].some((kind) => error instanceof kind);
            if (!expected) throw error;
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
