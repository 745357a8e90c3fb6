import type { CommandDescription, CommandOption } from './command.ts';
import { COMMAND_GROUPS } from './table/index.ts';

const PROGRAM = 'mini-synapse';
const WIDTH = 110;
const EXIT_CODES =
  'Exit codes: 0 fine, 1 artifacts or configuration are wrong, or what was asked for was refused or has failed, 2 usage, 3 a port is taken, the server cannot be reached or another resource is missing.';

/** All commands, one line each. */
export function overviewText(): string {
  const rows = COMMAND_GROUPS.map(({ title, commands }) => ({
    title,
    lines: commands
      .filter(({ hidden }) => !hidden)
      .map((command) => [`${PROGRAM} ${heading(command)}`, command.summary] as const),
  }));
  const parts = rows.map(({ title, lines }) => `${title}\n${twoColumns(lines)}`);
  return `${PROGRAM}: runs Apache Synapse / WSO2 Micro Integrator artifacts

${parts.join('\n')}
  ${PROGRAM} COMMAND --help        what a command can do
  ${PROGRAM} --version

${filled(EXIT_CODES, '')}
`;
}

/** One command with its options. */
export function commandText(command: CommandDescription): string {
  const { details, options, examples, summary } = command;
  const parts = [`Usage: ${PROGRAM} ${heading(command)}\n`, filled(capital(summary), '')];
  if (details) parts.push(filled(details, ''));
  parts.push(
    twoColumns(Object.entries(options).map(([name, option]) => [optionText(name, option), option.description])),
  );
  if (examples) parts.push(`Examples:\n${examples.map((example) => `  ${example}\n`).join('')}`);
  parts.push(filled(EXIT_CODES, ''));
  return parts.join('\n');
}

/** Commands that begin with the same word. */
export function familyText(commands: readonly CommandDescription[]): string {
  return `${twoColumns(commands.map((command) => [`${PROGRAM} ${heading(command)}`, command.summary]))}\n${filled(EXIT_CODES, '')}`;
}

/** `docs/cli.md`. */
export function documentation(): string {
  const groups = COMMAND_GROUPS.map(({ title, commands }) => {
    const shown = commands.filter(({ hidden }) => !hidden);
    return `## ${title}\n\n${shown.map(commandSection).join('\n')}`;
  });
  return `# The command line

What \`${PROGRAM} COMMAND --help\` says, for all commands. This page is made from the same table (\`${PROGRAM} help --markdown\`).

${EXIT_CODES}

Commands that look at or steer a running server talk to its management API: \`--url\`, or the variable \`MINI_SYNAPSE_URL\`, says where it is
(default \`http://127.0.0.1:9164\`). Where it has users, \`MINI_SYNAPSE_TOKEN\`, \`--user NAME\` with \`MINI_SYNAPSE_PASSWORD\`, or \`${PROGRAM} login\`
once give the credentials. Tables are cut to the width of a terminal and not at all elsewhere; colours appear on a terminal only, unless
\`NO_COLOR\` is set; \`--json\` gives what the API answers. What deletes messages, or concerns all or many of them, is asked about first; without
a terminal it needs \`--yes\`.

${groups.join('\n')}`;
}

function commandSection(command: CommandDescription): string {
  const { summary, details, options, examples } = command;
  const rows = Object.entries(options)
    .filter(([name]) => name !== 'help')
    .map(
      ([name, option]) => `| \`${optionText(name, option).replaceAll('|', '\\|')}\` | ${escaped(option.description)} |`,
    );
  const table = rows.length > 0 ? `\n| option | |\n|---|---|\n${rows.join('\n')}\n` : '';
  const more = details ? `\n${escaped(details)}\n` : '';
  const shown = examples ? `\n\`\`\`sh\n${examples.join('\n')}\n\`\`\`\n` : '';
  return `### ${command.name}\n\n\`${PROGRAM} ${heading(command)}\`\n\n${escaped(capital(summary))}.\n${more}${table}${shown}`;
}

function heading({ name, usage }: CommandDescription): string {
  return usage === '' ? name : `${name} ${usage}`;
}

function optionText(name: string, { short, value }: CommandOption): string {
  return `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`;
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '\\<');
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

const LEFT = 44;

/** Long left sides stand on a line of their own. */
function twoColumns(rows: ReadonlyArray<readonly [left: string, right: string]>): string {
  const width = Math.min(LEFT, Math.max(0, ...rows.map(([left]) => left.length)));
  const indent = ' '.repeat(width + 4);
  return rows
    .map(([left, right]) => {
      const text = filled(right, indent).slice(indent.length);
      return left.length > width ? `  ${left}\n${indent}${text}` : `  ${left.padEnd(width)}  ${text}`;
    })
    .join('');
}

/** Broken into lines of {@link WIDTH} characters. */
function filled(text: string, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => `${indent}${one}\n`).join('');
}
