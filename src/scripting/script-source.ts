import { Script } from 'node:vm';
import { translateE4x } from './e4x.ts';
import type { ScriptLanguage } from './languages.ts';

/** A script, translated and checked. */
export interface ScriptSource {
  /** What the engine of today runs. */
  readonly code: string;
  /** It works with XML objects, not with XML as text. */
  readonly xmlObjects: boolean;
  /** What makes it unusable. */
  readonly problems: readonly SourceLocation[];
}

/** A place in a script, from 1. */
export interface SourceLocation {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/** A script of more characters is refused. */
const MAX_LENGTH = 1024 * 1024;
const MAX_KEPT = 64;
/** The classes of Java that scripts find here. */
const JAVA_CLASSES = ['java.lang.Thread', 'java.util.UUID', 'java.lang.String', 'java.lang.Integer'];
const TEXT_MEMBERS: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(String.prototype),
  ...Object.getOwnPropertyNames(Object.prototype),
]);

const kept = new Map<string, ScriptSource>();

/** Translates a script of today's JavaScript or of Rhino's, and checks its syntax without running any of it. Never throws. */
export function readScript(text: string, language: ScriptLanguage): ScriptSource {
  const key = `${language.xmlObjects}:${text}`;
  const known = kept.get(key);
  if (known) {
    kept.delete(key);
    kept.set(key, known);
    return known;
  }
  const source = read(text, language);
  kept.set(key, source);
  const [oldest] = kept.keys();
  if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
  return source;
}

function read(text: string, language: ScriptLanguage): ScriptSource {
  if (text.length > MAX_LENGTH) {
    const message = `the script is longer than ${MAX_LENGTH} characters`;
    return { code: '', xmlObjects: false, problems: [{ message, line: 1, column: 1 }] };
  }
  const { code, usesE4x, problems: unreadable, javaNames } = translateE4x(text);
  const problems = unreadable.map(({ message, offset }) => locate(text, offset, message));
  if (problems.length === 0) problems.push(...syntaxProblems(code));
  for (const { name, offset } of javaNames) {
    if (JAVA_CLASSES.some((known) => name === known || name.startsWith(`${known}.`))) continue;
    const message = `${name} is not available: scripts run without Java; there are ${JAVA_CLASSES.join(', ')}`;
    problems.push(locate(text, offset, message));
  }
  return { code, xmlObjects: language.xmlObjects || usesE4x || treatsPayloadAsObject(text), problems };
}

/** The line and column of an offset. */
function locate(text: string, offset: number, message: string): SourceLocation {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { message, line, column: offset - before.lastIndexOf('\n') };
}

function syntaxProblems(code: string): SourceLocation[] {
  try {
    new Script(code, { filename: 'script' });
    return [];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const [place = '', , marks = ''] = (error.stack ?? '').split('\n');
    const line = Number(/^script:(\d+)/.exec(place)?.[1] ?? 1);
    return [{ message: `${error.name}: ${error.message}`, line, column: Math.max(marks.indexOf('^'), 0) + 1 }];
  }
}

/**
 * `payload.employee[0]` shows that a script expects an XML object even if nothing in it is E4X syntax: text has no such members.
 */
function treatsPayloadAsObject(text: string): boolean {
  const names = ['mc\\s*\\.\\s*getPayloadXML\\s*\\(\\s*\\)'];
  for (const [, name] of text.matchAll(/([A-Za-z_]\w*)\s*=\s*mc\s*\.\s*getPayloadXML\s*\(\s*\)\s*[;\n]/g)) {
    names.push(`\\b${name}`);
  }
  const member = new RegExp(`(?:${names.join('|')})\\s*\\.\\s*([A-Za-z_]\\w*)`, 'g');
  for (const [, used] of text.matchAll(member)) if (used !== undefined && !TEXT_MEMBERS.has(used)) return true;
  return false;
}
