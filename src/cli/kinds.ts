import { ago, clock, duration, rate } from './show/quantities.ts';
import type { Cell, Column } from './show/table.ts';
import { colourOfState } from './show/terminal.ts';

/** One row as the management API gives it. */
export type Row = Readonly<Record<string, unknown>>;

/** Something that `get` can show. */
export interface Kind {
  /** The word of `get`, and its other spellings; plurals and singulars are made of them. */
  readonly words: readonly [string, ...string[]];
  readonly path: string;
  /** For "No … found", in the reference's words. */
  readonly title: string;
  /** The query parameter that names one; absent: it has no detail of its own, and is looked for in the list. */
  readonly parameter?: string;
  readonly columns: readonly Column<Row>[];
  /** The rows of an answer that is not `{count, list}`. */
  rows?(body: Row): readonly Row[];
}

function text(title: string, member: string): Column<Row> {
  return { title, cell: (row) => textOf(row[member]) };
}

function number(title: string, member: string): Column<Row> {
  return { title, align: 'right', cell: (row) => textOf(row[member]) };
}

function perSecond(title: string, member: string): Column<Row> {
  return { title, align: 'right', cell: (row) => (typeof row[member] === 'number' ? rate(row[member]) : '') };
}

function state(title: string, member: string): Column<Row> {
  return { title, cell: (row) => stateCell(textOf(row[member])) };
}

function stateCell(word: string): Cell {
  return { text: word, colour: colourOfState(word) };
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return Array.isArray(value) ? value.map(textOf).join(', ') : String(value);
}

