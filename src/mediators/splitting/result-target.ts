import { jsonText } from '../../expressions/json-text.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { type JsonNode, parseJson } from '../../message/json.ts';
import type { MessageContext } from '../../message/message-context.ts';
import type { Payload } from '../../message/payload.ts';
import { setProperty } from '../../message/property-scopes.ts';
import { JsonValue } from '../../message/property-value.ts';
import { cloneInto, createElement, NodeBudget, newDocument, type XmlElement } from '../../xml/index.ts';

/** Where foreach and scatter-gather put their results, and as what (spec mediators 3.26, 3.27). */
export interface ResultTarget {
  readonly type: 'JSON' | 'XML';
  /** Undefined: the Body. */
  readonly variable: string | undefined;
  setJson(message: MessageContext, items: readonly JsonNode[]): void;
  /** @param elements are copied into the enclosing element */
  setXml(message: MessageContext, elements: readonly XmlElement[]): void;
  /** What is no JSON becomes null in a JSON result, and what is no XML is left out of an XML one. */
  setPayloads(message: MessageContext, payloads: ReadonlyArray<Payload | undefined>): void;
}

/**
 * Checks the attributes; undefined after an error.
 * @param options.mediator as the reference's messages name it
 */
export function readResultTarget(
  element: ConfigElement,
  reader: ArtifactReader,
  options: {
    readonly mediator: string;
    readonly type: string;
    readonly enclosing: string | undefined;
    readonly variable: string | undefined;
  },
): ResultTarget | undefined {
  const { mediator, variable, enclosing } = options;
  const type = options.type.toUpperCase();
  if (type !== 'JSON' && type !== 'XML') {
    reader.error(element, "The 'result-content-type' attribute should be either 'JSON' or 'XML'", {
      attribute: 'result-content-type',
      expected: 'JSON or XML',
    });
    return undefined;
  }
  if (type === 'XML' && enclosing === undefined) {
    reader.error(
      element,
      `The 'result-enclosing-element' attribute is required for the configuration of a ${mediator} mediator when the 'result-content-type' is 'XML'`,
    );
    return undefined;
  }
  return new Target(type, variable, enclosing ?? 'results');
}

class Target implements ResultTarget {
  readonly type: 'JSON' | 'XML';
  readonly variable: string | undefined;
  readonly #enclosing: string;

  constructor(type: 'JSON' | 'XML', variable: string | undefined, enclosing: string) {
    this.type = type;
    this.variable = variable;
    this.#enclosing = enclosing;
  }

  setJson(message: MessageContext, items: readonly JsonNode[]): void {
    const text = jsonText({ kind: 'array', items });
    if (this.variable !== undefined) {
      message.variables.set(this.variable, new JsonValue(text));
      return;
    }
    message.payload.setJson(text);
    setProperty(message, 'axis2', 'messageType', 'application/json');
  }

  setXml(message: MessageContext, elements: readonly XmlElement[]): void {
    const document = newDocument(null, this.#enclosing);
    const root = document.documentElement ?? createElement(document, null, this.#enclosing);
    const budget = new NodeBudget();
    for (const element of elements) root.appendChild(cloneInto(document, element, budget));
    if (this.variable !== undefined) {
      message.variables.set(this.variable, root);
      return;
    }
    message.payload.replaceBody(root);
    setProperty(message, 'axis2', 'messageType', 'application/xml');
  }

  setPayloads(message: MessageContext, payloads: ReadonlyArray<Payload | undefined>): void {
    if (this.type === 'JSON') this.setJson(message, payloads.map(jsonOrNull));
    else
      this.setXml(
        message,
        payloads.map((payload) => payload?.firstBodyChild()).filter((child) => child !== undefined),
      );
  }
}

/** The JSON of a payload, null for one that is none. */
export function jsonOrNull(payload: Payload | undefined): JsonNode {
  const text = payload?.json();
  return text === undefined ? { kind: 'null' } : parseJson(text);
}
