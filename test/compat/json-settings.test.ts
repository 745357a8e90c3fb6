import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { JSON_SETTINGS, readJsonSettings } from '../../src/compat/json-settings.ts';
import { readConfiguration } from '../../src/config/config.ts';
import { DEFAULT_JSON_CONVERSION, setJsonConversion } from '../../src/message/json-conversion.ts';
import { jsonToXml, xmlToJson } from '../../src/message/json-xml.ts';
import { parseXml, serializeXml, type XmlElement } from '../../src/xml/index.ts';
import { type InProcess, serve } from '../support/in-process.ts';

let running: InProcess | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
  setJsonConversion(DEFAULT_JSON_CONVERSION);
});

const C = 'synapse.commons.json.';
const settings = (written: Readonly<Record<string, string>>) =>
  readJsonSettings(
    new Map(Object.entries(written)),
    (name, problem) => {
      throw new Error(`${name}: ${problem}`);
    },
    DEFAULT_JSON_CONVERSION,
  );
const toJson = (xml: string, written: Readonly<Record<string, string>>) =>
  xmlToJson(parseXml(xml).documentElement as XmlElement, settings(written).toJson);
const toXml = (json: string, written: Readonly<Record<string, string>>) =>
  serializeXml(jsonToXml(json, settings(written).toXml));

/** The rows of spec mediators 5.4, with what they change. */
const TO_JSON: ReadonlyArray<readonly [Readonly<Record<string, string>>, xml: string, before: string, after: string]> =
  [
    [
      { [`${C}preserve.namespace`]: 'true' },
      '<n:a xmlns:n="urn:n" n:b="1"/>',
      '{"a":{"@b":"1"}}',
      '{"n_a":{"@n_b":"1"}}',
    ],
    [
      { [`${C}preserve.namespace`]: 'true', [`${C}output.namespaceSepChar`]: '-' },
      '<n:a xmlns:n="urn:n">x</n:a>',
      '{"a":"x"}',
      '{"n-a":"x"}',
    ],
    [
      { [`${C}preserve.namespace`]: 'true', [`${C}output.enableNSDeclarations`]: 'true' },
      '<n:a xmlns:n="urn:n"><b>x</b></n:a>',
      '{"a":{"b":"x"}}',
      '{"n_a":{"@xmlns_n":"urn:n","b":"x"}}',
    ],
    [{ [`${C}output.autoPrimitive`]: 'false' }, '<a>1</a>', '{"a":1}', '{"a":"1"}'],
    [
      { [`${C}output.disableAutoPrimitive.regex`]: '0?[0-9]{3}' },
      '<a><b>123</b><c>12</c></a>',
      '{"a":{"b":123,"c":12}}',
      '{"a":{"b":"123","c":12}}',
    ],
    [
      {
        [`${C}json.output.disableAutoPrimitive.customReplaceRegex`]: '#s#',
        [`${C}json.output.disableAutoPrimitive.customReplaceSequence`]: '',
      },
      '<a>#s#12</a>',
      '{"a":"#s#12"}',
      '{"a":"12"}',
    ],
    [
      { [`${C}output.jsonoutAutoArray`]: 'false' },
      '<a><b>1</b><b>2</b></a>',
      '{"a":{"b":[1,2]}}',
      '{"a":{"b":1,"b":2}}',
    ],
    [
      { [`${C}output.jsonoutMultiplePI`]: 'false' },
      '<a><?xml-multiple b?><b>1</b></a>',
      '{"a":{"b":[1]}}',
      '{"a":{"b":1}}',
    ],
    [
      { 'synapse.commons.enableXmlNilReadWrite': 'true' },
      '<a><b nil="true"/></a>',
      '{"a":{"b":{"@nil":"true"}}}',
      '{"a":{"b":null}}',
    ],
    [{ 'synapse.commons.enableXmlNullForEmptyElement': 'false' }, '<a><b/></a>', '{"a":{"b":null}}', '{"a":{"b":""}}'],
  ];

const TO_XML: ReadonlyArray<readonly [Readonly<Record<string, string>>, json: string, before: string, after: string]> =
  [
    [
      { 'synapse.commons.enableXmlNilReadWrite': 'true' },
      '{"a":null}',
      '<jsonObject><a/></jsonObject>',
      '<jsonObject><a nil="true"/></jsonObject>',
    ],
    ...['synapse.json.to.xml.processing.instruction.enabled', `${C}output.xmloutMultiplePI`].map(
      (name) =>
        [
          { [name]: 'true' },
          '{"a":[1],"b":[],"c":[[2]]}',
          '<jsonObject><a>1</a><c><jsonArray><jsonElement>2</jsonElement></jsonArray></c></jsonObject>',
          '<jsonObject><?xml-multiple a?><a>1</a><?xml-multiple b?><?xml-multiple c?><c><jsonArray><?xml-multiple jsonElement?><jsonElement>2</jsonElement></jsonArray></c></jsonObject>',
        ] as const,
    ),
  ];

