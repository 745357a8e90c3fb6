import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ArtifactFileReading, ENVIRONMENT_ONLY, readArtifactFile } from '../../src/synapse/index.ts';

const OPEN = join(dirname(fileURLToPath(import.meta.url)), '../../../shared/corpus/open');

/** The artifacts of the reference's own tests and samples; undefined where they are not beside this repository. */
export const CORPUS: string | undefined = existsSync(join(OPEN, 'INDEX.tsv')) ? OPEN : undefined;

/** The files of the corpus as its index lists them, relative to it. */
export function corpusFiles(corpus: string): string[] {
  const [header = '', ...rows] = readFileSync(join(corpus, 'INDEX.tsv'), 'utf8').trimEnd().split('\n');
  const column = header.split('\t').indexOf('file');
  return rows.map((row) => row.split('\t')[column] ?? '');
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

export type Verdict = 'accepted' | 'not supported yet' | 'wrong';

/** Accepted, refused only for what comes later, or refused for being wrong. */
export function verdictOf({ diagnostics }: ArtifactFileReading): Verdict {
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return 'accepted';
  return errors.every(({ message }) => message.includes('not supported yet')) ? 'not supported yet' : 'wrong';
}

/** How many files of each root element are accepted, as a Markdown table. */
export function corpusTable(readings: readonly ArtifactFileReading[]): string {
  const roots = Map.groupBy(readings, ({ root }) => root ?? '(malformed)');
  const rows = [...roots]
    .sort(([, left], [, right]) => right.length - left.length)
    .map(([root, own]) => row(root, own));
  return [
    '| root | files | accepted | refused: known, not supported yet | refused: wrong |',
    '|---|---:|---:|---:|---:|',
    ...rows,
    row('**all**', readings),
  ].join('\n');
}

function row(title: string, readings: readonly ArtifactFileReading[]): string {
  const count = (verdict: Verdict) => readings.filter((reading) => verdictOf(reading) === verdict).length;
  return `| ${title} | ${readings.length} | ${count('accepted')} | ${count('not supported yet')} | ${count('wrong')} |`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (CORPUS) {
    const corpus = CORPUS;
    process.stdout.write(`${corpusTable(corpusFiles(corpus).map((file) => readCorpusFile(corpus, file)))}\n`);
  } else {
    process.stderr.write(`the corpus is not there: ${OPEN}\n`);
    process.exitCode = 1;
  }
}
