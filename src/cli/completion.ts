import { parseFlags, takeArguments, wordFlag } from './arguments.ts';
import type { Row } from './columns.ts';
import type { ArgumentCompletion, CommandDescription, CommandOption } from './command.ts';
import { type CommandIo, EXIT } from './io.ts';
import { isPaged, isSearchable, KINDS, kindWords, nameOf, rowsOf } from './kinds.ts';
import { connect } from './remote/connect.ts';
import { COMMANDS } from './table/index.ts';
import { COMPLETION } from './table/server.ts';

/** Nobody waits longer for a name, ms. */
const NAMES_DEADLINE_MS = 1_500;
/** More than anybody reads through. */
const MOST_NAMES = '1000';
/** Says the shell to complete names of files. */
const FILES = ':files';

/**
 * Scripts that ask `mini-synapse __complete` for what could stand there; so they know new commands and the names of the running
 * server without being made anew.
 */
const SCRIPTS = {
  bash: `# mini-synapse: source <(mini-synapse completion bash)
_mini_synapse() {
  local IFS=$'\\n'
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=($("\${COMP_WORDS[0]}" __complete -- "\${words[@]}" 2>/dev/null))
  if [ "\${COMPREPLY[0]}" = "${FILES}" ]; then
    COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _mini_synapse mini-synapse
`,
  zsh: `#compdef mini-synapse
_mini_synapse() {
  local -a found
  found=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "\${found[1]}" == "${FILES}" ]]; then
    _files
  else
    compadd -- "\${(@)found:#}"
  fi
}
if [ "\${funcstack[1]}" = "_mini_synapse" ]; then
  _mini_synapse "$@"
else
  compdef _mini_synapse mini-synapse
fi
`,
  fish: `# mini-synapse: mini-synapse completion fish > ~/.config/fish/completions/mini-synapse.fish
function __mini_synapse_complete
  set -l words (commandline -opc)[2..-1]
  set -l found (mini-synapse __complete -- $words (commandline -ct) 2>/dev/null)
  if test "$found[1]" = "${FILES}"
    __fish_complete_path (commandline -ct)
  else
    printf '%s\\n' $found
  end
end
complete -c mini-synapse -f -a '(__mini_synapse_complete)'
`,
} as const;

/** `mini-synapse completion bash|zsh|fish`. */
export async function completion(args: string[], io: CommandIo): Promise<number> {
  const { positionals } = parseFlags(args, COMPLETION.options);
  const [written] = takeArguments(positionals, ['bash|zsh|fish'], COMPLETION);
  const shell = wordFlag('shell', written, ['bash', 'zsh', 'fish']) ?? 'bash';
  io.stdout.write(SCRIPTS[shell]);
  return EXIT.fine;
}

/** `mini-synapse __complete -- WORD...`: one possibility a line. Says nothing when it cannot know. */
export async function complete(args: string[], io: CommandIo): Promise<number> {
  const words = args[0] === '--' ? args.slice(1) : args;
  const found = await possibilities(words, (path) => namesOf(path, words.at(-1) ?? '', io));
  if (found.length > 0) io.stdout.write(`${found.join('\n')}\n`);
  return EXIT.fine;
}

/**
 * What could stand in the place of the last word.
 * @param names asks the server for the names below a path
 */
export async function possibilities(
  words: readonly string[],
  names: (kind: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const before = words.slice(0, -1);
  const last = words.at(-1) ?? '';
  const command = commandOf(before);
  const found = command ? await inCommand(command, before, last, names) : nextWords(before);
  return found[0] === FILES ? found : [...new Set(found)].filter((word) => word.startsWith(last)).sort();
}

function commandOf(words: readonly string[]): CommandDescription | undefined {
  return COMMANDS.find(({ name }) => name.split(' ').every((word, index) => words[index] === word));
}

/** The words with which commands go on that begin so. */
function nextWords(before: readonly string[]): string[] {
  const shown = COMMANDS.filter(({ hidden }) => !hidden).map(({ name }) => name.split(' '));
  const fitting = shown.filter((name) => before.every((word, index) => name[index] === word));
  const found = fitting.map((name) => name[before.length]).filter((word) => word !== undefined);
  return before.length === 0 ? [...found, 'help'] : found;
}

async function inCommand(
  { name, options, arguments: places = [] }: CommandDescription,
  before: readonly string[],
  last: string,
  names: (kind: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const given = before.slice(name.split(' ').length);
  const option = optionBefore(given.at(-1), options);
  if (option) return await ofPlace(option, names);
  if (last.startsWith('-')) return Object.keys(options).map((one) => `--${one}`);
  const positionals = given.filter((word, index) => !word.startsWith('-') && !optionBefore(given[index - 1], options));
  // `get stores NAME`: which names is told by the word before.
  if (name === 'get' && positionals.length === 1) return names(positionals[0] ?? '');
  const place = places[Math.min(positionals.length, places.length - 1)];
  return place ? await ofPlace(place, names) : [];
}

/** The option that a word is the name of, when its value comes next. */
function optionBefore(word: string | undefined, options: CommandDescription['options']): CommandOption | undefined {
  if (word === undefined || !word.startsWith('-')) return undefined;
  const found = Object.entries(options).find(([name, { short }]) => word === `--${name}` || word === `-${short}`)?.[1];
  return found?.type === 'string' ? found : undefined;
}

async function ofPlace(
  place: ArgumentCompletion | CommandOption,
  names: (kind: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  if (place.names) return [...(place.words ?? []), ...(await names(place.names))];
  if (place.words) return place.words;
  const isFile = 'files' in place ? place.files : 'value' in place && /FILE|DIR/.test(place.value ?? '');
  return isFile ? [FILES] : [];
}

/** None when nobody answers, or wants to know who asks. @param begun what the name begins with: of thousands, the others need not come */
async function namesOf(word: string, begun: string, io: CommandIo): Promise<readonly string[]> {
  const kind = kindWords().get(word) ?? KINDS.find(({ path }) => path === `/management/${word}`);
  if (!kind) return [];
  try {
    // A password is not asked for in the middle of a line.
    const client = await connect({}, { ...io, stdin: NO_INPUT });
    const searchKey = isSearchable(kind) && kind.completes === undefined ? begun || undefined : undefined;
    const query = { searchKey, limit: isPaged(kind) ? MOST_NAMES : undefined };
    const { body } = await client.send('GET', kind.path, { query, deadlineMs: NAMES_DEADLINE_MS });
    return rowsOf(kind, body as Row).map((row) => (kind.completes ? String(row[kind.completes]) : nameOf(row)));
  } catch {
    return [];
  }
}

const NO_INPUT = { isTTY: false } as unknown as NodeJS.ReadableStream;
