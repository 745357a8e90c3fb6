import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { CHANNEL_PREFIX, POINTS } from '../../src/fault-points.ts';
import { PlannedEnd } from './fault-plan.ts';
import { Random } from './random.ts';

const points = fileURLToPath(new URL('../../src/fault-points.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-kill-at-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A process that passes `attempt.begun` five times, the third time with a deadly message, and prints each time. */
const program = `
import { writeSync } from 'node:fs';
import { POINTS, reach } from ${JSON.stringify(points)};
for (let time = 1; time <= 5; time += 1) {
  reach(POINTS.attemptBegun, 'P', { body: { bytes: Buffer.from(time === 3 ? 'a DEADLY one' : 'harmless') } });
  writeSync(1, String(time));
}`;

function run(env: Readonly<Record<string, string>>) {
  const args = ['--input-type=module-typescript', '--disable-warning=ExperimentalWarning', '-e', program];
  const { stdout, stderr, signal } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout: 15_000,
    env: { PATH: process.env.PATH, ...env },
  });
  expect(stderr).toBe('');
  return { passed: stdout, signal };
}

const { NODE_OPTIONS = '' } = new PlannedEnd(join(folder, 'unused')).env;

describe('a process that is to end at a named point', () => {
  it('ends at its n-th passage, by SIGKILL', () => {
    const env = { NODE_OPTIONS, FAULT_POINT: POINTS.attemptBegun.name, FAULT_NTH: '4' };
    expect(run(env)).toEqual({ passed: '123', signal: 'SIGKILL' });
  });

  it('ends at the first message with a text', () => {
    const env = { NODE_OPTIONS, FAULT_POINT: POINTS.attemptBegun.name, FAULT_CONTAINING: 'DEADLY' };
    expect(run(env)).toEqual({ passed: '12', signal: 'SIGKILL' });
  });

  it('follows the plan in its file, and says that it has got there', () => {
    const end = new PlannedEnd(join(folder, 'plan'));
    expect(run(end.env)).toEqual({ passed: '12345', signal: null });
    end.set({ point: POINTS.attemptBegun.name, nth: 2 });
    expect(end.reached).toBe(false);
    expect(run(end.env)).toEqual({ passed: '1', signal: 'SIGKILL' });
    expect(end.reached).toBe(true);
    end.set({ point: POINTS.settleBegun.name, nth: 1 });
    expect(run(end.env)).toEqual({ passed: '12345', signal: null });
    expect(end.reached).toBe(false);
  });
});

describe('the named points', () => {
  it('have names and channels of their own', () => {
    const names = Object.values(POINTS).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, channel } of Object.values(POINTS)) expect(channel.name).toBe(`${CHANNEL_PREFIX}${name}`);
  });
});

describe('random choices', () => {
  it('are the same for the same seed and scenario, and others for others', () => {
    const choices = (scenario: string, seed: number) => {
      const random = new Random(scenario, seed);
      return [random.between(1, 1_000_000), random.next(), random.shuffled([...Array(20).keys()])];
    };
    expect(choices('a', 1)).toEqual(choices('a', 1));
    expect(choices('a', 2)).not.toEqual(choices('a', 1));
    expect(choices('b', 1)).not.toEqual(choices('a', 1));
    for (let index = 0; index < 1_000; index += 1) {
      const number = new Random('bounds', index).between(3, 5);
      expect([3, 4, 5]).toContain(number);
    }
  });
});
