/** As the mediator's `type` says (spec mediators 3.30). */
export type XqueryType = 'integer' | 'boolean' | 'double' | 'float' | 'string' | 'node';

export interface XqueryJob {
  readonly query: string;
  readonly variables: ReadonlyArray<{ readonly name: string; readonly type: XqueryType; readonly value: string }>;
}

/** The first item of what the query gives. */
export type XqueryResult = { readonly kind: 'xml' | 'text'; readonly value: string } | { readonly kind: 'nothing' };
