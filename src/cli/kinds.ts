import {
  AUDIT_COLUMNS,
  ENDPOINT_COLUMNS,
  NAME,
  NEXT,
  number,
  PLACE,
  PROCESSOR_COLUMNS,
  type Row,
  STORE_COLUMNS,
  state,
  stateCell,
  TRACING,
  text,
  textOf,
} from './columns.ts';
import { clock } from './show/quantities.ts';
import type { Column } from './show/table.ts';

/** Something that `get` can show. */
export interface Kind {
  /** The word of `get`, and its other spellings; plurals and singulars are made of them. */
  readonly words: readonly [string, ...string[]];
  readonly path: string;
  /** For "No … found", in the reference's words. */
  readonly title: string;
  /** The query parameter that names one; absent: it has no detail of its own, and is looked for in the list. */
  readonly parameter?: string;
  /** The path of one, where it has one of its own. */
  one?(name: string): string;
  /** Which member of a row its name is taken from when it is completed; default that of its first column. */
  readonly completes?: string;
  readonly columns: readonly Column<Row>[];
  /** The rows of an answer that is not `{count, list}`. */
  rows?(body: Row): readonly Row[];
}

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
      NEXT,
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
    completes: 'file',
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
    words: ['scheduled-resends'],
    path: '/management/scheduled-resends',
    title: 'Scheduled Resends',
    columns: [
      text('ID', 'id'),
      text('STORE', 'store'),
      state('STATE', 'state'),
      { title: 'AT', cell: ({ nextAt }) => clock(textOf(nextAt)) },
      text('WHAT', 'what'),
      text('TARGET', 'target'),
      text('BY', 'by'),
      text('DONE', 'done'),
      text('FAILED', 'failed'),
      text('PROBLEM', 'problem'),
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
    columns: AUDIT_COLUMNS,
  },
  {
    words: ['users'],
    path: '/management/users',
    title: 'Users',
    one: (name) => `/management/users/${encodeURIComponent(name)}`,
    columns: [text('NAME', 'userId')],
  },
  {
    words: ['sessions'],
    path: '/management/sessions',
    title: 'Sessions',
    columns: [
      text('ID', 'id'),
      text('KIND', 'kind'),
      text('USER', 'user'),
      text('ROLE', 'role'),
      { title: 'OWN', cell: ({ own }) => (own === true ? 'yes' : '') },
      { title: 'ISSUED', cell: ({ issuedAt }) => clock(textOf(issuedAt)) },
      { title: 'EXPIRES', cell: ({ expiresAt }) => clock(textOf(expiresAt)) },
    ],
  },
  {
    words: ['web-hooks'],
    path: '/management/web-hooks',
    title: 'Web Hooks',
    columns: [
      NAME,
      text('URL', 'url'),
      text('EVENTS', 'events'),
      number('DELIVERED', 'delivered'),
      number('FAILED', 'failed'),
      number('DROPPED', 'dropped'),
      number('WAITING', 'waiting'),
      { title: 'LAST', cell: ({ last }) => stateCell(textOf((last as Row | undefined)?.result)) },
    ],
  },
  {
    words: ['roles'],
    path: '/management/roles',
    title: 'Roles',
    one: (name) => `/management/roles/${encodeURIComponent(name)}`,
    columns: [text('NAME', 'role')],
  },
  {
    words: ['log-files'],
    path: '/management/logs',
    title: 'Log Files',
    columns: [text('NAME', 'FileName'), text('SIZE', 'Size')],
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
  return textOf(row.name ?? row.id ?? row.loggerName ?? row.userId ?? row.role ?? row.FileName ?? row.time);
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

/** Can the server be asked for the names that contain a text? */
export function isSearchable({ path }: Kind): boolean {
  return !/(?:jobs|audit|users|roles|scheduled-resends|sessions|web-hooks)$/.test(path);
}

/** Can the server be asked for a part of the list? */
export function isPaged({ path }: Kind): boolean {
  return /(?:stores|processors|proxy-services|apis|endpoints|sequences|tasks|local-entries|artifacts)$/.test(path);
}
