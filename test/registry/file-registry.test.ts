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

it('tells of its changes, and reads again what another process has written', async () => {
  const [ours, theirs] = [await FileRegistry.open(folder), await FileRegistry.open(folder)];
  ours.store('gov:gone', 'x');
  await ours.flush();
  await theirs.reload();
  let changes = 0;
  const stop = theirs.onChange(() => {
    changes += 1;
  });
  theirs.store('gov:orders/last', 'one');
  theirs.storeProperty('conf:flags', 'mode', 'strict');
  expect(theirs.remove('gov:gone')).toBe(true);
  expect(changes).toBe(3);
  stop();
  theirs.store('gov:more', 'two');
  expect(changes).toBe(3);
  await theirs.flush();
  // What is on its way to the disk stays.
  ours.store('gov:own', 'mine');
  await ours.reload();
  expect(['gov:orders/last', 'gov:more', 'gov:own', 'gov:gone'].map((key) => ours.text(key))).toEqual([
    'one',
    'two',
    'mine',
    undefined,
  ]);
  expect(ours.property('conf:flags', 'mode')).toBe('strict');
});

it('keeps what is changed while it waits to read the folder again, and takes the rest', async () => {
  const [ours, theirs] = [await FileRegistry.open(folder), await FileRegistry.open(folder)];
  ours.store('gov:gone', 'x');
  await ours.flush();
  theirs.store('gov:theirs', 'two');
  await theirs.flush();
  const reloaded = ours.reload();
  expect(ours.reload()).toBe(reloaded);
  ours.store('gov:ours', 'one');
  expect(ours.remove('gov:gone')).toBe(true);
  await reloaded;
  const texts = () => ['gov:ours', 'gov:theirs', 'gov:gone'].map((key) => ours.text(key));
  expect(texts()).toEqual(['one', 'two', undefined]);
  await ours.flush();
  await ours.reload();
  expect(texts()).toEqual(['one', 'two', undefined]);
});
