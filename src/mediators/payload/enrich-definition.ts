import type { Expression } from '../../expressions/expression.ts';
import type { MessageContext } from '../../message/message-context.ts';
import type { XmlElement } from '../../xml/index.ts';

/** What stands in a configuration or an entry: XML or text. */
export type InlineValue = XmlElement | string;

/** The text of a JSONPath for one message; its placeholders are filled in. */
export type PathFor = (message: MessageContext) => string;

/** Where enrich takes something from (spec mediators 3.13). */
export type EnrichSource =
  | {
      readonly type: 'custom';
      readonly expression: Expression;
      /** Of a json-eval expression. */
      readonly path: PathFor | undefined;
      readonly clone: boolean;
    }
  | { readonly type: 'body'; readonly clone: boolean }
  | { readonly type: 'envelope' }
  | { readonly type: 'property'; readonly name: string }
  /** Undefined when the entry with the content is not there. */
  | { readonly type: 'inline'; readonly content: (message: MessageContext) => InlineValue | undefined };

export type EnrichAction = 'replace' | 'child' | 'sibling';

/** Where enrich puts it. */
export type EnrichTarget =
  | {
      readonly type: 'custom';
      readonly expression: Expression;
      readonly path: PathFor | undefined;
      readonly action: EnrichAction;
    }
  | { readonly type: 'body'; readonly action: EnrichAction }
  | { readonly type: 'envelope' }
  | { readonly type: 'property'; readonly name: string; readonly action: EnrichAction }
  | { readonly type: 'key'; readonly path: PathFor };

/** What `action="remove"` removes, and from where. */
export interface EnrichRemoval {
  readonly expression: Expression;
  /** Of JSON, one for each of the comma-separated paths. */
  readonly paths: readonly PathFor[] | undefined;
  /** Undefined: the payload. */
  readonly property: string | undefined;
}
