import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ArtifactFileReading, ENVIRONMENT_ONLY, readArtifactFile } from '../../src/synapse/index.ts';

const OPEN = join(dirname(fileURLToPath(import.meta.url)), '../../../shared/corpus/open');

/** The artifacts of the reference's own tests and samples; undefined where they are not beside this repository. */
export const CORPUS: string | undefined = existsSync(join(OPEN, 'INDEX.tsv')) ? OPEN : undefined;

/** The files of the corpus as its index lists them, relative to it. */
export function corpusFiles(corpus: string): string[] {
  return corpusIndex(corpus).map(({ file }) => file);
}

/** The index of the corpus: its files with the mediators in them. */
export function corpusIndex(
  corpus: string,
): ReadonlyArray<{ readonly file: string; readonly mediators: readonly string[] }> {
  const [header = '', ...rows] = readFileSync(join(corpus, 'INDEX.tsv'), 'utf8').trimEnd().split('\n');
  const columns = header.split('\t');
  const [file, mediators] = [columns.indexOf('file'), columns.indexOf('mediators')];
  return rows.map((row) => {
    const cells = row.split('\t');
    return { file: cells[file] ?? '', mediators: (cells[mediators] ?? '-').split(',').filter((name) => name !== '-') };
  });
}

/** Reads one file of the corpus by itself. What stands behind a `src="…"` is not in the corpus and is taken for granted. */
export function readCorpusFile(corpus: string, file: string): ArtifactFileReading {
  const source = { file, text: readFileSync(join(corpus, file), 'utf8') };
  const known = () => 'value';
  return readArtifactFile(source, {
    ...ENVIRONMENT_ONLY,
    environment: known,
    configuration: known,
    fileProperty: known,
  });
}

export type Verdict = 'accepted' | 'on purpose' | 'wrong';

/** What is refused on purpose: code for a Java virtual machine, and what the README lists. */
const ON_PURPOSE = /not supported|Java class|Error loading class|No script engine found/;

/** Accepted, refused because of something that is refused on purpose, or refused for being wrong. */
export function verdictOf({ diagnostics }: ArtifactFileReading): Verdict {
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return 'accepted';
  return errors.some(({ message }) => ON_PURPOSE.test(message)) ? 'on purpose' : 'wrong';
}

/** How many files of each root element are accepted, as a Markdown table. */
export function corpusTable(readings: readonly ArtifactFileReading[]): string {
  const roots = Map.groupBy(readings, ({ root }) => root ?? '(malformed)');
  const rows = [...roots]
    .sort(([, left], [, right]) => right.length - left.length)
    .map(([root, own]) => row(root, own));
  return [
    '| root | files | accepted | refused on purpose | refused: wrong |',
    '|---|---:|---:|---:|---:|',
    ...rows,
    row('**all**', readings),
  ].join('\n');
}

function row(title: string, readings: readonly ArtifactFileReading[]): string {
  const count = (verdict: Verdict) => readings.filter((reading) => verdictOf(reading) === verdict).length;
  return `| ${title} | ${readings.length} | ${count('accepted')} | ${count('on purpose')} | ${count('wrong')} |`;
}

/** The same for each mediator: the files in which it stands, as a Markdown table. */
export function mediatorTable(
  files: ReadonlyArray<{ mediators: readonly string[]; reading: ArtifactFileReading }>,
): string {
  const uses = new Map<string, ArtifactFileReading[]>();
  for (const { mediators, reading } of files)
    for (const name of mediators) uses.set(name, [...(uses.get(name) ?? []), reading]);
  const rows = [...uses].sort(([, left], [, right]) => right.length - left.length).map(([name, own]) => row(name, own));
  return [
    '| mediator | files | accepted | refused on purpose | refused: wrong |',
    '|---|---:|---:|---:|---:|',
    ...rows,
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (CORPUS) {
    const corpus = CORPUS;
    const files = corpusIndex(corpus).map(({ file, mediators }) => ({
      mediators,
      reading: readCorpusFile(corpus, file),
    }));
    process.stdout.write(`${corpusTable(files.map(({ reading }) => reading))}\n\n${mediatorTable(files)}\n`);
  } else {
    process.stderr.write(`the corpus is not there: ${OPEN}\n`);
    process.exitCode = 1;
  }
}
