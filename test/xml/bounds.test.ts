import { describe, expect, it } from 'vitest';
import { parseXml, serializeXml, XmlSyntaxError } from '../../src/xml/index.ts';
import { OutputScope } from '../../src/xml/output-scope.ts';
import { qualifiedName } from '../../src/xml/tree-names.ts';

describe('what is kept of names', () => {
  it('is the same for the same short name', () => {
    expect(qualifiedName('urn:a', 'p:short')).toBe(qualifiedName('urn:a', 'p:short'));
  });

  it('is nothing of long ones, which are data of somebody', () => {
    const long = 'k'.repeat(600);
    expect(qualifiedName(null, long)).not.toBe(qualifiedName(null, long));
    expect(qualifiedName(`urn:${long}`, 'p:n')).not.toBe(qualifiedName(`urn:${long}`, 'p:n'));
  });
});

describe('what is said of wrong XML', () => {
  it.each([['</'], ['<'], ['&#'], ['<b ']])('is short however long the wrong thing is: %s', (start) => {
    const told = () => parseXml(`<a>${start}${'9b'.repeat(100_000)}/></a>`);
    expect(told).toThrow(XmlSyntaxError);
    expect(() => parseXml(`<a>${start}${'b'.repeat(100_000)}`)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^[\s\S]{1,301}$/) }),
    );
  });
});

describe('prefixes of a text that is written', () => {
  it('are found by namespace, also after inner ones have hidden and left them', () => {
    const root = parseXml('<r><a><b/></a></r>').documentElement;
    const inner = root?.firstChild;
    if (!root || !inner) throw new Error('no elements');
    const scope = new OutputScope();
    scope.declare(root as never, 'p', 'urn:one');
    scope.declare(root as never, 'q', 'urn:one');
    expect(scope.prefixOf('urn:one')).toBe('p');
    scope.declare(inner as never, 'p', 'urn:two');
    expect(scope.prefixOf('urn:one')).toBe('q');
    expect(scope.prefixOf('urn:two')).toBe('p');
    scope.leave(inner as never);
    expect(scope.prefixOf('urn:two')).toBeUndefined();
    expect(scope.namespaceOf('p')).toBe('urn:one');
    scope.leave(root as never);
    expect(scope.prefixOf('urn:one')).toBeUndefined();
    expect(scope.prefixOf('http://www.w3.org/XML/1998/namespace')).toBe('xml');
  });
});

describe('a processing instruction', () => {
  it('cannot be markup', () => {
    const document = parseXml('<a/>');
    expect(() => document.createProcessingInstruction('x?><evil/><?y', 'd')).toThrow(/is not an XML name/);
    document.documentElement?.appendChild(document.createProcessingInstruction('xml-multiple', 'x'));
    expect(serializeXml(document)).toContain('<?xml-multiple x?>');
  });
});
