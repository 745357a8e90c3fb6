import { aboutText } from './about-text.ts';
import { ArtifactLevels } from './artifact-levels.ts';
import { withPlace } from './artifact-places.ts';
import { BoundedStream } from './bounded-stream.ts';
import { shownRecord } from './shown-record.ts';
import { StormGuard } from './storm-guard.ts';
import { winstonLogger } from './winston.ts';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

export const LEVELS: Readonly<Record<LogLevel, number>> = { fatal: 0, error: 1, warn: 2, info: 3, debug: 4, trace: 5 };

/** What a log line is about, for the JSON form (OP-70). Never secrets, never whole bodies. */
export type LogDetails = Readonly<Record<string, string | number | boolean | undefined>>;

/** One event, one line. */
export interface LogRecord {
  /** Epoch ms. */
  readonly time: number;
  readonly level: LogLevel;
  /** The reference's short class name, for example `ForwardingService`; monitoring rules match on it (spec stores 11). */
  readonly category: string;
  readonly message: string;
  readonly details: LogDetails;
}

/** Writes events of one category. Cheap to ask for; get one per file. */
export interface Logger {
  enabled(level: LogLevel): boolean;
  /** The same for lines with these details: other artifacts may have levels of their own. */
  enabledFor(level: LogLevel, details: LogDetails): boolean;
  log(level: LogLevel, message: string, details?: LogDetails): void;
  fatal(message: string, details?: LogDetails): void;
  error(message: string, details?: LogDetails): void;
  warn(message: string, details?: LogDetails): void;
  info(message: string, details?: LogDetails): void;
  debug(message: string, details?: LogDetails): void;
}

export interface LoggingOptions {
  readonly level?: LogLevel;
  /** `text`: the reference's console layout; `json`: NDJSON. */
  readonly format?: 'text' | 'json';
  /** Whether a line of text about a message ends with what it is about (OP-70); default yes. JSON always has it. */
  readonly details?: boolean;
  /** Where lines go; default standard output. */
  readonly stream?: NodeJS.WritableStream;
  /** Lines go to the stream as they are until {@link startWinston}, as a start waits for nothing that its lines can do without. */
  readonly startsWinstonLater?: boolean;
}

/** Where events go. */
interface Output {
  log(record: LogRecord): void;
  flush(): void;
  close(): void;
  /** The same by way of winston. */
  readonly byWinston?: () => Output;
}

const listeners = new Set<(record: LogRecord) => void>();
/** Slow enough to catch a reconnection that fails every second. */
const storms = new StormGuard<LogRecord>({
  allowed: 10,
  windowMs: 30_000,
  longestWindowMs: 600_000,
  onSummary: (record, count, windowMs) => write(summary(record, count, windowMs)),
});
let threshold = LEVELS.info;
/** Categories with a level of their own. */
const ownLevels = new Map<string, number>();
const categories = new Set<string>();
const artifacts = new ArtifactLevels();
let output: Output | undefined;

/** Decides where log lines go. Until it is called nothing is written, so libraries and tests stay quiet. */
export function configureLogging(options: LoggingOptions): void {
  threshold = LEVELS[options.level ?? 'info'];
  output?.close();
  const layout = options.format === 'json' ? jsonLine : options.details === false ? textLine : detailedLine;
  const stream = new BoundedStream(options.stream ?? process.stdout, options.format === 'json' ? notice : undefined);
  output = options.startsWinstonLater ? plainOutput(stream, layout) : winstonOutput(stream, layout);
}

/** Loads winston where {@link configureLogging} has not. */
export function startWinston(): void {
  if (output?.byWinston) output = output.byWinston();
}

function plainOutput(stream: BoundedStream, layout: (record: LogRecord) => string): Output {
  return {
    log: (record) => stream.write(record.level, layout(record)),
    flush: () => stream.flush(),
    close: () => stream.close(),
    byWinston: () => winstonOutput(stream, layout),
  };
}

function winstonOutput(stream: BoundedStream, layout: (record: LogRecord) => string): Output {
  const winston = winstonLogger(LEVELS, stream, (info) => layout(info.record as LogRecord));
  return {
    log: (record) => winston.log({ level: record.level, message: '', record }),
    flush: () => stream.flush(),
    close: () => winston.close(),
  };
}

/** Writes the lines that wait for others of their turn: what somebody else writes to the same stream comes behind them. */
export function flushLogging(): void {
  output?.flush();
}

/** Flushes counts of suppressed lines and detaches from the stream. */
export function closeLogging(): void {
  storms.flush();
  output?.close();
  output = undefined;
}

