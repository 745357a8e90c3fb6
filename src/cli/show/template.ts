import { nearestName } from '../../grammar/diagnostic.ts';
import { UsageError } from '../io.ts';
import { printable } from './terminal.ts';

type Row = Readonly<Record<string, unknown>>;

const ACTION = /\{\{(.*?)\}\}/g;
const MEMBER = /^(json\s+)?\.([\w.]*)$/;

/**
 * Lines of the reference's `--format` (spec stores 7.3), of which there are members (`{{.Name}}`, in any case, `{{.a.b}}` of an object in
 * it), `{{json .}}`, `{{json .Member}}`, `\t`, `\n` and `table` with a head line; of Go's templates there is no more.
 * @throws UsageError for what is none of these, and for a member that no row has
 */
export function formatted(format: string, rows: readonly Row[]): string {
  const asTable = /^table\s+/.exec(format);
  const template = format
    .slice(asTable?.[0].length ?? 0)
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n');
  const known = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = rows.map((row) => template.replace(ACTION, (_, action: string) => shown(action.trim(), row, known)));
  const head = template.replace(ACTION, (_, action: string) => memberOf(action.trim()).path.toUpperCase());
  return [...(asTable ? [head] : []), ...lines].map((line) => `${line}\n`).join('');
}

function shown(action: string, row: Row, known: readonly string[]): string {
  const { path, asJson } = memberOf(action);
  const value = path === '' ? row : valueAt(row, path.split('.'), known);
  if (asJson || (typeof value === 'object' && value !== null)) return JSON.stringify(value ?? null);
  return value === undefined || value === null ? '' : printable(String(value));
}

/** Rows are alike, so a name that none of them has is a mistake; the objects in them may have what they like. */
function valueAt(row: Row, [column = '', ...inside]: readonly string[], known: readonly string[]): unknown {
  const wanted = column.toLowerCase();
  if (known.some((name) => name.toLowerCase() === wanted)) return inside.reduce(memberIn, memberIn(row, column));
  const nearest = nearestName(column, known);
  throw new UsageError(`--format: there is no ${column}${nearest ? `, did you mean ${nearest}?` : ''}`);
}

function memberIn(at: unknown, name: string): unknown {
  if (typeof at !== 'object' || at === null) return undefined;
  const wanted = name.toLowerCase();
  return Object.entries(at).find(([key]) => key.toLowerCase() === wanted)?.[1];
}

/** @throws UsageError */
function memberOf(action: string): { readonly path: string; readonly asJson: boolean } {
  const [, asJson, path] = MEMBER.exec(action) ?? [];
  if (path === undefined) throw new UsageError(`--format {{${action}}}: expected {{.Name}} or {{json .}}`);
  return { path, asJson: asJson !== undefined };
}
