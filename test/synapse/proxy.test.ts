import { describe, expect, test } from 'vitest';
import { only, printed, problems, read, SYN } from './read.ts';

const TARGET = '<target><inSequence><drop/></inSequence></target>';

function proxy(attributes: string, inner = TARGET, lookup = {}) {
  return read(`<proxy ${SYN} ${attributes}>${inner}</proxy>`, lookup);
}

function definition(attributes: string, inner = TARGET, lookup = {}) {
  return only(proxy(attributes, inner, lookup), 'proxy').content;
}

describe('x.max.body.bytes (OP-91)', () => {
  const limited = (value: string) => `${TARGET}<parameter name="x.max.body.bytes">${value}</parameter>`;

  test('is the limit of this proxy', () => {
    expect(definition('name="p"').maxBodyBytes).toBeUndefined();
    expect(definition('name="p"', limited(' 1024 ')).maxBodyBytes).toBe(1024);
  });

  test.each(['', '0', '-1', '16MB', '2147483648', '1e3'])("'%s' is refused", (value) => {
    expect(printed(proxy('name="p"', limited(value)))).toContain(
      `'${value}' is not a valid number for x.max.body.bytes`,
    );
  });
});

describe('attributes', () => {
  test('defaults', () => {
    expect(definition('name="p"')).toMatchObject({
      name: 'p',
      transports: undefined,
      startOnLoad: true,
      pinnedServers: [],
      publishWsdl: undefined,
      endpoint: undefined,
    });
  });

  test('the name may have slashes', () => {
    expect(definition('name="group/p"').name).toBe('group/p');
  });

  test.each([
    ['https http', ['https', 'http']],
    ['https,http', ['https', 'http']],
    [' https , http ', ['https', 'http']],
    ['all', undefined],
    ['', undefined],
  ])('transports="%s"', (written, expected) => {
    expect(definition(`name="p" transports="${written}"`).transports).toEqual(expected);
  });

  test.each([
    ['true', true],
    ['TRUE', true],
    ['false', false],
  ])('startOnLoad="%s"', (written, expected) => {
    const reading = proxy(`name="p" startOnLoad="${written}"`);
    expect(only(reading, 'proxy').content.startOnLoad).toBe(expected);
    expect(problems(reading)).toEqual([]);
  });

  test('startOnLoad="yes" means false and is warned about', () => {
    const reading = proxy('name="p" startOnLoad="yes"');
    expect(only(reading, 'proxy').content.startOnLoad).toBe(false);
    expect(problems(reading)).toEqual([expect.stringContaining("warning 'yes' is read as false for 'startOnLoad'")]);
  });

  test('pinnedServers, with placeholders', () => {
    const lookup = { environment: (name: string) => (name === 'SERVER' ? 's1' : undefined) };
    expect(definition('name="p" pinnedServers="$SYSTEM:SERVER, s2"', TARGET, lookup).pinnedServers).toEqual([
      's1',
      's2',
    ]);
  });

  test('unknown ones are warned about, with the nearest', () => {
    const reading = proxy('name="p" transport="http"');
    expect(only(reading, 'proxy').content.name).toBe('p');
    expect(printed(reading)).toContain("did you mean 'transports'?");
  });
});

describe('target', () => {
  test('keys are references', () => {
    const artifact = only(
      proxy('name="p"', '<target inSequence="i" outSequence="o" faultSequence="f" endpoint="e"/>'),
      'proxy',
    );
    expect(artifact.content).toMatchObject({
      inSequence: { kind: 'key', key: 'i' },
      outSequence: { kind: 'key', key: 'o' },
      faultSequence: { kind: 'key', key: 'f' },
      endpoint: { kind: 'key', key: 'e' },
    });
    expect(artifact.references.map(({ kind, name, position }) => `${kind} ${name} ${position.line}`)).toEqual([
      'sequence i 1',
      'sequence o 1',
      'sequence f 1',
      'endpoint e 1',
    ]);
  });

  test('inline sequences have stable ids', () => {
    const { inSequence, outSequence, faultSequence } = definition(
      'name="P"',
      '<target><inSequence><log/><drop/></inSequence><outSequence/><faultSequence/></target>',
    );
    expect(inSequence?.kind === 'inline' && inSequence.sequence.list.steps.map(({ id }) => id)).toEqual([
      'proxy/P/in/1',
      'proxy/P/in/2',
    ]);
    expect(outSequence).toMatchObject({ kind: 'inline', sequence: { list: { steps: [] } } });
    expect(faultSequence).toMatchObject({ kind: 'inline' });
  });

  test('an empty inSequence counts as present', () => {
    expect(definition('name="p"', '<target><inSequence/></target>').inSequence?.kind).toBe('inline');
  });

  test('the attribute wins over the child, which is not looked at', () => {
    const reading = proxy('name="p"', '<target inSequence="s"><inSequence><nonsense/></inSequence></target>');
    expect(only(reading, 'proxy').content.inSequence).toEqual({ kind: 'key', key: 's' });
    expect(problems(reading)).toEqual([expect.stringContaining('warning this <inSequence> is ignored')]);
  });

  test('an inline endpoint', () => {
    const { endpoint } = definition(
      'name="p"',
      '<target><endpoint><address uri="http://localhost:9000/"/></endpoint></target>',
    );
    expect(endpoint).toMatchObject({ kind: 'inline', endpoint: { kind: 'address', name: undefined } });
  });

  test('is required', () => {
    expect(problems(proxy('name="p"', ''))).toEqual(['1:1 error Target is required for a Proxy service definition']);
  });

  test('needs an inSequence or an endpoint', () => {
    expect(problems(proxy('name="p"', '<target><outSequence/></target>'))).toEqual([
      expect.stringContaining(
        'error Target of the proxy service must declare either an inSequence or endpoint or both',
      ),
    ]);
  });

  test('a broken inline endpoint is told once', () => {
    expect(problems(proxy('name="p"', '<target><endpoint/></target>'))).toEqual([
      expect.stringContaining('error Invalid endpoint configuration.'),
    ]);
  });
});