/** Hears every event that passes the level, for the console's log tail and for tests. Returns how to stop. */
export function onLogRecord(listener: (record: LogRecord) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The level of a category, or of all that have none of their own. */
export function logLevel(category?: string): LogLevel {
  const value = (category === undefined ? undefined : ownLevels.get(category)) ?? threshold;
  return wordOf(value);
}

/**
 * Changes a level at run time (OP-67).
 * @param category undefined: all that have no level of their own
 * @param level undefined: the category goes by the general level again
 */
export function setLogLevel(category: string | undefined, level: LogLevel | undefined): void {
  if (category === undefined) threshold = LEVELS[level ?? 'info'];
  else if (level === undefined) ownLevels.delete(category);
  else ownLevels.set(category, LEVELS[level]);
}

/**
 * Changes the level of all lines about the messages of one artifact, whatever the levels of their categories are (OP-67).
 * @param level undefined: the artifact has no level of its own any more
 * @param resetAfterMs gives it back by itself
 */
export function setArtifactLogLevel(
  artifact: { readonly kind: string; readonly name: string },
  level: LogLevel | undefined,
  resetAfterMs?: number,
): void {
  artifacts.set(artifact, level === undefined ? undefined : LEVELS[level], resetAfterMs);
}

/** The artifacts with a level of their own. */
export function artifactLogLevels(): ReadonlyArray<{
  readonly kind: string;
  readonly name: string;
  readonly level: LogLevel;
  /** When it goes back by itself, epoch ms; undefined: it stays. */
  readonly resetsAt: number | undefined;
}> {
  return artifacts.list().map(({ kind, name, level, resetsAt }) => ({ kind, name, level: wordOf(level), resetsAt }));
}

function wordOf(value: number): LogLevel {
  return (Object.keys(LEVELS) as LogLevel[]).find((level) => LEVELS[level] === value) ?? 'info';
}

/** The categories that loggers were asked for. */
export function logCategories(): readonly string[] {
  return [...categories].sort();
}

/** The logger of a category. */
export function logger(category: string): Logger {
  categories.add(category);
  const limit = () => (ownLevels.size === 0 ? threshold : (ownLevels.get(category) ?? threshold));
  const log = (level: LogLevel, message: string, details: LogDetails = {}) => {
    if (LEVELS[level] > artifacts.limitFor(details, limit)) return;
    const record = { time: Date.now(), level, category, message, details: withPlace(details) };
    if (LEVELS[level] <= LEVELS.warn && !storms.admit(`${category}\n${message}`, record)) return;
    write(record);
  };
  return {
    enabled: (level) => LEVELS[level] <= Math.max(limit(), artifacts.highest),
    enabledFor: (level, details) => LEVELS[level] <= artifacts.limitFor(details, limit),
    log,
    fatal: (message, details) => log('fatal', message, details),
    error: (message, details) => log('error', message, details),
    warn: (message, details) => log('warn', message, details),
    info: (message, details) => log('info', message, details),
    debug: (message, details) => log('debug', message, details),
  };
}

function write(record: LogRecord): void {
  for (const listener of listeners) listener(record);
  output?.log(record);
}

function summary(record: LogRecord, count: number, windowMs: number): LogRecord {
  const times = `the same ${count} more times within ${windowMs / 1000} s`;
  return { ...record, time: Date.now(), message: `${record.message} (${times})` };
}

/** Control characters, but tabs and ends of lines: a terminal would do what they say. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** What looks as if another event began there. */
const FORGED = /\n(?=\[)/g;

/**
 * `[2026-05-01 12:00:00,123]  INFO {LogMediator} - message` (spec stores 11, spec proxies 9.1). A message may have several lines; what it
 * says neither steers a terminal nor looks like an event of its own.
 */
export function textLine(record: LogRecord): string {
  const { time, level, category, message } = record;
  return `[${localTimestamp(time)}] ${level.toUpperCase().padStart(5)} {${category}} - ${harmless(message)}`;
}

/** The same with what the line is about at its end. */
export function detailedLine(record: LogRecord): string {
  return textLine(record) + harmless(aboutText(record.message, record.details));
}

function harmless(message: string): string {
  return message
    .replace(CONTROLS, (control) =>
      control === '\r' ? '' : `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
    .replace(FORGED, '\n ');
}

/** A reader of NDJSON gets nothing else (OP-71). */
function notice(text: string): string {
  return jsonLine({ time: Date.now(), level: 'warn', category: 'Logging', message: text, details: {} });
}

function jsonLine(record: LogRecord): string {
  return JSON.stringify(shownRecord(record));
}

/** The second that was written last, and how; most lines of a busy server share theirs. */
let second = Number.NaN;
let secondText = '';

function localTimestamp(time: number): string {
  const milliseconds = time % 1_000;
  if (time - milliseconds !== second) {
    second = time - milliseconds;
    secondText = localSecond(new Date(second));
  }
  return `${secondText},${String(milliseconds).padStart(3, '0')}`;
}

function localSecond(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
