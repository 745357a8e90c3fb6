import { SYNAPSE_NAMESPACE } from '../../grammar/element.ts';
import { MEDIATORS } from '../../mediators/index.ts';
import { ARTIFACT_PARTS, ARTIFACT_TYPES, SEQUENCE } from './artifact-types.ts';
import { type AttributeType, type ElementType, SWITCHED, words } from './element-type.ts';
import { ENDPOINT_PARTS } from './endpoint-types.ts';
import { parameterTypes } from './known-parameters.ts';
import { MEDIATOR_PARTS } from './mediator-types.ts';
import { attributeXml, contentXml, documentationXml, escaped } from './xsd-text.ts';

/** What nothing is known of. */
const UNKNOWN: ElementType = { doc: '', children: 'any' };
/** Names that mediators have beside artifacts; one element stands for both. */
const PARTS_EVERYWHERE = ['filter/then', 'filter/else'] as const;

/**
 * An XSD 1.0 of the artifact language for editors (OP-127): out of the tables of mediators, stores, processors and inbound endpoints, and of
 * the structure of artifacts. It complains about attributes and elements that nothing reads, as the server warns about them. Where
 * mediators stand it takes any element, since connectors and extensions bring their own; those that are known are checked.
 */
export function artifactSchema(): string {
  const writer = new SchemaWriter();
  return writer.write();
}

class SchemaWriter {
  readonly #parts: Readonly<Record<string, ElementType>>;
  readonly #globals: ReadonlyMap<string, ElementType>;
  readonly #types = new Map<string, string>();

  constructor() {
    this.#parts = { ...ARTIFACT_PARTS, ...ENDPOINT_PARTS, ...MEDIATOR_PARTS, ...parameterTypes() };
    this.#globals = globalElements();
  }

  write(): string {
    const elements = [...this.#globals].map(([name, type]) => {
      this.#declare(name, name, type);
      return `  <xs:element name="${name}" type="${name}"/>\n`;
    });
    for (const key of PARTS_EVERYWHERE) {
      const name = key.slice(key.indexOf('/') + 1);
      elements.push(`  <xs:element name="${name}" type="${this.#typeOf('filter', name)}"/>\n`);
    }
    return `<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="${SYNAPSE_NAMESPACE}"
           targetNamespace="${SYNAPSE_NAMESPACE}" elementFormDefault="qualified">
${documentationXml('The artifacts of mini-synapse: made by mini-synapse schema.', '  ')}${elements.join('')}
${[...this.#types.values()].join('')}</xs:schema>
`;
  }

  /** The name of the type of a part, which is declared when it is met for the first time. */
  #typeOf(parent: string, child: string): string {
    const own = `${parent}/${child}`;
    const key = own in this.#parts ? own : child;
    const type = this.#parts[key] ?? UNKNOWN;
    const name = type === UNKNOWN ? 'unknown' : key.replace('/', '.').replace(/^(?!.*\.)/, 'part.');
    this.#declare(name, child, type);
    return name;
  }

  #declare(typeName: string, element: string, type: ElementType): void {
    if (this.#types.has(typeName)) return;
    // Types may stand in themselves: it counts as declared from now on.
    this.#types.set(typeName, '');
    const { doc, attributes = {}, children = 'any' } = type;
    const content =
      typeof children === 'string'
        ? contentXml(children)
        : contentXml(children.map((child) => this.#childXml(element, child)));
    const written = Object.entries(attributes).map(([name, attribute]) => attributeXml(name, attribute));
    const xml = `  <xs:complexType name="${typeName}" mixed="true">\n${documentationXml(doc, '    ')}${content}${written.join('')}    <xs:anyAttribute namespace="##other" processContents="skip"/>\n  </xs:complexType>\n`;
    this.#types.set(typeName, xml);
  }

  #childXml(parent: string, child: string): string {
    const isPart = `${parent}/${child}` in this.#parts;
    // Endpoints and sequences inside others are those that stand by themselves.
    if (!isPart && this.#globals.has(child) && !(child in this.#parts)) return `<xs:element ref="${child}"/>`;
    return `<xs:element name="${escaped(child)}" type="${this.#typeOf(parent, child)}"/>`;
  }
}

/** Artifacts, `definitions` around them, and mediators. */
function globalElements(): Map<string, ElementType> {
  const artifacts = { ...ARTIFACT_TYPES, sequence: SEQUENCE };
  const definitions: ElementType = {
    doc: 'Several artifacts in one file.',
    attributes: { ...SWITCHED, name: 'Accepted.' },
    children: Object.keys(artifacts),
  };
  const found = new Map<string, ElementType>([['definitions', definitions], ...Object.entries(artifacts)]);
  for (const { element, doc, attributes, children } of MEDIATORS) {
    if (found.has(element)) continue;
    const types = Object.entries(attributes).map(
      ([name, { doc: about, expected, required }]): [string, AttributeType] => [
        required ? `${name}!` : name,
        attributeOf(about, expected),
      ],
    );
    const named = typeof children === 'string' ? children : ['description', ...children];
    found.set(element, { doc, attributes: { ...Object.fromEntries(types), ...SWITCHED }, children: named });
  }
  return found;
}

/** The grammar says what it expects in words; of a few words it lists them. */
function attributeOf(doc: string, expected: string): AttributeType {
  const [, list] = /^one of: (.+)$/.exec(expected) ?? [];
  if (list !== undefined) return words(doc, ...list.split(', '));
  if (expected === 'true or false') return { doc, words: ['true', 'false'], open: true };
  return expected === 'text' ? doc : `${doc} Expected: ${expected}.`.trim();
}