describe('settings of the conversion, each by itself', () => {
  it.each(TO_JSON)('%j: XML to JSON', (written, xml, before, after) => {
    expect([toJson(xml, {}), toJson(xml, written)]).toEqual([before, after]);
  });

  it.each(TO_XML)('%j: JSON to XML', (written, json, before, after) => {
    expect([toXml(json, {}), toXml(json, written)]).toEqual([before, after]);
  });

  it('with processing instructions or nil, JSON comes back as it was, even from text', () => {
    const written = {
      'synapse.json.to.xml.processing.instruction.enabled': 'true',
      'synapse.commons.enableXmlNilReadWrite': 'true',
    };
    for (const json of ['{"a":[1],"b":[],"c":null}', '[1]', '[{"x":[true]}]']) {
      const again = parseXml(toXml(json, written)).documentElement as XmlElement;
      expect(xmlToJson(again, settings(written).toJson)).toBe(json);
    }
  });

  it('names are valid whatever buildValidNCNames says; xmloutAutoArray changes nothing', () => {
    for (const name of [`${C}buildValidNCNames`, `${C}output.xmloutAutoArray`]) {
      expect(toXml('{"a b":[1,2]}', { [name]: 'false' })).toBe(toXml('{"a b":[1,2]}', {}));
    }
  });

  it('every setting is tried above', () => {
    const tried = [...TO_JSON, ...TO_XML].flatMap(([written]) => Object.keys(written));
    expect(new Set([...tried, `${C}buildValidNCNames`, `${C}output.xmloutAutoArray`])).toEqual(new Set(JSON_SETTINGS));
  });
});

describe('[synapse_properties]', () => {
  function configured(text: string) {
    const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-properties-'));
    try {
      const config = join(folder, 'deployment.toml');
      writeFileSync(config, text);
      return readConfiguration({ config }).synapseProperties;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  it('is read, with what has no effect told by file and line', () => {
    const { jsonConversion, ignored } = configured(
      `[synapse_properties]\n'${C}output.autoPrimitive' = false\n'${C}output.autoPrimitve' = false\n'synapse.xpath.func.extensions' = "x"\n'synapse.rest.CORSConfig.enabled' = true\n`,
    );
    expect(jsonConversion.toJson).toMatchObject({ autoPrimitive: false, rememberTypes: false });
    expect(ignored).toEqual([
      expect.stringMatching(
        /deployment\.toml:3: 'synapse\.commons\.json\.output\.autoPrimitve' in \[synapse_properties\] has no effect here, did you mean 'synapse\.commons\.json\.output\.autoPrimitive'\?$/,
      ),
      expect.stringMatching(/deployment\.toml:4: 'synapse\.xpath\.func\.extensions' in .* has no effect here/),
    ]);
    expect(configured('').ignored).toEqual([]);
  });

  it('is refused where a value is wrong', () => {
    expect(() => configured(`[synapse_properties]\n'${C}output.autoPrimitive' = "never"\n`)).toThrow(
      /deployment\.toml:2: '.*autoPrimitive' in \[synapse_properties\]: 'never' is no truth value, expected true or false/,
    );
    expect(() => configured(`[synapse_properties]\n'${C}output.disableAutoPrimitive.regex' = "("\n`)).toThrow(
      /deployment\.toml:2: '.*disableAutoPrimitive\.regex'/,
    );
  });

  it('changes what clients get, and jsontransform changes it once more', async () => {
    const answer = (inside: string) =>
      `<inSequence><property name="messageType" value="application/json" scope="axis2"/>${inside}<respond/></inSequence>`;
    const once = `<jsontransform><property name="${C}output.autoPrimitive" value="true"/></jsontransform>`;
    running = await serve(
      {
        P: `<proxy xmlns="http://ws.apache.org/ns/synapse" name="P"><target>${answer('')}</target></proxy>`,
        Q: `<proxy xmlns="http://ws.apache.org/ns/synapse" name="Q"><target>${answer(once)}</target></proxy>`,
      },
      `[synapse_properties]\n'${C}output.autoPrimitive' = false\n'${C}preserve.namespace' = true\n`,
    );
    const ask = async (name: string) => {
      const request = {
        method: 'POST',
        body: '<n:a xmlns:n="urn:n">1</n:a>',
        headers: { 'Content-Type': 'application/xml' },
      };
      return (await fetch(running?.service(name) ?? '', request)).text();
    };
    expect(await ask('P')).toBe('{"n_a":"1"}');
    expect(await ask('Q')).toBe('{"n_a":1}');
  });
});
