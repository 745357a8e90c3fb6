import { existsSync, globSync, readFileSync } from 'node:fs';
import { XmlDocument, XsdValidator } from 'libxml2-wasm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { artifactSchema } from '../../../src/cli/schema/artifact-schema.ts';
import type { Diagnostic } from '../../../src/grammar/diagnostic.ts';
import type { ConfigElement } from '../../../src/grammar/element.ts';
import { ArtifactReader } from '../../../src/grammar/reader.ts';
import { MEDIATORS } from '../../../src/mediators/index.ts';
import { readArtifactFile } from '../../../src/synapse/index.ts';
import { serializeXml } from '../../../src/xml/index.ts';

const CORPUS = '../shared/corpus/open';
const NS = 'http://ws.apache.org/ns/synapse';
const text = artifactSchema();

let schema: XmlDocument;
let validator: XsdValidator;
beforeAll(() => {
  schema = XmlDocument.fromString(text);
  validator = XsdValidator.fromDoc(schema);
});
afterAll(() => {
  validator?.dispose();
  schema?.dispose();
});

/** What the schema complains about; undefined where the text is not XML. */
function problemsOf(xml: string): readonly string[] | undefined {
  let document: XmlDocument;
  try {
    document = XmlDocument.fromString(xml);
  } catch {
    return undefined;
  }
  try {
    validator.validate(document);
    return [];
  } catch (error) {
    const { details = [] } = error as { details?: ReadonlyArray<{ message: string; line?: number }> };
    return details.map(({ message, line }) => `${line}: ${message.replaceAll(`{${NS}}`, '').trim()}`);
  } finally {
    document.dispose();
  }
}

const inSequence = (xml: string) => `<sequence xmlns="${NS}" name="S">${xml}</sequence>`;

