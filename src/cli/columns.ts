import { ago, clock, duration, rate } from './show/quantities.ts';
import type { Cell, Column } from './show/table.ts';
import { colourOfState } from './show/terminal.ts';

/** One row as the management API gives it. */
export type Row = Readonly<Record<string, unknown>>;

export function text(title: string, member: string): Column<Row> {
  return { title, cell: (row) => textOf(row[member]) };
}

export function number(title: string, member: string): Column<Row> {
  return { title, align: 'right', cell: (row) => textOf(row[member]) };
}

export function perSecond(title: string, member: string): Column<Row> {
  return { title, align: 'right', cell: (row) => (typeof row[member] === 'number' ? rate(row[member]) : '') };
}

export function state(title: string, member: string): Column<Row> {
  return { title, cell: (row) => stateCell(textOf(row[member])) };
}

export function stateCell(word: string): Cell {
  return { text: word, colour: colourOfState(word) };
}

export function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return Array.isArray(value) ? value.map(textOf).join(', ') : String(value);
}

export const NAME = text('NAME', 'name');
export const PLACE: Column<Row> = {
  title: 'FILE',
  cell: ({ file, line }) => (file === undefined ? '' : `${textOf(file)}:${textOf(line)}`),
};
export const TRACING: Column<Row> = { title: 'TRACING', cell: ({ tracing }) => (tracing === 'enabled' ? 'on' : '') };
export const NEXT: Column<Row> = {
  title: 'NEXT',
  cell: ({ nextActionAt, nextRuns }) =>
    clock(textOf(nextActionAt ?? (Array.isArray(nextRuns) ? nextRuns[0] : undefined))),
};

/** `7`, `~120` for an estimate, `?` for what nobody can tell. */
export function depthText({ depth, estimated }: Row): string {
  if (typeof depth !== 'number') return '?';
  return `${estimated === true ? '~' : ''}${depth}`;
}

export const STORE_COLUMNS: readonly Column<Row>[] = [
  NAME,
  text('TYPE', 'type'),
  { title: 'SIZE', align: 'right', cell: depthText },
  state('STATE', 'state'),
  perSecond('IN/S', 'inPerSecond'),
  perSecond('OUT/S', 'outPerSecond'),
  {
    title: 'OLDEST',
    align: 'right',
    cell: ({ oldestAgeMs }) => (typeof oldestAgeMs === 'number' ? duration(oldestAgeMs) : ''),
  },
  { title: 'FAILED', align: 'right', cell: ({ failures }) => (failures === 0 ? '' : textOf(failures)) },
  text('CONSUMERS', 'consumers'),
  text('LAST ERROR', 'lastError'),
];

export const PROCESSOR_COLUMNS: readonly Column<Row>[] = [
  NAME,
  text('TYPE', 'type'),
  state('STATUS', 'status'),
  {
    title: 'STATE',
    cell: (row) => stateCell(row.stuck === true ? `${textOf(row.state)} (stuck)` : textOf(row.state)),
  },
  { title: 'SINCE', align: 'right', cell: ({ since }) => ago(textOf(since)) },
  text('STORE', 'store'),
  text('TARGET', 'target'),
  { title: 'DELIVERED', align: 'right', cell: ({ counters }) => textOf((counters as Row | undefined)?.delivered) },
  {
    title: 'FAILED',
    align: 'right',
    cell: ({ counters }) => textOf((counters as Row | undefined)?.failed || undefined),
  },
  perSecond('PER S', 'successPerSecond'),
  NEXT,
  { title: 'REASON', cell: ({ reason, stuckReason, lastError }) => textOf(reason ?? stuckReason ?? lastError) },
];

export const ENDPOINT_COLUMNS: readonly Column<Row>[] = [
  NAME,
  text('TYPE', 'type'),
  state('STATE', 'state'),
  { title: 'UNTIL', cell: ({ suspendedUntil }) => clock(textOf(suspendedUntil)) },
  number('REQUESTS', 'requests'),
  { title: 'ERRORS', align: 'right', cell: ({ errors }) => textOf(errors || undefined) },
  PLACE,
  text('LAST ERROR', 'lastError'),
];

export const AUDIT_COLUMNS: readonly Column<Row>[] = [
  { title: 'TIME', cell: ({ time }) => clock(textOf(time)) },
  text('WHO', 'who'),
  text('FROM', 'from'),
  text('ACTION', 'action'),
  text('TYPE', 'type'),
  NAME,
  { title: 'COUNT', align: 'right', cell: ({ count }) => textOf(count) },
  text('DETAIL', 'detail'),
  text('RESULT', 'result'),
];
