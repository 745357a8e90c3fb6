import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check } from '../../src/cli/check.ts';
import { ArtifactReader } from '../../src/grammar/reader.ts';
import { type ArtifactFileReading, readArtifactFile, readEntryText } from '../../src/synapse/index.ts';
import { CORPUS, corpusFiles, corpusTable, readCorpusFile, verdictOf } from '../support/corpus-table.ts';

/**
 * The files that the reference refuses too: what is said about each, and why it cannot be deployed. Anything else that is refused must
 * be so on purpose.
 */
const WRONG_THERE_TOO: ReadonlyArray<readonly [file: string, said: string, why: string]> = [
  [
    'definitions/Invalid_xpath-7deeb9.xml',
    'Invalid configuration element at the top level',
    'mediators without a sequence',
  ],
  [
    'definitions/misc-synapse-1d2af2.xml',
    'Invalid configuration element at the top level',
    'mediators without a sequence',
  ],
  [
    'definitions/addressEndpointConfig-synapse-fdf876.xml',
    "'andun' is not allowed",
    'written to be refused: a scope that does not exist',
  ],
  [
    'proxy/InvalidPropertyAddressEndPoint-e01900.xml',
    "'andun' is not allowed",
    'written to be refused: a scope that does not exist',
  ],
  [
    'definitions/iterator_expressionLess-475796.xml',
    'Unable to build the IterateMediator. Invalid XPATH',
    'written to be refused: an empty expression',
  ],
  [
    'sequence/invalidIterateMessages-5251cc.xml',
    'Unable to build the IterateMediator. Invalid XPATH',
    'written to be refused: an empty expression',
  ],
  [
    'definitions/jms_wait_response-931a24.xml',
    'Invalid namespace in fault code for soap12 version',
    'a SOAP 1.2 fault with a code of SOAP 1.1',
  ],
  [
    'definitions/request_log_level_none_response_log_level_none-c746e7.xml',
    'Invalid log level',
    'the level none, which does not exist',
  ],
  [
    'definitions/soapNSBasedSwitchingSynapseConfig-29c8df.xml',
    '{http://ws.apache.org/ns/synapse}endpoint',
    'an endpoint where a mediator must be',
  ],
  [
    'proxy/WSDLEndpointErrorTestProxy-3041bd.xml',
    '{http://ws.apache.org/ns/synapse}endpoint',
    'an endpoint where a mediator must be',
  ],
  [
    'definitions/synapse_sample_364-8327c6.xml',
    'Unable to read configuration value for',
    'a database without driver and URL, which its test fills in; the reference: Database driver class name cannot be found.',
  ],
  [
    'endpoint/dynamic_endpt_1-29dd5b.xml',
    'Invalid endpoint definition without a name',
    'a resource of a registry (sample 10), not an artifact',
  ],
  [
    'endpoint/dynamic_endpt_1-aea554.xml',
    'Invalid endpoint definition without a name',
    'a resource of a registry (sample 10), not an artifact',
  ],
];

const MOST_ON_PURPOSE = 59;

const WHERE = CORPUS ?? '(../shared/corpus/open is not there)';

describe.skipIf(CORPUS === undefined)(`the open corpus ${CORPUS === undefined ? WHERE : ''}`, () => {
  const corpus = CORPUS ?? '';
  let kept: ArtifactFileReading[] | undefined;
  const allReadings = () => {
    kept ??= corpusFiles(corpus).map((file) => readCorpusFile(corpus, file));
    return kept;
  };

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
    const readings = allReadings();
    for (const reading of readings) {
      if (verdictOf(reading) !== 'accepted') continue;
      expect(reading.whole).toBe(true);
      const ignored = reading.diagnostics.some(({ message }) => message.includes('not supported yet'));
      expect(reading.artifacts.length > 0 || ignored || reading.root === 'definitions', reading.source.file).toBe(true);
    }
    expect(corpusTable(readings)).toMatch(/\| \*\*all\*\* \| 2073 \| \d+ \| \d+ \| \d+ \|$/);
  }, 60_000);

  test('less than 3 % are refused on purpose; each of them says what to do instead', () => {
    const readings = allReadings();
    const refused = readings.filter((reading) => verdictOf(reading) === 'on purpose');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThanOrEqual(MOST_ON_PURPOSE);
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

  test('what else is refused, the reference refuses too', () => {
    const wrong = allReadings()
      .filter((reading) => verdictOf(reading) === 'wrong')
      .map(({ source }) => source.file);
    const known = WRONG_THERE_TOO.map(([file]) => file);
    expect(wrong.filter((file) => !known.includes(file))).toEqual([]);
    expect(known.length).toBe(13);
  });

  test.each(WRONG_THERE_TOO)('%s: %s (%s)', (file, said) => {
    const errors = readCorpusFile(corpus, file).diagnostics.filter(({ severity }) => severity === 'error');
    expect(errors.length).toBeGreaterThan(0);
    for (const { message } of errors) expect(message).toContain(said);
  });

  test.each(['29dd5b', 'aea554'])('dynamic_endpt_1-%s is accepted as what it is, a resource of a registry', (hash) => {
    const file = `endpoint/dynamic_endpt_1-${hash}.xml`;
    const reader = new ArtifactReader();
    const read = readEntryText(
      'endpoint/dynamic_endpt_1.xml',
      { file, text: readFileSync(join(corpus, file), 'utf8') },
      reader,
    );
    expect(reader.diagnostics).toEqual([]);
    expect(read.endpoint).toBeDefined();
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
