/** Reading of command lines in the three spellings that the samples know: `--name value`, `-name value` and ant's `-Dname=value`. */

/** The command line cannot be understood; the message says what to type. Programs exit with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** One option as typed. */
export interface TypedOption {
  readonly name: string;
  /** true when nothing followed the name */
  readonly value: string | true;
  /** Spelled `-Dname=value`. */
  readonly ant: boolean;
}

export interface CommandLine {
  readonly options: readonly TypedOption[];
  readonly words: readonly string[];
}

/**
 * Takes a command line apart.
 *
 * @param switches names of the options that take no value; a following `true` or `false` is taken nevertheless
 */
export function readCommandLine(words: readonly string[], switches: ReadonlySet<string>): CommandLine {
  const options: TypedOption[] = [];
  const rest: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const option = /^(-D|--?)([A-Za-z][\w.-]*)(?:=(.*))?$/s.exec(word);
    if (!option) {
      rest.push(word);
      continue;
    }
    const [, dash, name = '', attached] = option;
    const next = words[at + 1];
    if (attached !== undefined || dash === '-D') {
      options.push({ name, value: attached ?? true, ant: dash === '-D' });
    } else if (
      next !== undefined &&
      (switches.has(name) ? /^(true|false)$/.test(next) : !/^-{1,2}[A-Za-z]/.test(next))
    ) {
      options.push({ name, value: next, ant: false });
      at += 1;
    } else {
      options.push({ name, value: true, ant: false });
    }
  }
  return { options, words: rest };
}
