/** Thrown for text that is no URI template. */
export class UriTemplateError extends Error {
  override readonly name = 'UriTemplateError';
}

/** What a template found in a request, by variable name; values are still percent-encoded. */
export type UriVariables = Map<string, string>;

type Operator = '' | '+' | '#' | '.' | '/' | ';';

type PathPart =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'expression'; readonly operator: Operator; readonly variables: readonly Variable[] }
  | { readonly kind: 'rest' };

interface Variable {
  readonly name: string;
  /** `{name*}`: takes several values with their separators. */
  readonly explode: boolean;
}

/** `name=value` that the query must have; the value may be a variable. */
interface QueryPart {
  readonly name: string;
  readonly value: { readonly literal: string } | { readonly variable: string };
}

const OPERATORS = '+#./;?&';
const VARIABLE = /^([A-Za-z0-9_.%-]+)(\*|:\d{1,4})?$/;
/** What a simple variable cannot hold. */
const SEGMENT_END = /[/?#]/;

/**
 * A URI template of a REST API's resource, matched against requests (spec proxies 6.3): RFC 6570 expressions in the path, a final
 * `*` that takes whatever follows, and a query part whose parameters are looked up by name, so that their order and further
 * parameters do not matter.
 *
 * Matching looks at every character once: a variable ends at the first occurrence of the literal that follows it, and is never
 * tried at another length.
 */
export class UriTemplate {
  readonly text: string;
  readonly #path: readonly PathPart[];
  readonly #query: readonly QueryPart[];
  /** Variables of `{?a,b}` and `{&c}`: taken when the query has them. */
  readonly #optional: readonly string[];

  /** @throws UriTemplateError */
  constructor(text: string) {
    this.text = text;
    const { path, query, optional } = split(text);
    this.#path = parsePath(path);
    this.#query = query;
    this.#optional = optional;
  }

  /**
   * @param path what follows the API's context, percent-escapes untouched; '' counts as '/'
   * @param query without `?`
   * @returns the variables; undefined when the request does not match
   */
  match(path: string, query: string | undefined): UriVariables | undefined {
    const found: UriVariables = new Map();
    if (!matchPath(this.#path, path, found)) return undefined;
    if (this.#query.length === 0 && this.#optional.length === 0) return found;
    return this.#matchQuery(query ?? '', found) ? found : undefined;
  }

  #matchQuery(query: string, found: UriVariables): boolean {
    const parameters = queryParameters(query);
    for (const { name, value } of this.#query) {
      const given = parameters.get(name);
      if (given === undefined) return false;
      if ('variable' in value) found.set(value.variable, given);
      else if (value.literal !== given) return false;
    }
    for (const name of this.#optional) {
      const given = parameters.get(name);
      if (given !== undefined) found.set(name, given);
    }
    return true;
  }
}

/** The parameters of a query, still encoded; of several with one name the last one counts (spec proxies 6.5). */
export function queryParameters(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    parameters.set(equals < 0 ? pair : pair.slice(0, equals), equals < 0 ? '' : pair.slice(equals + 1));
  }
  return parameters;
}

function split(text: string): { path: string; query: QueryPart[]; optional: string[] } {
  let path = text;
  const optional: string[] = [];
  path = path.replaceAll(/\{[?&]([^{}]*)\}/g, (_, list: string) => {
    optional.push(...variablesOf(list).map(({ name }) => name));
    return '';
  });
  const mark = outsideBraces(path, '?');
  const query = mark < 0 ? [] : parseQuery(path.slice(mark + 1));
  return { path: mark < 0 ? path : path.slice(0, mark), query, optional };
}

function outsideBraces(text: string, wanted: string): number {
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '{') depth += 1;
    else if (text[index] === '}') depth -= 1;
    else if (depth === 0 && text[index] === wanted) return index;
  }
  return -1;
}

function parseQuery(text: string): QueryPart[] {
  return [...queryParameters(text)].map(([name, value]) => {
    const variable = /^\{([^{}]+)\}$/.exec(value)?.[1];
    if (variable !== undefined) return { name, value: { variable } };
    if (/[{}]/.test(value)) throw new UriTemplateError(`the query parameter '${name}' must be a variable or a literal`);
    return { name, value: { literal: value } };
  });
}

