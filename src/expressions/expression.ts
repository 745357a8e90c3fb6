import type { MessageContext } from '../message/message-context.ts';
import type { JsonValue, PropertyValue } from '../message/property-value.ts';
import type { XmlNode } from '../xml/index.ts';

/**
 * An expression of an artifact, compiled once at deployment (spec mediators 4.1). It is shared by all messages and keeps no state of
 * any of them (MREQ-31).
 */
export interface Expression {
  /** As written in the artifact. */
  readonly source: string;
  readonly kind: 'xpath' | 'json-eval' | 'synapse';
  /** Whether it looks at the payload, derived from what was compiled (MREQ-8). */
  readonly needsBody: boolean;
  /** What is suspicious about it though it compiles; for a warning at its place in the artifact. */
  readonly warnings: readonly string[];
  /**
   * What nearly everything uses (spec mediators 4.2.5, 4.3). Null when a property does not exist; who asks decides what that means.
   * @throws MediationError when the evaluation fails or the payload cannot be read
   */
  stringValue(message: MessageContext): string | null;
  /**
   * What filters ask (spec mediators 3.12, 4.2.6).
   * @throws MediationError as {@link stringValue}
   */
  booleanValue(message: MessageContext): boolean;
  /**
   * What was selected, one by one, for mediators that iterate: nodes of the message itself (not copies), or JSON values. Results that
   * are no selection, such as `count(//x)`, give none.
   * @throws MediationError as {@link stringValue}; also for a JSON path that is missing
   */
  nodes(message: MessageContext): readonly (XmlNode | JsonValue)[];
  /**
   * The result with its type, for variables and template parameters (MREQ-18): elements of the message itself, numbers, truth
   * values, JSON; else text. Null as in {@link stringValue}.
   * @throws MediationError as {@link stringValue}
   */
  value(message: MessageContext): PropertyValue | null;
}

/** Namespaces by prefix, as declared around the element that holds the expression. */
export type Prefixes = Readonly<Record<string, string>>;
