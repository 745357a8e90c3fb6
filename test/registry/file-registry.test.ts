import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FileRegistry, RegistryError, resourcePath } from '../../src/registry/file-registry.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mini-synapse-registry-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('shows a resource at once and after a restart', async () => {
  const registry = await FileRegistry.open(folder);
  registry.store('gov:orders/last', 'one');
  registry.store('orders/last', 'two');
  registry.storeProperty('conf:flags', 'mode', 'strict');
  expect(registry.text('gov:/orders/last')).toBe('two');
  await registry.flush();
  const again = await FileRegistry.open(folder);
  expect(again.text('orders/last')).toBe('two');
  expect([again.property('conf:flags', 'mode'), again.text('conf:flags')]).toEqual(['strict', '']);
  expect(again.text('none')).toBeUndefined();
});

it.each(['../secret', 'gov:a/../../b', '', 'conf:/', 'a\0b'])(
  'refuses the key %j, which leads out of the registry',
  (key) => {
    expect(() => resourcePath(key)).toThrow(RegistryError);
  },
);

it.each([
  ['a', 'governance/a'],
  ['conf:x/y', 'config/x/y'],
  ['resources:wsdl/a.wsdl', 'governance/mi-resources/wsdl/a.wsdl'],
  ['local:/l', 'local/l'],
])('puts %s to %s', (key, path) => {
  expect(resourcePath(key)).toBe(path);
});