function parsePath(text: string): PathPart[] {
  const parts: PathPart[] = [];
  let rest = text.endsWith('*') ? text.slice(0, -1) : text;
  while (rest !== '') {
    const open = rest.indexOf('{');
    const literal = open < 0 ? rest : rest.slice(0, open);
    if (literal.includes('}')) throw new UriTemplateError("'}' without '{'");
    if (literal !== '') parts.push({ kind: 'literal', text: literal });
    if (open < 0) break;
    const close = rest.indexOf('}', open);
    if (close < 0) throw new UriTemplateError("'{' without '}'");
    parts.push(parseExpression(rest.slice(open + 1, close)));
    rest = rest.slice(close + 1);
  }
  if (text.endsWith('*')) parts.push({ kind: 'rest' });
  return parts;
}

function parseExpression(text: string): PathPart {
  const first = text[0] ?? '';
  const operator = OPERATORS.includes(first) && first !== '' ? first : '';
  const variables = variablesOf(text.slice(operator.length));
  return { kind: 'expression', operator: operator as Operator, variables };
}

function variablesOf(list: string): Variable[] {
  return list.split(',').map((item) => {
    const [, name, modifier] = VARIABLE.exec(item.trim()) ?? [];
    if (name === undefined) throw new UriTemplateError(`'${item}' is no variable name`);
    return { name, explode: modifier === '*' };
  });
}

function matchPath(parts: readonly PathPart[], given: string, found: UriVariables): boolean {
  const path = given === '' ? '/' : given;
  let at = 0;
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index] as PathPart;
    if (part.kind === 'rest') return true;
    if (part.kind === 'literal') {
      // `/a/*` takes `/a` as well.
      const beforeRest = parts[index + 1]?.kind === 'rest' && part.text.endsWith('/');
      if (beforeRest && path.slice(at) === part.text.slice(0, -1)) return true;
      if (!path.startsWith(part.text, at)) return false;
      at += part.text.length;
      continue;
    }
    const end = matchExpression(part, path, at, limitOf(parts[index + 1], path, at), found);
    if (end === undefined) return false;
    at = end;
  }
  return at === path.length || (at === path.length - 1 && path.endsWith('/')) || (parts.length === 0 && path === '/');
}

/** Where the expression before `next` must end at the latest. */
function limitOf(next: PathPart | undefined, path: string, from: number): number {
  if (next?.kind !== 'literal') return path.length;
  const found = path.indexOf(next.text, from + 1);
  return found < 0 ? path.length : found;
}

type Expression = Extract<PathPart, { kind: 'expression' }>;

const SEPARATORS: Readonly<Record<Operator, string>> = { '': ',', '+': ',', '#': ',', '.': '.', '/': '/', ';': ';' };

/** @returns where the expression ends; undefined when it does not match */
function matchExpression(
  { operator, variables }: Expression,
  path: string,
  from: number,
  limit: number,
  found: UriVariables,
): number | undefined {
  const prefixed = operator === '.' || operator === '/' || operator === ';';
  if (prefixed && path[from] !== operator) return from;
  const start = prefixed ? from + 1 : from;
  const takesSlashes = operator === '+' || operator === '#' || operator === '/' || variables.some((v) => v.explode);
  const stop = takesSlashes ? -1 : path.slice(start, limit).search(SEGMENT_END);
  const end = stop < 0 ? limit : start + stop;
  if (end <= start) return undefined;
  return assign(operator, variables, path.slice(start, end), found) ? end : undefined;
}

function assign(operator: Operator, variables: readonly Variable[], text: string, found: UriVariables): boolean {
  const [single] = variables;
  if (variables.length === 1 && single && operator !== ';') {
    if (operator === '/' && !single.explode && text.includes('/')) return false;
    found.set(single.name, text);
    return true;
  }
  const values = text.split(SEPARATORS[operator]);
  if (values.length > variables.length) return false;
  values.forEach((value, index) => {
    const name = variables[index]?.name ?? '';
    found.set(name, operator === ';' && value.startsWith(`${name}=`) ? value.slice(name.length + 1) : value);
  });
  return true;
}
