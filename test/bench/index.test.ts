import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../support/wait-for.ts';
import { growths } from './expressions.ts';
import { type RunOptions, runBenches } from './index.ts';
import { BENCHES, minutesOfAll } from './registry.ts';
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

async function run(args: readonly string[], programs: Readonly<Record<string, string>>, options: RunOptions = {}) {
  const said: string[] = [];
  const say = (line: string) => said.push(line.replace(/\d+ s$/, 'N s'));
  const code = await runBenches(args, benches(programs), say, options);
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
      'all of them took N s',
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

  it('says what belongs to the whole set, which takes less than ten minutes', async () => {
    const { code, said } = await run(['--help'], { good: '', long: '' });
    expect(code).toBe(0);
    const [whole, byName] = said.join('\n').split('By name only:');
    expect(whole).toContain('good           the good');
    expect(whole).toContain('about 1 minutes');
    expect(byName).toContain('long           the long');
    expect(minutesOfAll(BENCHES)).toBeLessThan(10);
  });

  const STANDS = 'setInterval(() => {}, 60_000)';

  it('ends a bench that stands still, says so, and goes on', async () => {
    const patience = { patienceMs: ({ title }: { title: string }) => (title === 'the stands' ? 50 : 60_000) };
    const { code, said } = await run([], { stands: STANDS, good: '' }, patience);
    expect(code).toBe(1);
    expect(said[1]).toBe('      stands was stopped: it stood still after N s');
    expect(said[3]).toBe('      good ended with 0 after N s');
  });

  it('hands a signal on, also to one that does not care, and runs no other', async () => {
    const here = JSON.stringify(join(folder, 'here'));
    const deaf = `import { writeFileSync } from 'node:fs'; process.on('SIGTERM', () => {}); ${STANDS}; writeFileSync(${here}, '')`;
    const running = run([], { deaf, good: '' }, { endMs: 50 });
    await waitFor(() => existsSync(join(folder, 'here')), { what: 'the bench to run', deadlineMs: 60_000 });
    process.emit('SIGHUP', 'SIGHUP');
    const { code, said } = await running;
    expect(code).toBe(128 + 1);
    expect(said).toEqual(['[1/2] deaf: the deaf, about 1 min', '      deaf: told to stop by SIGHUP']);
  });
});

it('a result says where it was measured', async () => {
  await writeResult('some', { rows: [1] }, { folder, args: [] });
  const { machine, ...rest } = JSON.parse(readFileSync(join(folder, 'some.json'), 'utf8'));
  expect(rest).toEqual({ bench: 'some', date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/), rows: [1] });
  expect(machine.node).toBe(process.version);
});

it('a trial with arguments of its own leaves what is published', async () => {
  await writeResult('some', { rows: [1] }, { folder, args: ['--rounds', '1'] });
  expect(existsSync(join(folder, 'some.json'))).toBe(false);
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