const NAME = text('NAME', 'name');
const PLACE: Column<Row> = {
  title: 'FILE',
  cell: ({ file, line }) => (file === undefined ? '' : `${textOf(file)}:${textOf(line)}`),
};
const TRACING: Column<Row> = { title: 'TRACING', cell: ({ tracing }) => (tracing === 'enabled' ? 'on' : '') };
const next: Column<Row> = {
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
  next,
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

export const KINDS: readonly Kind[] = [
  {
    words: ['stores', 'message-stores'],
    path: '/management/message-stores',
    title: 'Message Stores',
    parameter: 'name',
    columns: STORE_COLUMNS,
  },
  {
    words: ['processors', 'message-processors'],
    path: '/management/message-processors',
    title: 'Message Processors',
    parameter: 'name',
    columns: PROCESSOR_COLUMNS,
  },
  {
    words: ['proxies', 'proxy-services'],
    path: '/management/proxy-services',
    title: 'Proxy Services',
    parameter: 'proxyServiceName',
    columns: [
      NAME,
      { title: 'STATE', cell: ({ isRunning }) => stateCell(isRunning === false ? 'off' : 'running') },
      number('REQUESTS', 'requests'),
      { title: 'ERRORS', align: 'right', cell: ({ errors }) => textOf(errors || undefined) },
      TRACING,
      PLACE,
      text('WSDL 1.1', 'wsdl1_1'),
    ],
  },
  {
    words: ['apis'],
    path: '/management/apis',
    title: 'APIs',
    parameter: 'apiName',
    columns: [NAME, text('URL', 'url'), number('REQUESTS', 'requests'), TRACING, PLACE],
  },
  {
    words: ['endpoints'],
    path: '/management/endpoints',
    title: 'Endpoints',
    parameter: 'endpointName',
    columns: ENDPOINT_COLUMNS,
  },
  {
    words: ['sequences'],
    path: '/management/sequences',
    title: 'Sequences',
    parameter: 'sequenceName',
    columns: [NAME, TRACING, PLACE],
  },
  {
    words: ['templates'],
    path: '/management/templates',
    title: 'Templates',
    columns: [NAME, text('TYPE', 'type'), PLACE],
    rows: (body) => [
      ...listOf(body.sequenceTemplateList).map((row) => ({ type: 'sequence', ...row })),
      ...listOf(body.endpointTemplateList).map((row) => ({ type: 'endpoint', ...row })),
    ],
  },
  {
    words: ['tasks'],
    path: '/management/tasks',
    title: 'Tasks',
    parameter: 'taskName',
    columns: [
      NAME,
      state('STATUS', 'status'),
      {
        title: 'TRIGGER',
        cell: ({ triggerCron, triggerInterval }) => textOf(triggerCron ?? `every ${textOf(triggerInterval)} s`),
      },
      next,
      PLACE,
    ],
  },
  {
    words: ['inbound', 'inbound-endpoints'],
    path: '/management/inbound-endpoints',
    title: 'Inbound Endpoints',
    parameter: 'inboundEndpointName',
    columns: [NAME, text('PROTOCOL', 'protocol'), state('STATUS', 'status'), text('SEQUENCE', 'sequence'), PLACE],
  },
  {
    words: ['local-entries'],
    path: '/management/local-entries',
    title: 'Local Entries',
    parameter: 'name',
    columns: [NAME, text('TYPE', 'type'), PLACE],
  },
  {
    words: ['connectors'],
    path: '/management/connectors',
    title: 'Connectors',
    parameter: 'connectorName',
    columns: [NAME, state('STATUS', 'status'), text('PACKAGE', 'package'), text('DESCRIPTION', 'description')],
  },
  {
    words: ['applications', 'composite-apps', 'carbonapps'],
    path: '/management/applications',
    title: 'Composite Apps',
    parameter: 'carbonAppName',
    columns: [NAME, text('VERSION', 'version'), state('STATE', 'state')],
    rows: (body) => [
      ...listOf(body.activeList).map((row) => ({ ...row, state: 'active' })),
      ...listOf(body.faultyList).map((row) => ({ ...row, state: 'faulty' })),
    ],
  },
  {
    words: ['data-sources'],
    path: '/management/data-sources',
    title: 'Data Sources',
    parameter: 'name',
    columns: [NAME, text('TYPE', 'type'), text('URL', 'url')],
  },
  {
    words: ['artifacts'],
    path: '/management/artifacts',
    title: 'Artifacts',
    columns: [
      text('KIND', 'kind'),
      NAME,
      state('STATE', 'state'),
      number('REVISION', 'revision'),
      { title: 'DEPLOYED', cell: ({ deployedAt }) => clock(textOf(deployedAt)) },
      PLACE,
      { title: 'PROBLEM', cell: ({ problems }) => textOf(listOf(problems)[0]?.message) },
    ],
  },
  {
    words: ['jobs'],
    path: '/management/jobs',
    title: 'Jobs',
    columns: [
      text('ID', 'id'),
      text('ACTION', 'action'),
      text('STORE', 'store'),
      state('STATE', 'state'),
      { title: 'DONE', align: 'right', cell: ({ done, total }) => `${textOf(done)}/${textOf(total)}` },
      { title: 'FAILED', align: 'right', cell: ({ failed }) => textOf(failed || undefined) },
      text('BY', 'by'),
      { title: 'STARTED', cell: ({ startedAt }) => clock(textOf(startedAt)) },
    ],
  },
  {
    words: ['loggers', 'log-levels'],
    path: '/management/logging',
    title: 'Loggers',
    parameter: 'loggerName',
    columns: [text('NAME', 'loggerName'), text('LEVEL', 'level')],
  },
  {
    words: ['audit'],
    path: '/management/audit',
    title: 'Audit Entries',
    columns: [
      { title: 'TIME', cell: ({ time }) => clock(textOf(time)) },
      text('WHO', 'who'),
      text('FROM', 'from'),
      text('ACTION', 'action'),
      text('TYPE', 'type'),
      NAME,
      { title: 'COUNT', align: 'right', cell: ({ count }) => textOf(count) },
      text('DETAIL', 'detail'),
      text('RESULT', 'result'),
    ],
  },
  {
    words: ['users'],
    path: '/management/users',
    title: 'Users',
    columns: [text('NAME', 'userId')],
  },
];

function listOf(value: unknown): readonly Row[] {
  return Array.isArray(value) ? (value as readonly Row[]) : [];
}

/** The rows of an answer. */
export function rowsOf(kind: Kind, body: Row): readonly Row[] {
  return kind.rows ? kind.rows(body) : listOf(body.list);
}

/** What stands in the first place of its table, by which it is named. */
export function nameOf(row: Row): string {
  return textOf(row.name ?? row.id ?? row.loggerName ?? row.userId ?? row.time);
}

/** All spellings, by the kind that they mean. */
export function kindWords(): Map<string, Kind> {
  const found = new Map<string, Kind>();
  for (const kind of KINDS) {
    for (const word of kind.words) {
      for (const spelling of [word, singular(word)]) {
        found.set(spelling, kind);
        found.set(spelling.replaceAll('-', ''), kind);
      }
    }
  }
  return found;
}

/** `proxies` -> `proxy`, `stores` -> `store`. */
function singular(word: string): string {
  return word.replace(/ies$/, 'y').replace(/s$/, '');
}