describe('the XSD of artifacts (OP-127)', () => {
  it('has every mediator with its attributes and their documentation', () => {
    for (const { element, attributes, doc } of MEDIATORS) {
      expect(text, element).toContain(`<xs:element name="${element}" type="${element}"/>`);
      const type = new RegExp(`<xs:complexType name="${element}" mixed="true">[\\s\\S]*?</xs:complexType>`).exec(
        text,
      )?.[0];
      for (const name of Object.keys(attributes)) expect(type, element).toContain(`<xs:attribute name="${name}"`);
      if (element !== 'sequence') expect(type).toContain(doc.slice(0, 20).replaceAll(/[<&>"].*/g, ''));
    }
  });

  it.each([
    [inSequence('<log levle="full"/>'), /log', attribute 'levle'.*not allowed/],
    [inSequence('<filter source="a" regex="b"><then><log foo="1"/></then></filter>'), /log', attribute 'foo'/],
    [inSequence('<store/>'), /attribute 'messageStore' is required/],
    [inSequence('<payloadFactory media-type="yaml"/>'), /value 'yaml' is not an element of the set/],
    [inSequence('<switch><case regex="a"/></switch>'), /attribute 'source' is required/],
    [inSequence('<switch source="a"><cas regex="a"/></switch>'), /cas': This element is not expected/],
    [`<proxy xmlns="${NS}" name="P"><taget/></proxy>`, /taget': This element is not expected/],
    [`<proxy xmlns="${NS}"/>`, /attribute 'name' is required/],
    [`<endpoint xmlns="${NS}" name="E"><address url="x"/></endpoint>`, /attribute 'url' is not allowed/],
    [`<endpont xmlns="${NS}"/>`, /No matching global declaration/],
    [`<definitions xmlns="${NS}"><api name="A"/></definitions>`, /attribute 'context' is required/],
  ])('complains about what is wrong in %s', (xml, problem) => {
    expect(problemsOf(xml)?.join('\n')).toMatch(problem);
  });

  it.each([
    inSequence('<http.get configKey="C"><relativePath>/a</relativePath></http.get><salesforce.query/>'),
    inSequence(
      '<payloadFactory media-type="xml"><format><property xmlns="" a="1"/><log levle="x"/></format></payloadFactory>',
    ),
    inSequence(
      '<log><property name="a" expression="$body//x"/></log><property name="a" type="OM"><log levle="x"/></property>',
    ),
    `<localEntry xmlns="${NS}" key="k"><sequence levle="x"/></localEntry>`,
    `<messageStore xmlns="${NS}" name="M" class="com.acme.Own"><parameter name="my.own">1</parameter></messageStore>`,
  ])('takes connector operations, free XML and names of others: %s', (xml) => {
    expect(problemsOf(xml)).toEqual([]);
  });

  it.each(globSync('samples/*/artifacts/**/*.xml'))('takes %s', (file) => {
    expect(problemsOf(readFileSync(file, 'utf8'))).toEqual([]);
  });
});

const files = existsSync(CORPUS) ? globSync(`${CORPUS}/**/*.xml`) : [];

/** Refused, each with what to do instead. */
const REFUSED = ['dynamicLoadbalance', 'SALoadbalance'];

describe.skipIf(files.length === 0)(`the public artifacts in ${CORPUS}`, () => {
  interface Read {
    readonly file: string;
    readonly xml: string;
    /** The server has nothing to say about its attributes and elements. */
    readonly clean: boolean;
  }
  /** An element with what the grammar knows of it. */
  interface Known {
    readonly element: ConfigElement;
    readonly attributes: readonly string[];
    readonly children: readonly string[];
  }
  const read: Read[] = [];
  const known = new Map<string, Known>();

  beforeAll(() => {
    const remember = (element: ConfigElement, more: Pick<Known, 'attributes' | 'children'>) => {
      const key = JSON.stringify([element.parent?.name, element.name, more]);
      if (element.namespace === NS && !known.has(key)) known.set(key, { element, ...more });
    };
    const { warnUnknownAttributes, warnUnknownChildren } = ArtifactReader.prototype;
    const spies = [
      vi.spyOn(ArtifactReader.prototype, 'warnUnknownAttributes').mockImplementation(function (
        this: ArtifactReader,
        element,
        attributes,
      ) {
        remember(element, { attributes, children: [] });
        warnUnknownAttributes.call(this, element, attributes);
      }),
      vi.spyOn(ArtifactReader.prototype, 'warnUnknownChildren').mockImplementation(function (
        this: ArtifactReader,
        element,
        children,
      ) {
        remember(element, { attributes: [], children });
        warnUnknownChildren.call(this, element, children);
      }),
    ];
    try {
      for (const file of files) {
        const xml = readFileSync(file, 'utf8');
        const { diagnostics } = readArtifactFile({ file, text: xml });
        const odd = ({ severity, message }: Diagnostic) =>
          severity === 'error' || /^unknown (?:attribute|element)|in no namespace/.test(message);
        read.push({ file, xml, clean: !diagnostics.some(odd) });
      }
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
  }, 240_000);

  it('are taken where the server takes them without a word about their attributes and elements', () => {
    const clean = read.filter((one) => one.clean);
    expect(clean.length).toBeGreaterThan(1_900);
    const wrong = clean.flatMap(({ file, xml }) => (problemsOf(xml) ?? []).map((problem) => `${file}:${problem}`));
    expect(wrong).toEqual([]);
  }, 120_000);

  it('show that every attribute and element that the grammar knows is declared', () => {
    const wrong = new Set<string>();
    expect(known.size).toBeGreaterThan(80);
    for (const { element, attributes, children } of known.values()) {
      for (const name of attributes) if (!element.node.hasAttribute(name)) element.node.setAttribute(name, 'true');
      for (const name of children) element.node.appendChild(element.node.ownerDocument.createElementNS(NS, name));
      let root = element;
      while (root.parent) root = root.parent;
      for (const problem of problemsOf(serializeXml(root.node)) ?? []) {
        const [, on, attribute = ''] = /Element '([^']+)', attribute '([^']+)': .*not allowed/.exec(problem) ?? [];
        const [, child = ''] = /Element '([^']+)': This element is not expected/.exec(problem) ?? [];
        const isOurs = on === element.name ? attributes.includes(attribute) : children.includes(child);
        if (isOurs && !REFUSED.includes(child)) wrong.add(problem.replace(/^\d+: /, ''));
      }
    }
    expect([...wrong]).toEqual([]);
  }, 120_000);
});
