import {
  artifactLogLevels,
  type LogLevel,
  logCategories,
  logLevel,
  setArtifactLogLevel,
  setLogLevel,
} from '../../logging/index.ts';
import { jsonBody } from '../bodies.ts';
import { listing, listOf, SEARCH_KEY } from '../list.ts';
import { ManagementError, notFound } from '../management-error.ts';
import { resource } from '../resource.ts';
import { object, TEXT, TIME } from '../schemas.ts';

/** The reference's name of what all loggers go by that have no level of their own. */
const ROOT = 'rootLogger';
const LEVELS: readonly LogLevel[] = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'];
/** log4j's words beside ours. */
const ALIASES: Readonly<Record<string, LogLevel>> = { all: 'trace', off: 'fatal', warning: 'warn' };

/** `resetsAt`: when the level goes back by itself (OP-67). */
const ROW = object({ loggerName: TEXT, componentName: TEXT, level: TEXT }, { resetsAt: TIME });
const OWN_LEVELS = {
  type: 'array',
  items: object({ kind: TEXT, name: TEXT, level: TEXT }, { resetsAt: TIME }),
} as const;

/** `GET /management/logging` (spec proxies 8.2, 8.3). */
export const readLogging = resource({
  method: 'GET',
  path: '/management/logging',
  role: 'viewer',
  summary: 'Loggers with their levels and the artifacts that have one of their own, or one logger',
  tag: 'logging',
  query: { loggerName: { type: 'string' }, searchKey: SEARCH_KEY },
  answers: { 200: { anyOf: [listOf(ROW, { artifacts: OWN_LEVELS }), ROW] }, 404: { type: 'object' } },
  answer({ query: { loggerName, searchKey } }) {
    const names = [ROOT, ...logCategories()];
    if (loggerName === undefined) {
      const wanted = searchKey?.trim().toLowerCase() ?? '';
      const rows = names.filter((name) => name.toLowerCase().includes(wanted)).map(row);
      return { status: 200, body: { ...listing(rows), artifacts: ownLevels() } };
    }
    if (!names.includes(loggerName)) throw notFound(`Logger name ('${loggerName}') not found`, loggerName, names);
    return { status: 200, body: row(loggerName) };
  },
});

interface LoggingChange {
  readonly loggerName?: string;
  /** Of the lines about the messages of this artifact, instead of a logger. */
  readonly artifact?: { readonly kind: string; readonly name: string };
  readonly loggingLevel: string;
  readonly loggerClass?: string;
  readonly resetAfterMs?: number;
}

/** Levels that are given back later, and the level that was there before the first change of a row. */
const resets = new Map<string, { readonly timer: NodeJS.Timeout; readonly before: LogLevel; readonly at: number }>();
const LONGEST_RESET_MS = 24 * 3_600_000;

/** `PATCH /management/logging` (spec proxies 8.4): the level of a logger at run time; `resetAfterMs` gives it back by itself (OP-67). */
export const changeLogging = resource({
  method: 'PATCH',
  path: '/management/logging',
  role: 'operator',
  summary: 'Changes the level of a logger, for good or for a while',
  tag: 'logging',
  body: jsonBody<LoggingChange>({
    type: 'object',
    required: ['loggingLevel'],
    anyOf: [{ required: ['loggerName'] }, { required: ['artifact'] }],
    properties: {
      loggerName: { type: 'string', minLength: 1, maxLength: 200 },
      loggingLevel: { type: 'string', description: LEVELS.join(', ') },
      loggerClass: TEXT,
      artifact: {
        type: 'object',
        required: ['kind', 'name'],
        properties: { kind: { type: 'string', maxLength: 50 }, name: { type: 'string', maxLength: 500 } },
      },
      resetAfterMs: { type: 'integer', minimum: 1, maximum: LONGEST_RESET_MS },
    },
  }),
  answers: { 200: object({ message: TEXT }), 404: { type: 'object' } },
  answer({ body: { loggerName = ROOT, artifact, loggingLevel, resetAfterMs }, audit }) {
    if (artifact) {
      audit({ type: 'log_level', action: 'updated', name: artifact.name, detail: loggingLevel });
      // `default` gives its lines back to their loggers.
      setArtifactLogLevel(artifact, loggingLevel === 'default' ? undefined : levelOf(loggingLevel), resetAfterMs);
      const message = `Successfully updated ${artifact.kind} ${artifact.name}`;
      return { status: 200, body: { message, artifacts: ownLevels() } };
    }
    audit({ type: 'log_level', action: 'updated', name: loggerName, detail: loggingLevel });
    const names = [ROOT, ...logCategories()];
    if (!names.includes(loggerName)) throw notFound(`Logger name ('${loggerName}') not found`, loggerName, names);
    const level = levelOf(loggingLevel);
    const pending = resets.get(loggerName);
    const before = pending?.before ?? (row(loggerName).level.toLowerCase() as LogLevel);
    apply(loggerName, level);
    clearTimeout(pending?.timer);
    resets.delete(loggerName);
    if (resetAfterMs !== undefined) {
      const reset = () => {
        resets.delete(loggerName);
        apply(loggerName, loggerName === ROOT ? before : undefined);
      };
      // It keeps no process alive, and acts on this process only.
      const timer = setTimeout(reset, resetAfterMs).unref();
      resets.set(loggerName, { timer, before, at: Date.now() + resetAfterMs });
    }
    return { status: 200, body: { message: `Successfully updated ${loggerName}.level to ${level.toUpperCase()}` } };
  },
});

function apply(loggerName: string, level: LogLevel | undefined): void {
  setLogLevel(loggerName === ROOT ? undefined : loggerName, level);
}

function levelOf(word: string): LogLevel {
  const lower = word.toLowerCase();
  const level = (Object.hasOwn(ALIASES, lower) ? ALIASES[lower] : undefined) ?? LEVELS.find((one) => one === lower);
  if (level) return level;
  throw new ManagementError(400, `Invalid log level ${JSON.stringify(word.slice(0, 50))}`, {
    details: [`expected one of: ${LEVELS.join(', ')}`],
  });
}

/** The artifacts with a level of their own. */
function ownLevels() {
  return artifactLogLevels().map(({ kind, name, level, resetsAt }) => ({
    kind,
    name,
    level: level.toUpperCase(),
    ...timeOf(resetsAt),
  }));
}

function row(loggerName: string) {
  const level = logLevel(loggerName === ROOT ? undefined : loggerName).toUpperCase();
  const componentName = loggerName === ROOT ? '' : loggerName;
  return { loggerName, componentName, level, ...timeOf(resets.get(loggerName)?.at) };
}

function timeOf(resetsAt: number | undefined): { readonly resetsAt?: string } {
  return resetsAt === undefined ? {} : { resetsAt: new Date(resetsAt).toISOString() };
}