describe('publishWSDL', () => {
  const wsdl = '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" name="w"/>';
  const published = (attributes: string, inner = '') =>
    definition('name="p"', `${TARGET}<publishWSDL ${attributes}>${inner}</publishWSDL>`).publishWsdl;

  test.each([
    ['endpoint="e" key="k" uri="u"', { kind: 'endpoint', value: 'e' }],
    ['key="k" uri="u"', { kind: 'key', value: 'k' }],
    ['uri="file:w.wsdl"', { kind: 'uri', value: 'file:w.wsdl' }],
  ])('%s', (attributes, source) => {
    expect(published(attributes, wsdl)?.source).toEqual(source);
  });

  test('inline, with resources and preservePolicy', () => {
    const read = published('preservePolicy="false"', `${wsdl}<resource location="a.xsd" key="a"/>`);
    expect(read).toMatchObject({
      source: { kind: 'inline' },
      preservePolicy: false,
      resources: [{ location: 'a.xsd', key: 'a' }],
    });
    expect(read?.source.kind === 'inline' && read.source.wsdl.localName).toBe('definitions');
  });

  test('with nothing in it is ignored with a warning', () => {
    const reading = proxy('name="p"', `${TARGET}<publishWSDL/>`);
    expect(only(reading, 'proxy').content.publishWsdl).toBeUndefined();
    expect(problems(reading)).toEqual([expect.stringContaining('warning publishWSDL names no WSDL')]);
  });
});

describe('parameters', () => {
  test('text is trimmed, elements are kept, empty ones ignored', () => {
    const inner = `${TARGET}<parameter name="a"> 1 </parameter><parameter name="b"><x xmlns="">y</x></parameter><parameter name="c"/>`;
    const { parameters } = definition('name="p"', inner);
    expect([...parameters]).toEqual([
      ['a', '1'],
      ['b', '<x xmlns="">y</x>'],
    ]);
  });

  test('a nameless one is an error', () => {
    expect(problems(proxy('name="p"', `${TARGET}<parameter>x</parameter>`))).toEqual([
      expect.stringContaining('error a parameter of a proxy service must have a name'),
    ]);
  });

  test('a missing variable is an error, what follows a placeholder is kept', () => {
    const inner = `${TARGET}<parameter name="a">$SYSTEM:HOST:9000</parameter>`;
    expect(problems(proxy('name="p"', inner))).toEqual([
      expect.stringContaining('error Environment variable could not be found'),
    ]);
    const reading = proxy('name="p"', inner, { environment: () => 'h' });
    expect(only(reading, 'proxy').content.parameters.get('a')).toBe('h:9000');
    expect(problems(reading)).toEqual([expect.stringContaining('warning the text after $SYSTEM:HOST is kept')]);
  });

  test('security is read, and warned about where it is not applied', () => {
    const secured = proxy('name="p"', `${TARGET}<policy key="k"/><enableSec/>`);
    expect(problems(secured)).toEqual([]);
    expect(only(secured, 'proxy').content.security).toEqual({ inbound: 'k', outbound: 'k' });
    expect(problems(proxy('name="p"', `${TARGET}<policy key="k"/>`))).toEqual([
      expect.stringContaining('warning the policy is not applied to messages'),
    ]);
  });
});

test('the first seed’s proxy, unmodified', () => {
  const reading = read(`<proxy xmlns="http://ws.apache.org/ns/synapse" name="StockQuoteProxy"
              transports="https http"
              startOnLoad="true">
    <description/>
    <target>
       <inSequence>
          <property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/>
          <property name="OUT_ONLY" value="true"/>
          <store messageStore="JMSMS"/>
       </inSequence>
       <outSequence/>
       <faultSequence/>
    </target>
 </proxy>`);
  expect(problems(reading)).toEqual([]);
  const artifact = only(reading, 'proxy');
  expect(artifact.content).toMatchObject({ name: 'StockQuoteProxy', transports: ['https', 'http'], startOnLoad: true });
  expect(artifact.references).toEqual([
    {
      kind: 'messageStore',
      name: 'JMSMS',
      attribute: 'messageStore',
      position: { file: 'test.xml', line: 9, column: expect.any(Number) },
    },
  ]);
});
