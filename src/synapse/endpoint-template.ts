import type { Endpoint } from '../endpoints/endpoint.ts';
import { readEndpoint } from '../endpoints/index.ts';
import type { EndpointTemplate } from '../endpoints/template-endpoint.ts';
import { nonEmptyText, readAttributes } from '../grammar/attributes.ts';
import type { Diagnostic, Position } from '../grammar/diagnostic.ts';
import { ConfigElement } from '../grammar/element.ts';
import { ArtifactReader } from '../grammar/reader.ts';
import { MediationError } from '../message/errors.ts';
import { cloneInto, type XmlAttribute, type XmlElement, type XmlNode } from '../xml/index.ts';

const ATTRIBUTES = {
  name: nonEmptyText({ required: true, missing: 'A EIP template should be a named mediator .', doc: 'Its name.' }),
  onError: nonEmptyText({ doc: 'Of templates of sequences.' }),
} as const;
const PARAMETER_ATTRIBUTES = {
  name: nonEmptyText({ required: true, doc: 'What stands for the value, with a $ before it.' }),
  isMandatory: nonEmptyText({ doc: 'Of templates of sequences.' }),
  defaultValue: nonEmptyText({ doc: 'Of templates of sequences.' }),
} as const;
/** Given with every `<endpoint template="…">`, declared or not (spec proxies 5.4). */
const IMPLICIT_PARAMETERS = ['name', 'uri'];
/** Without a name of its own the endpoint has none. */
const ANONYMOUS: ReadonlyMap<string, string> = new Map([['name', '']]);
const TEXT_NODE = 3;
/** Stands for every value when a template is checked: a number, a name and nearly an address. */
const ANY_VALUE = '1';

/** Reads a `<template>` with an `<endpoint>` inside (spec proxies 6.6); undefined after an error. */
export function readEndpointTemplate(element: ConfigElement, reader: ArtifactReader): EndpointTemplate | undefined {
  const attributes = readAttributes(element, ATTRIBUTES, reader);
  reader.warnUnknownChildren(element, ['parameter', 'endpoint', 'description']);
  const endpoint = element.child('endpoint');
  if (!endpoint) {
    reader.error(element, 'A template needs a sequence or an endpoint inside', {
      expected: '<sequence> or <endpoint>',
    });
    return undefined;
  }
  const parameters = readParameterNames(element, reader);
  checkTemplate(endpoint, parameters, reader);
  if (!attributes || reader.failed) return undefined;
  const { name } = attributes;
  return { kind: 'endpoint', name, endpointWith: (values) => makeEndpoint(name, endpoint, parameters, values, reader) };
}

function readParameterNames(element: ConfigElement, reader: ArtifactReader): string[] {
  const names = [...IMPLICIT_PARAMETERS];
  for (const child of element.childrenNamed('parameter')) {
    const attributes = readAttributes(child, PARAMETER_ATTRIBUTES, reader);
    if (attributes && !names.includes(attributes.name)) names.push(attributes.name);
  }
  return names;
}

/** Everything that is wrong with it whatever the values are is told when the template is deployed. */
function checkTemplate(endpoint: ConfigElement, parameters: readonly string[], reader: ArtifactReader): void {
  const filling = new Filling(parameters, new Map(parameters.map((parameter) => [parameter, ANY_VALUE])));
  const trial = new ArtifactReader(reader.values);
  readEndpoint(filling.fill(endpoint), trial, { named: false });
  const certain = ({ position }: { readonly position: Position }) => !filling.places.has(placeOf(position));
  reader.diagnostics.push(...trial.diagnostics.filter(certain));
  reader.references.push(...trial.references.filter(certain));
}

/** @throws MediationError when the endpoint cannot be read with these values */
function makeEndpoint(
  template: string,
  endpoint: ConfigElement,
  parameters: readonly string[],
  values: ReadonlyMap<string, string>,
  { values: lookup }: ArtifactReader,
): Endpoint {
  const filling = new Filling(parameters, new Map([...ANONYMOUS, ...values]));
  const reader = new ArtifactReader(lookup);
  const made = readEndpoint(filling.fill(endpoint), reader, { named: false });
  const [missing] = filling.missing;
  if (missing !== undefined) throw new MediationError(`The template '${template}' needs a value for '${missing}'`);
  const problem = reader.diagnostics.find(({ severity }) => severity === 'error');
  if (made && !problem) return made;
  throw new MediationError(
    `The template '${template}' makes no endpoint: ${problem ? located(problem) : 'it is empty'}`,
  );
}

function located({ message, position: { file, line, column } }: Diagnostic): string {
  return `${message} (${file}:${line}:${column})`;
}

function placeOf({ line, column }: Position): string {
  return `${line}:${column}`;
}

/** Replaces each attribute or text that is `$parameter` as a whole by its value. */
class Filling {
  /** Where that was done: the elements and their attributes. */
  readonly places = new Set<string>();
  /** Parameters that are used and have no value. */
  readonly missing = new Set<string>();
  readonly #parameters: readonly string[];
  readonly #values: ReadonlyMap<string, string>;

  constructor(parameters: readonly string[], values: ReadonlyMap<string, string>) {
    this.#parameters = parameters;
    this.#values = values;
  }

  /** A copy with the values. */
  fill(element: ConfigElement): ConfigElement {
    const document = element.node.ownerDocument;
    if (!document) throw new Error('an element of an artifact file belongs to a document');
    const filled = new ConfigElement(cloneInto(document, element.node), element.source, element.parent);
    this.#fillElement(filled);
    return filled;
  }

  #fillElement(element: ConfigElement): void {
    const attributes = attributesOf(element.node);
    let touched = false;
    for (const attribute of attributes) {
      const value = this.#valueFor(attribute.value);
      if (value === undefined) continue;
      attribute.value = value;
      touched = true;
    }
    for (let node: XmlNode | null = element.node.firstChild; node; node = node.nextSibling) {
      const value = node.nodeType === TEXT_NODE ? this.#valueFor(node.nodeValue ?? '') : undefined;
      if (value === undefined) continue;
      node.nodeValue = value;
      touched = true;
    }
    if (touched) {
      this.places.add(placeOf(element.position));
      for (const { nodeName } of attributes) this.places.add(placeOf(element.attributePosition(nodeName)));
    }
    for (const child of element.children) this.#fillElement(child);
  }

  #valueFor(written: string): string | undefined {
    const text = written.trim();
    const parameter = text.startsWith('$') ? text.slice(1) : '';
    if (!this.#parameters.includes(parameter)) return undefined;
    const value = this.#values.get(parameter);
    if (value === undefined) this.missing.add(parameter);
    return value;
  }
}

function attributesOf(node: XmlElement): XmlAttribute[] {
  return Array.from(node.attributes as unknown as ArrayLike<XmlAttribute>);
}
