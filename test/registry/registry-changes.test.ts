import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FileRegistry } from '../../src/registry/file-registry.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mini-synapse-registry-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('what is removed stays away after a restart, with its properties', async () => {
  const registry = await FileRegistry.open(folder);
  registry.store('conf:a', 'text');
  registry.setProperty('conf:a', 'color', 'red');
  registry.store('conf:b', 'other');
  expect([registry.remove('conf:a'), registry.remove('conf:a')]).toEqual([true, false]);
  await registry.flush();
  const again = await FileRegistry.open(folder);
  expect(again.list()).toEqual([{ path: 'config/b', bytes: 5, provided: false }]);
  again.store('conf:a', 'new');
  expect(again.properties('conf:a')).toEqual({});
  // The folder goes when the test has ended.
  await again.flush();
});

it('a resource that is stored again while its removal waits is kept', async () => {
  const registry = await FileRegistry.open(folder);
  registry.store('conf:a', 'one');
  registry.remove('conf:a');
  registry.store('conf:a', 'two');
  await registry.flush();
  expect((await FileRegistry.open(folder)).text('conf:a')).toBe('two');
});

it('properties come and go beside the content', async () => {
  const registry = await FileRegistry.open(folder);
  registry.store('gov:a', 'text');
  registry.setProperty('gov:a', 'x', '1');
  registry.setProperty('gov:a', 'y', '2');
  expect([registry.removeProperty('gov:a', 'x'), registry.removeProperty('gov:a', 'x')]).toEqual([true, false]);
  registry.removeProperty('gov:a', 'y');
  await registry.flush();
  const again = await FileRegistry.open(folder);
  expect([again.text('gov:a'), again.properties('gov:a'), again.properties('gov:b')]).toEqual(['text', {}, undefined]);
});

it('what an application brings is listed and not removed', async () => {
  const registry = await FileRegistry.open(folder);
  registry.provide([{ key: 'conf:app/x', content: Buffer.from('abc'), properties: {} }]);
  expect(registry.list()).toEqual([{ path: 'config/app/x', bytes: 3, provided: true }]);
  expect(registry.remove('conf:app/x')).toBe(false);
});
