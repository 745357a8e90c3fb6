import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { growths } from './expressions.ts';
import { runBenches } from './index.ts';
import { BENCHES } from './registry.ts';
import { writeResult } from './result.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-bench-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function benches(programs: Readonly<Record<string, string>>) {
  const module = (name: string) => {
    writeFileSync(join(folder, `${name}.mjs`), programs[name] ?? '');
    return pathToFileURL(join(folder, `${name}.mjs`)).href;
  };
  return Object.fromEntries(
    Object.keys(programs).map((name) => [
      name,
      { module: module(name), title: `the ${name}`, minutes: 1, onlyByName: name === 'long' },
    ]),
  );
}

async function run(args: readonly string[], programs: Readonly<Record<string, string>>) {
  const said: string[] = [];
  const code = await runBenches(args, benches(programs), (line) => said.push(line.replace(/\d+ s$/, 'N s')));
  return { code, said };
}

describe('the runner', () => {
  it('runs all, in order, and says which did not reach its goals', async () => {
    const { code, said } = await run([], { good: '', bad: 'process.exitCode = 1', long: 'process.exitCode = 1' });
    expect(code).toBe(1);
    expect(said).toEqual([
      '[1/2] good: the good, about 1 min',
      '      good ended with 0 after N s',
      '[2/2] bad: the bad, about 1 min',
      '      bad ended with 1 after N s',
      'not as it should be: bad',
    ]);
  });

  it('runs one, with its arguments', async () => {
    const given = join(folder, 'given');
    const long = `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(given)}, process.argv.slice(2).join())`;
    const { code } = await run(['long', '--count', '3'], { good: 'process.exitCode = 1', long });
    expect(code).toBe(0);
    expect(readFileSync(given, 'utf8')).toBe('--count,3');
  });

  it('knows its benches', async () => {
    expect(await run(['other'], { good: '' })).toEqual({
      code: 2,
      said: ["there is no bench 'other'; there are: good"],
    });
    expect((await run(['--list'], { good: '' })).said).toEqual(['good           the good, 1 min']);
    expect(Object.keys(BENCHES)).toEqual(expect.arrayContaining(['expressions', 'stores', 'backlog']));
  });
});

it('a result says where it was measured', async () => {
  const file = await writeResult('some', { rows: [1] }, folder);
  const { machine, ...rest } = JSON.parse(readFileSync(file, 'utf8'));
  expect(rest).toEqual({ bench: 'some', date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/), rows: [1] });
  expect(machine.node).toBe(process.version);
});

describe('the growth of costs', () => {
  const cost = (kind: 'walk' | 'evaluate', bytes: number, ms: number) =>
    ({ what: kind, kind, format: 'XML', bytes, ms, collecting: 0 }) as const;

  it('is that of the cost per byte, and is told against the walk', () => {
    const costs = [cost('walk', 10, 1), cost('walk', 100, 20), cost('evaluate', 10, 1), cost('evaluate', 100, 60)];
    expect(growths(costs)).toMatchObject([
      { what: 'walk', growth: expect.closeTo(2), beyondWalk: expect.closeTo(1) },
      { what: 'evaluate', growth: expect.closeTo(6), beyondWalk: expect.closeTo(3) },
    ]);
  });
});
