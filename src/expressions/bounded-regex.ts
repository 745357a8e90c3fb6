import { createContext, Script } from 'node:vm';
import { MediationError } from '../message/errors.ts';
import { regexCost } from './regex-cost.ts';

/** One match may take so long, ms; only patterns that could take longer are watched at all. */
export const REGEX_TIME_LIMIT_MS = 250;
/** Steps that are over before anybody would notice. */
const HARMLESS_STEPS = 5_000_000;
/** Texts so short that even doubling with every character stays harmless. */
const HARMLESS_LENGTH = 16;

/** A match that was stopped because it took too long (spec mediators 4.6, OP-93). */
export class RegexTooSlowError extends MediationError {
  override readonly name = 'RegexTooSlowError';

  constructor(pattern: string, length: number) {
    super(
      `The regular expression '${pattern}' takes longer than ${REGEX_TIME_LIMIT_MS} ms on a text of ${length} characters and was stopped`,
    );
  }
}

/** A regular expression whose matches end within {@link REGEX_TIME_LIMIT_MS}. */
export interface BoundedRegex {
  /** The first match. @throws RegexTooSlowError */
  exec(text: string): RegExpExecArray | null;
  /** Every match. @throws RegexTooSlowError */
  matchAll(text: string): RegExpExecArray[];
}

/**
 * Bounds a compiled expression. Most patterns cannot take long and run directly; those that can, on a text long enough for it, run in
 * a script that V8 interrupts.
 * @param pattern as the artifact writes it, for the message
 * @param anchored it matches from the start of the text or not at all
 */
export function boundedRegex(regex: RegExp, pattern: string, anchored: boolean): BoundedRegex {
  const { degree, exponential } = regexCost(regex.source);
  const all = new RegExp(regex.source, regex.flags.includes('g') ? regex.flags : `${regex.flags}g`);
  const power = degree + (anchored ? 0 : 1);
  const linear = power <= 1 && !exponential;
  const mayRun = (text: string) =>
    linear || text.length <= HARMLESS_LENGTH || (!exponential && text.length ** power <= HARMLESS_STEPS);
  return {
    exec(text) {
      if (mayRun(text)) return regex.exec(text);
      return watch('exec', regex, text, pattern) as RegExpExecArray | null;
    },
    matchAll(text) {
      if (mayRun(text)) return [...text.matchAll(all)];
      return watch('matchAll', all, text, pattern) as RegExpExecArray[];
    },
  };
}

type WatchedAction = 'exec' | 'matchAll';

interface Watched {
  readonly sandbox: { regex: RegExp | undefined; text: string };
  readonly context: object;
  readonly scripts: Readonly<Record<WatchedAction, Script>>;
}

let watched: Watched | undefined;

function watch(action: WatchedAction, regex: RegExp, text: string, pattern: string): unknown {
  watched ??= createWatched();
  const { sandbox, context, scripts } = watched;
  sandbox.regex = regex;
  sandbox.text = text;
  try {
    return scripts[action].runInContext(context, { timeout: REGEX_TIME_LIMIT_MS });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw cause;
    throw new RegexTooSlowError(pattern, text.length);
  } finally {
    sandbox.regex = undefined;
    sandbox.text = '';
  }
}

function createWatched(): Watched {
  const sandbox = { regex: undefined, text: '' };
  const context = createContext(sandbox);
  return {
    sandbox,
    context,
    scripts: { exec: new Script('regex.exec(text)'), matchAll: new Script('[...text.matchAll(regex)]') },
  };
}
