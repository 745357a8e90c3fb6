import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { START } from '../../src/cli/table/server.ts';
import { OPTIONS, variableOf } from '../../src/config/options.ts';
import { healthResources } from '../../src/management/resources/health.ts';

/* What runs mini-synapse elsewhere is not built here; what it says to mini-synapse is held to what that understands. */

const FOLDER = join(import.meta.dirname, '../../packaging');
const dockerfile = readFileSync(join(FOLDER, 'Dockerfile'), 'utf8');
const unit = readFileSync(join(FOLDER, 'mini-synapse.service'), 'utf8');

function flags(words: readonly string[]): string[] {
  return words.filter((word) => word.startsWith('--')).map((word) => word.slice(2));
}

it('the container starts it with options that there are', () => {
  const [command, folder, ...options] = JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]') as string[];
  expect([command, folder]).toEqual(['start', 'artifacts']);
  expect(flags(options).length).toBeGreaterThan(0);
  expect(Object.keys(START.options)).toEqual(expect.arrayContaining(flags(options)));
});

it('the container asks for its health where that is told', () => {
  const path = /127\.0\.0\.1:9164(\/[\w/]+)/.exec(dockerfile)?.[1];
  expect(healthResources.map((resource) => resource.path)).toContain(path);
});

it('the unit starts it with options and variables that there are', () => {
  const command = /^ExecStart=\S+ mini-synapse (.*)$/m.exec(unit)?.[1]?.split(' ') ?? [];
  expect(command[0]).toBe('start');
  expect(Object.keys(START.options)).toEqual(expect.arrayContaining(flags(command)));
  const variables = [...unit.matchAll(/^Environment=(\w+)=/gm)].map(([, name]) => name);
  const known = (Object.keys(OPTIONS) as Array<keyof typeof OPTIONS>).map((key) => variableOf(key));
  expect(known).toEqual(expect.arrayContaining(variables));
});

const verifier = spawnSync('systemd-analyze', ['--version']);
it.skipIf(verifier.error !== undefined)('systemd understands the unit', () => {
  const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', join(FOLDER, 'mini-synapse.service')], {
    encoding: 'utf8',
  });
  const told = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('mini-synapse.service'));
  expect(told).toEqual([]);
});
