import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { UNWRITTEN, WRITTEN } from './reference-lines.ts';

const DOCUMENT = '../../docs/log-lines.md';

const INTRODUCTION = `# Log lines of the reference

Monitoring rules match on lines of the log. These are the ones that operators of the reference look for, and what becomes of them here;
\`<…>\` stands for what differs. The lines of deployments (\`… has been deployed from file : …\`, \`… has been updated from the file: …\`,
\`… has been undeployed\`) are written in the reference's words, too. In text a line about a message ends with what it is about
(\`[mini_synapse.log] details = false\` leaves it as the reference's); in NDJSON these are members of their own.
This document is made by test/logging/log-lines.test.ts, which holds it against the source.
`;

it.each(WRITTEN)('$logger: $line', ({ from, text }) => {
  expect(textsOf(readFileSync(from, 'utf8')), `${from} has the text`).toMatch(patternOf(text));
});

it('every logger of the table is one', () => {
  const sources = globSync('src/**/*.ts').map((file) => readFileSync(file, 'utf8'));
  const unknown = WRITTEN.filter(({ logger }) => !sources.some((source) => source.includes(`'${logger}'`)));
  expect(unknown).toEqual([]);
});

it('what is listed as not written is not', () => {
  const sources = globSync('src/**/*.ts').map((file) => textsOf(readFileSync(file, 'utf8')));
  const written = UNWRITTEN.flatMap(({ line }) => line.split(' / '))
    .map((line) => line.replace(/ ?…$/, ''))
    .filter((line) => /[a-z]{4}/.test(line) && sources.some((source) => patternOf(line).test(source)));
  expect(written).toEqual([]);
});

it('the document is of this table', async () => {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const code = (text: string) => `\`${cell(text)}\``;
  const written = WRITTEN.map(({ level, logger, line }) => `| ${level} | ${logger} | ${code(line)} |`);
  const unwritten = UNWRITTEN.map(({ logger, line, because }) => {
    const lines = line.split(' / ').map(code).join('<br>');
    return `| ${logger} | ${lines} | ${cell(because)} |`;
  });
  const text = [
    INTRODUCTION,
    '## Written\n',
    '| Level | Logger | Line |',
    '|---|---|---|',
    ...written,
    '',
    '## Not written\n',
    '| Logger | Line | Because |',
    '|---|---|---|',
    ...unwritten,
    '',
  ].join('\n');
  await expect(text).toMatchFileSnapshot(DOCUMENT);
});

/** A source whose substitutions are one character each, and whose texts in several parts are one. */
function textsOf(source: string): string {
  let text = '';
  for (let at = 0; at < source.length; at += 1) {
    if (source.startsWith('${', at)) {
      let depth = 1;
      for (at += 2; depth > 0 && at < source.length; at += 1)
        depth += source[at] === '{' ? 1 : source[at] === '}' ? -1 : 0;
      at -= 1;
      text += '\u0000';
    } else text += source[at];
  }
  return text.replace(/[`']\s*\+\s*[`']/g, '').replaceAll("\\'", "'");
}

/** What stands between the placeholders, in order, within one text. */
function patternOf(line: string): RegExp {
  const parts = line.split(/<[^<>]*>/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(parts.join('[^\\n]*?'));
}
