/** Operators of the `${…}` language; `&&` and `||` are read as `and` and `or`. */
export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type LogicalOperator = 'and' | 'or';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';
export type Operator = ComparisonOperator | LogicalOperator | ArithmeticOperator;

/** A JSONPath behind a root: its text, in which the values of expressions are put per message. Empty: there is no path. */
export type PathTree = ReadonlyArray<string | Tree>;

/** Where a single value is looked up by name. */
export type Scope = 'header' | 'synapse' | 'axis2' | 'query' | 'path' | 'function' | 'config';

/** What a `${…}` expression says (spec mediators 4.5.1). */
export type Tree =
  | { readonly kind: 'literal'; readonly value: string | boolean | null }
  /** As written. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly Tree[] }
  | { readonly kind: 'operation'; readonly operator: Operator; readonly left: Tree; readonly right: Tree }
  /** `==` beside `and` without parentheses: the values decide how it groups (MREQ-22). */
  | {
      readonly kind: 'row';
      readonly operands: readonly Tree[];
      readonly operators: ReadonlyArray<ComparisonOperator | LogicalOperator>;
    }
  | { readonly kind: 'condition'; readonly test: Tree; readonly yes: Tree; readonly no: Tree }
  | { readonly kind: 'payload'; readonly path: PathTree }
  | { readonly kind: 'variable'; readonly name: string; readonly path: PathTree }
  | { readonly kind: 'lookup'; readonly scope: Scope; readonly name: string }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: readonly Tree[];
      readonly path: PathTree;
      /** Of `registry(…).property(…)`. */
      readonly property: Tree | undefined;
    };
