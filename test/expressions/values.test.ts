import { describe, expect, it } from 'vitest';
import { dynamic, expression } from '../../src/expressions/attribute-types.ts';
import { parseDynamicValue } from '../../src/expressions/value.ts';
import { readAttributes, ValueError } from '../../src/grammar/attributes.ts';
import { ConfigElement } from '../../src/grammar/element.ts';
import { ArtifactReader } from '../../src/grammar/reader.ts';
import { elementOf, messageWithBody, messageWithJson } from './a-message.ts';

describe('dynamic values (spec mediators 2.4)', () => {
  it.each([
    ['text', 'text'],
    ['', ''],
    [' {//a}', ' {//a}'],
    ['x{//a}', 'x{//a}'],
    ['{//a} ', '{//a} '],
    [' text ', ' text '],
    ['{', '{'],
    ['{{$ctx:a}}', '{$ctx:a}'],
  ])('%j is static: %j', (source, text) => {
    const value = parseDynamicValue(source, {});
    expect(value).toMatchObject({ source, static: text, expression: undefined, needsBody: false });
    expect(value.evaluate(messageWithBody('<a/>'))).toBe(text);
  });

  it('marks what is to be evaluated later', () => {
    expect(parseDynamicValue('{{$ctx:a}}', {}).deferred).toBe(true);
    expect(parseDynamicValue('{$ctx:a}', {}).deferred).toBe(false);
  });

  it('evaluates XPath and json-eval', () => {
    const xpath = parseDynamicValue('{//p:a}', { p: 'urn:p' });
    expect(xpath).toMatchObject({ source: '{//p:a}', static: undefined, needsBody: true });
    expect(xpath.evaluate(messageWithBody('<a xmlns="urn:p">x</a>'))).toBe('x');
    expect(parseDynamicValue('{json-eval($.a)}', {}).evaluate(messageWithJson('{"a":1}'))).toBe('1');
    expect(parseDynamicValue('{$ctx:none}', {}).evaluate(messageWithJson('{}'))).toBeNull();
  });

  it.each([
    ['{//a[}', 'Can not create Synapse Xpath from given key: the expression is not complete at column 5'],
    ['{}', 'Can not create Synapse Xpath from given key: the expression is empty'],
    ['{json-eval($.a[)}', 'Can not create SynapseJsonPath from given: json-eval($.a[): '],
    ['{$'.concat('{payload.}}'), 'Can not create SynapseExpression from given: '],
  ])('%s is refused', (source, message) => {
    expect(() => parseDynamicValue(source, {})).toThrow(ValueError);
    expect(() => parseDynamicValue(source, {})).toThrow(message);
  });
});

describe('attribute types', () => {
  const TYPES = {
    xpath: expression({ required: true, doc: 'an expression' }),
    name: dynamic({ doc: 'a name' }),
  } as const;

  function read(xml: string) {
    const reader = new ArtifactReader();
    const root = new ConfigElement(elementOf(xml), { file: 'a.xml', text: xml });
    const element = root.children[0] ?? root;
    return { values: readAttributes(element, TYPES, reader), diagnostics: reader.diagnostics };
  }

  it('compile with the prefixes around the element', () => {
    const { values, diagnostics } = read('<r xmlns:p="urn:p"><f xpath="//p:a" name="{//p:b}"/></r>');
    expect(diagnostics).toEqual([]);
    expect(values?.xpath.booleanValue(messageWithBody('<a xmlns="urn:p"/>'))).toBe(true);
    expect(values?.name?.evaluate(messageWithBody('<b xmlns="urn:p">n</b>'))).toBe('n');
  });

  it('say where and why an expression is wrong', () => {
    const { values, diagnostics } = read('<r>\n  <f xpath="//a[" name="{b c}"/>\n</r>');
    expect(values).toBeUndefined();
    expect(diagnostics).toMatchObject([
      {
        severity: 'error',
        position: { file: 'a.xml', line: 2, column: 6 },
        message: "attribute 'xpath' of <f>: the expression is not complete at column 5",
      },
      { severity: 'error', position: { line: 2, column: 19 } },
    ]);
  });

  it('warn about what will fail or read something else', () => {
    const { values, diagnostics } = read(`<f xpath="nope()" name="{get-property('trp','x')}"/>`);
    expect(values).toBeDefined();
    expect(diagnostics.map(({ severity, message }) => [severity, message])).toEqual([
      ['warning', 'there is no function nope(): the expression will fail'],
      ['warning', expect.stringContaining("'trp' is no scope of get-property")],
    ]);
  });

  it('warn when an inner declaration hides an outer one that the reference would take (MREQ-17)', () => {
    const hidden = read('<r xmlns:p="urn:outer"><f xmlns:p="urn:inner" xpath="//p:a"/></r>');
    expect(hidden.values?.xpath.booleanValue(messageWithBody('<a xmlns="urn:inner"/>'))).toBe(true);
    expect(hidden.diagnostics).toMatchObject([
      { severity: 'warning', message: expect.stringContaining("'urn:outer'") },
    ]);
    expect(read('<r xmlns:p="urn:outer"><f xmlns:p="urn:inner" xpath="//a"/></r>').diagnostics).toEqual([]);
    expect(read('<r xmlns:p="urn:p"><f xmlns:p="urn:p" xpath="//p:a"/></r>').diagnostics).toEqual([]);
  });
});
