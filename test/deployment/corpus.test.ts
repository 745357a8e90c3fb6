import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check } from '../../src/cli/check.ts';
import { readArtifactFile } from '../../src/synapse/index.ts';
import { CORPUS, corpusFiles, corpusTable, readCorpusFile, verdictOf } from '../support/corpus-table.ts';

const WHERE = CORPUS ?? '(../shared/corpus/open is not there)';

describe.skipIf(CORPUS === undefined)(`the open corpus ${CORPUS === undefined ? WHERE : ''}`, () => {
  const corpus = CORPUS ?? '';

  test('all files go through check in less than 20 s, each accepted or refused with a located reason', async () => {
    const files = corpusFiles(corpus);
    expect(files.length).toBe(2_073);
    const stdout = new PassThrough();
    const output = readAll(stdout);
    const started = performance.now();
    const code = await check(['--json', ...files.map((file) => join(corpus, file))], { stdout, stderr: stdout });
    const elapsedMs = performance.now() - started;
    stdout.end();
    expect(code).toBe(1);
    expect(elapsedMs).toBeLessThan(20_000);
    const report = JSON.parse(await output) as { files: CheckedFile[]; summary: { files: number } };
    expect(report.summary.files).toBe(files.length);
    for (const file of report.files) expectLocated(file);
  }, 60_000);

  test('no file is refused without a reason that names what is wrong', () => {
    const readings = corpusFiles(corpus).map((file) => readCorpusFile(corpus, file));
    for (const reading of readings) {
      if (verdictOf(reading) !== 'accepted') continue;
      expect(reading.whole).toBe(true);
      const ignored = reading.diagnostics.some(({ message }) => message.includes('not supported yet'));
      expect(reading.artifacts.length > 0 || ignored || reading.root === 'definitions', reading.source.file).toBe(true);
    }
    expect(corpusTable(readings)).toMatch(/\| \*\*all\*\* \| 2073 \| \d+ \| \d+ \| \d+ \|$/);
  });

  test('less than 3 % are refused on purpose; each of them says what to do instead', () => {
    const readings = corpusFiles(corpus).map((file) => readCorpusFile(corpus, file));
    const refused = readings.filter((reading) => verdictOf(reading) === 'on purpose');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length / readings.length).toBeLessThan(0.03);
    const silent = refused.flatMap(({ source, diagnostics }) =>
      diagnostics
        .filter(({ severity, message, expected, path }) => {
          const instead = expected !== undefined || /[;.:] (?:use|Write|write) /.test(message);
          return severity === 'error' && !(instead && path !== undefined && path !== '');
        })
        .map(({ message }) => `${source.file}: ${message}`),
    );
    expect(silent).toEqual([]);
  });

  test('damaged artifacts are refused or read, never a crash', () => {
    const files = corpusFiles(corpus);
    const damage = fc.record({
      file: fc.constantFrom(...files),
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.nat({ max: 40 }),
      insert: fc.constantFrom('', '<', '>', '"', '&', '</a>', '<log/>', ' name=""', ']]>', '\u0000', '🙂'),
    });
    fc.assert(
      fc.property(damage, ({ file, from, length, insert }) => {
        const whole = readFileSync(join(corpus, file), 'utf8');
        const at = Math.floor(from * whole.length);
        const text = whole.slice(0, at) + insert + whole.slice(at + length);
        const reading = readArtifactFile({ file, text });
        expect(reading.whole || reading.diagnostics.length > 0).toBe(true);
        expect(reading.diagnostics.filter(({ message }) => message.includes('cannot be read:'))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

interface CheckedFile {
  readonly file: string;
  readonly accepted: boolean;
  readonly diagnostics: ReadonlyArray<{
    readonly severity: string;
    readonly line: number;
    readonly column: number;
    readonly message: string;
    readonly frame: string;
  }>;
}

function expectLocated({ file, accepted, diagnostics }: CheckedFile): void {
  const lines = readFileSync(file, 'utf8').split(/\r\n|\r|\n/);
  for (const { line, column, message, frame } of diagnostics) {
    expect(line, file).toBeLessThanOrEqual(lines.length);
    expect(column, file).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
    expect(message).not.toBe('');
    expect(frame).toContain('^');
  }
  expect(diagnostics.some(({ severity }) => severity === 'error')).toBe(!accepted);
}
