import { type ParseArgsConfig, parseArgs } from 'node:util';
import { nearestName } from '../grammar/diagnostic.ts';
import { UsageError } from './io.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

/** Parses flags strictly. @throws UsageError that names an unknown flag and the nearest known one */
export function parseFlags<const O extends Options>(args: string[], options: O) {
  try {
    return parseArgs({ args, options, allowPositionals: true, allowNegative: true, strict: true });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (!code?.startsWith('ERR_PARSE_ARGS')) throw cause;
    const flag = /'(-{1,2}[^' ]+)/.exec(message)?.[1];
    const nearest =
      flag &&
      nearestName(
        flag,
        Object.keys(options).map((name) => `--${name}`),
      );
    const hint = nearest && nearest !== flag ? ` Did you mean '${nearest}'?` : '';
    throw new UsageError(`${message.split('. To specify', 1)[0]}.${hint}`.replace('..', '.'), { cause });
  }
}

/** A flag that must be a port. */
export function portFlag(name: string, written: string | undefined): number | undefined {
  return integerFlag(name, written, 0, 65_535);
}

export function integerFlag(
  name: string,
  written: string | undefined,
  minimum: number,
  maximum: number,
): number | undefined {
  if (written === undefined) return undefined;
  const value = /^\d+$/.test(written) ? Number(written) : Number.NaN;
  if (value >= minimum && value <= maximum) return value;
  throw new UsageError(`--${name} ${written}: expected a number from ${minimum} to ${maximum}`);
}

export function wordFlag<const W extends readonly string[]>(
  name: string,
  written: string | undefined,
  words: W,
): W[number] | undefined {
  if (written === undefined || words.includes(written)) return written;
  const nearest = nearestName(written, words);
  throw new UsageError(
    `--${name} ${written}: expected one of ${words.join(', ')}${nearest ? `. Did you mean '${nearest}'?` : ''}`,
  );
}

/** Checks how many arguments there are. @throws UsageError that says how the command is used */
export function takeArguments<const N extends readonly string[]>(
  positionals: readonly string[],
  names: N,
  command: { readonly name: string; readonly usage: string },
): { readonly [K in keyof N]: string } {
  const usage = `expected: ${command.name} ${command.usage}`.trimEnd();
  if (positionals.length < names.length) {
    throw new UsageError(`${names[positionals.length]} is missing; ${usage}`);
  }
  if (positionals.length > names.length) {
    throw new UsageError(`'${positionals[names.length]}' is too much; ${usage}`);
  }
  return positionals as unknown as { readonly [K in keyof N]: string };
}
