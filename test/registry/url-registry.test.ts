import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UrlRegistry } from '../../src/registry/url-registry.ts';
import { TemporaryFolder } from '../deployment/temporary-folder.ts';

let folder: TemporaryFolder;
let now = 0;

beforeEach(() => {
  folder = new TemporaryFolder();
  now = 0;
  folder.write('res/a/b.xml', '<?xml version="1.0" encoding="UTF-16"?><x/>');
  folder.write('res/list', 'one');
  folder.write('secret', 'not in the registry');
});
afterEach(() => folder[Symbol.dispose]());

const registry = (root = 'file:res/', cachableMs = 100) =>
  new UrlRegistry({ name: 'r', root, cachableMs }, ['/nowhere', folder.path], () => now);

describe('a registry with a file: root', () => {
  it.each(['file:res/', 'file:./res', 'file:a/../res/'])('finds files below %s', (root) => {
    expect(registry(root).text('list')).toBe('one');
    expect(registry(root).text('/list')).toBe('one');
    expect(registry(root).text('missing')).toBeUndefined();
    expect(registry(root).text('a')).toBeUndefined();
  });

  it('takes an absolute root, as path and as URL', () => {
    expect(registry(`file:${folder.at('res')}`).text('list')).toBe('one');
    expect(registry(`file://${folder.at('res')}/`).text('list')).toBe('one');
  });

  it('gives nothing from outside', () => {
    for (const key of ['../secret', 'a/../../secret', '..', '', '.', 'list\0']) {
      expect(registry().text(key)).toBeUndefined();
    }
  });

  it('keeps what it found, or did not, for the cachable duration', () => {
    const found = registry();
    expect([found.text('list'), found.text('later')]).toEqual(['one', undefined]);
    folder.write('res/list', 'two');
    folder.write('res/later', 'here');
    now = 99;
    expect([found.text('list'), found.text('later')]).toEqual(['one', undefined]);
    now = 100;
    expect([found.text('list'), found.text('later')]).toEqual(['two', 'here']);
  });

  it('reads nothing that is too large', () => {
    folder.write('res/large', 'x'.repeat(1024 * 1024 + 1));
    expect(registry().text('large')).toBeUndefined();
  });
});
