import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigElement } from '../../src/grammar/element.ts';
import { resolvePlaceholders } from '../../src/grammar/placeholders.ts';
import { ArtifactReader } from '../../src/grammar/reader.ts';
import { parseXml, type XmlElement } from '../../src/xml/index.ts';

const TEXT = '<p/>';
const ELEMENT = new ConfigElement(parseXml(TEXT).documentElement as XmlElement, { file: 'a.xml', text: TEXT });

function resolved(text: string) {
  const reader = new ArtifactReader({
    environment: (name) => (name === 'HOST' ? 'h' : undefined),
    fileProperty: (key) => (key === 'port' ? '1' : undefined),
    configuration: (name) => (name === 'a.b' ? 'c' : undefined),
    secret: (alias) => ({ db: 'pa$SYSTEM:HOST{x}', 'a.b-c': 'other', 'ns.a.b.c': 'three' })[alias],
  });
  const value = resolvePlaceholders(text, ELEMENT, reader);
  return { value, problems: reader.diagnostics.map(({ severity, message }) => `${severity} ${message}`) };
}

describe('placeholders', () => {
  it.each([
    ['plain', 'plain'],
    ['$SYSTEM:HOST', 'h'],
    ['$FILE:port', '1'],
    [`\${configs.a.b}`, 'c'],
    ["{wso2:vault-lookup('db')}", 'pa$SYSTEM:HOST{x}'],
    ['{wso2:vault-lookup( "a.b-c" )}', 'other'],
    [`{hashicorp:vault-lookup('a', "b-c")}`, 'other'],
    ["{hashicorp:vault-lookup( 'ns', 'a/b' ,'c')}", 'three'],
    ["x{wso2:vault-lookup('a.b-c')}y{w:vault-lookup('a.b-c')}", 'xotheryother'],
  ])('%s', (text, value) => {
    expect(resolved(text)).toEqual({ value, problems: [] });
  });

  it.each([
    ['$SYSTEM:NONE', 'error Environment variable could not be found'],
    ['$FILE:none', 'error File parameter key: none could not be found'],
    [`\${configs.none}`, 'error Parameter key: none could not be found'],
    ["{wso2:vault-lookup('none')}", "error there is no secret 'none'"],
    ["{hashicorp:vault-lookup('a', 'b')}", "error there is no secret 'a.b'"],
    ["{hashicorp:vault-lookup('a')}", "error hashicorp:vault-lookup('a') cannot be read"],
    ["{wso2:vault-lookup('a', 'b')}", "error wso2:vault-lookup('a', 'b') cannot be read"],
    ['{wso2:vault-lookup(name)}', 'error wso2:vault-lookup(name) cannot be read'],
  ])('%s is an error', (text, problem) => {
    expect(resolved(text)).toEqual({ value: undefined, problems: [problem] });
  });

  it('keeps what follows, with a warning', () => {
    expect(resolved('$SYSTEM:HOST:9000')).toMatchObject({
      value: 'h:9000',
      problems: [expect.stringMatching(/^warning/)],
    });
  });

  it('leaves every text without them alone', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes('$') && !text.includes('vault-lookup('));
        expect(resolved(text)).toEqual({ value: text, problems: [] });
      }),
    );
  });
});
