/** What may stand in an element, as far as an XSD can say it. */
export interface ElementType {
  readonly doc: string;
  /** By name; a name that ends in `!` is that of an attribute that must be there. */
  readonly attributes?: Readonly<Record<string, AttributeType>>;
  /**
   * Names of child elements, or `mediators`: any mediator, connector operation or extension; `any`: any XML; `text`: no elements. With
   * names, elements of other namespaces may stand among them.
   */
  readonly children?: readonly string[] | 'mediators' | 'any' | 'text';
}

/** Its documentation, or that and the words it may be; `open`: others, too. */
export type AttributeType =
  | string
  | { readonly doc: string; readonly words?: readonly Word[]; readonly open?: boolean };

export type Word = string | { readonly value: string; readonly doc: string };

/** Makes an attribute that is one of a few words. */
export function words(doc: string, ...all: readonly string[]): AttributeType {
  return { doc, words: all };
}

/** Makes an attribute of which some values are known. */
export function suggested(doc: string, all: readonly Word[]): AttributeType {
  return { doc, words: all, open: true };
}

export const TRUE_OR_FALSE = (doc: string): AttributeType => suggested(doc, ['true', 'false']);

/** What every artifact and most elements have. */
export const DESCRIBED = { description: 'Documentation only.' } as const;
export const SWITCHED = {
  statistics: suggested('Collects statistics.', ['enable', 'disable']),
  trace: suggested('Traces messages.', ['enable', 'disable']),
  ...DESCRIBED,
} as const;
