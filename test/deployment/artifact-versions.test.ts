import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ArtifactVersions, type DeployedFile } from '../../src/deployment/artifact-versions.ts';
import { DeployedFolder, sequence } from './deployed-folder.ts';
import { TemporaryFolder } from './temporary-folder.ts';

const at = (version: number) => ({ version, time: 1_000 * version });
const good = (file: string, text: string): DeployedFile => ({ file, result: 'deployed', text });
const bad = (file: string, text: string): DeployedFile => ({ file, result: 'faulty', text });
const numbers = (versions: ArtifactVersions, file: string) => versions.of(file).map(({ number }) => number);

test('what was deployed has its texts, faulty or good, and the last good one is known', async () => {
  await using deployed = new DeployedFolder();
  const { folder, deployer } = deployed;
  folder.write('a.xml', sequence('a'));
  await deployed.deploy();
  folder.write('a.xml', '<sequence');
  folder.write('b.xml', sequence('b'));
  await deployed.deploy();
  folder.remove('b.xml');
  await deployed.deploy();
  await deployer.versions.settled();
  expect(deployer.versions.of('a.xml')).toMatchObject([
    { number: 2, result: 'faulty', text: '<sequence', deployment: 2 },
    { number: 1, result: 'deployed', text: sequence('a'), deployment: 1 },
  ]);
  expect(deployer.versions.lastGood('a.xml')?.number).toBe(1);
  expect(deployer.versions.of('b.xml')).toMatchObject([{ result: 'removed' }, { text: sequence('b') }]);
  expect(deployer.versions.lastGood('b.xml')?.number).toBe(1);
  expect(deployer.versions.find('a.xml', 3)).toBeUndefined();
  expect(deployer.versions.lastGood('c.xml')).toBeUndefined();
});

test('the same text again is no version, and its result is the latest one', async () => {
  const versions = new ArtifactVersions();
  versions.add(at(1), [good('a.xml', 'A')]);
  versions.add(at(2), [good('a.xml', 'A')]);
  versions.add(at(3), [bad('a.xml', 'A')]);
  await versions.settled();
  expect(versions.of('a.xml')).toMatchObject([{ number: 1, result: 'faulty', deployment: 3 }]);
});

test('twenty versions of a file are kept, and the last good one always', async () => {
  const versions = new ArtifactVersions();
  versions.add(at(1), [good('a.xml', 'good')]);
  for (let number = 2; number <= 40; number += 1) versions.add(at(number), [bad('a.xml', `bad ${number}`)]);
  await versions.settled();
  expect(numbers(versions, 'a.xml')).toHaveLength(20);
  expect(versions.lastGood('a.xml')).toMatchObject({ number: 1, text: 'good' });
  for (let number = 41; number <= 60; number += 1) versions.add(at(number), [good('a.xml', `good ${number}`)]);
  await versions.settled();
  expect(numbers(versions, 'a.xml')).toEqual(Array.from({ length: 20 }, (_, index) => 60 - index));
});

test('texts are bounded: one that is large is not kept, and of many the oldest go, never the present ones', async () => {
  const versions = new ArtifactVersions();
  versions.add(at(1), [good('huge.xml', 'x'.repeat(1024 * 1024 + 1))]);
  for (let number = 1; number <= 5; number += 1)
    for (let file = 0; file < 10; file += 1)
      versions.add(at(number), [good(`${file}.xml`, `${number} `.padEnd(1024 * 1024, 'x'))]);
  await versions.settled();
  expect(versions.of('huge.xml')).toMatchObject([{ text: undefined, chars: 1024 * 1024 + 1 }]);
  const kept = versions.files().flatMap((file) => versions.of(file).filter(({ text }) => text !== undefined));
  expect(kept).toHaveLength(32);
  for (let file = 0; file < 10; file += 1) {
    expect(versions.of(`${file}.xml`)[0]?.text).toBeDefined();
    expect(versions.of(`${file}.xml`).at(-1)).toMatchObject({ number: 1, text: undefined });
  }
});

test('they survive a restart, and what went meanwhile is noted; nobody else may read them', async () => {
  using folder = new TemporaryFolder();
  const file = join(folder.path, 'deployments', 'versions.ndjson');
  const before = new ArtifactVersions(file);
  before.add(at(1), [good('a.xml', 'A'), good('b.xml', 'B')]);
  before.add(at(2), [bad('a.xml', 'A2')]);
  await before.settled();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  // As a process leaves it that was killed while it wrote.
  appendFileSync(file, '{"file":"a.xml","number":3,"te');
  const after = new ArtifactVersions(file);
  after.add(at(1), [bad('a.xml', 'A2')], new Set(['a.xml']));
  await after.settled();
  expect(after.of('a.xml')).toEqual(before.of('a.xml'));
  expect(after.of('b.xml')).toMatchObject([
    { number: 2, result: 'removed' },
    { number: 1, text: 'B' },
  ]);
  const third = new ArtifactVersions(file);
  await third.settled();
  expect(third.of('b.xml')).toEqual(after.of('b.xml'));
});

test('the file does not grow for ever', async () => {
  using folder = new TemporaryFolder();
  const file = join(folder.path, 'versions.ndjson');
  const versions = new ArtifactVersions(file);
  for (let number = 1; number <= 120; number += 1)
    versions.add(at(number), [good('a.xml', `${number} `.padEnd(100_000, 'x'))]);
  await versions.settled();
  expect(statSync(file).size).toBeLessThan(20 * 100_000 * 2 + 1.2 * 1024 * 1024);
  const again = new ArtifactVersions(file);
  await again.settled();
  expect(again.of('a.xml')).toEqual(versions.of('a.xml'));
  expect(readFileSync(file, 'utf8').endsWith('\n')).toBe(true);
});
