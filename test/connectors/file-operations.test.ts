import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { MessageContext } from '../../src/message/message-context.ts';
import { serializeXml } from '../../src/xml/index.ts';
import { FakeConfiguration, message, sequence } from '../mediation/harness.ts';

const top = mkdtempSync(join(tmpdir(), 'mini-synapse-files-'));
afterAll(() => rmSync(top, { recursive: true, force: true }));

let folder = '';
let outside = '';
let count = 0;
beforeEach(() => {
  count += 1;
  folder = join(top, `in${count}`);
  outside = join(top, `out${count}`);
  mkdirSync(folder);
  mkdirSync(outside);
});

async function run(mediators: string, folders: readonly string[] = [folder], body?: string): Promise<MessageContext> {
  const configuration = new FakeConfiguration();
  Object.assign(configuration.services, { fileFolders: folders });
  const context = message({ configuration, ...(body !== undefined && { body }) });
  expect(await sequence(mediators).mediate(context)).toBe(true);
  return context;
}

function operation(name: string, parameters: Readonly<Record<string, string>>): string {
  const children = Object.entries(parameters).map(([key, value]) => `<${key}>${value}</${key}>`);
  return `<${name}>${children.join('')}</${name}>`;
}

function result({ payload }: MessageContext): string {
  const child = payload.firstBodyChild();
  return child ? serializeXml(child) : '';
}

const put = (name: string, text = name) => writeFileSync(join(folder, name), text);
const get = (name: string) => readFileSync(join(folder, name), 'utf8');

describe('file operations', () => {
  test('write makes a file as a whole, appends, and refuses to replace when told to create', async () => {
    const write = (more: Record<string, string>) => operation('file.write', { filePath: 'a/b.txt', ...more });
    expect(result(await run(write({ contentOrExpression: 'one' })))).toBe(
      '<writeResult><success>true</success><writtenBytes>3</writtenBytes></writeResult>',
    );
    await run(write({ contentOrExpression: 'two', writeMode: 'Append', appendNewLine: 'true' }));
    expect(get('a/b.txt')).toBe('onetwo\n');
    await expect(run(write({ contentOrExpression: 'x', writeMode: 'Create New' }))).rejects.toMatchObject({
      code: 700103,
    });
    await run(write({ contentOrExpression: 'é', encoding: 'ISO-8859-1' }));
    expect(readFileSync(join(folder, 'a/b.txt'))).toEqual(Buffer.from([0xe9]));
    expect(readdirSync(join(folder, 'a'))).toEqual(['b.txt']);
  });

  test('write without content writes the payload', async () => {
    await run(operation('file.write', { filePath: join(folder, 'p.xml') }), [folder], '<order>1</order>');
    expect(get('p.xml')).toBe('<order>1</order>');
  });

  test('read makes the content the payload, by its type, whole or by lines', async () => {
    put('a.json', '{"a":1}');
    const json = await run(operation('file.read', { path: `file://${folder}/a.json` }));
    expect(json.payload.json()).toBe('{"a":1}');
    put('lines.txt', '1\n2\r\n3\n4');
    const lines = async (more: Record<string, string>) =>
      (await run(operation('file.read', { path: 'lines.txt', ...more }))).payload.text();
    expect(await lines({ readMode: 'Complete File' })).toBe('1\n2\r\n3\n4');
    expect(await lines({ readMode: 'Specific Line', lineNum: '2' })).toBe('2');
    expect(await lines({ readMode: 'Between Lines', startLineNum: '2', endLineNum: '3' })).toBe('2\n3');
    expect(await lines({ readMode: 'Starting From Line', startLineNum: '3' })).toBe('3\n4');
    expect(await lines({ readMode: 'Up To Line', endLineNum: '2' })).toBe('1\n2');
    const kept = await run(
      operation('file.read', {
        path: '.',
        filePattern: 'l.*',
        includeResultTo: 'Message Property',
        resultPropertyName: 'x',
      }),
    );
    expect(kept.text('x')).toBe('1\n2\r\n3\n4');
    await expect(run(operation('file.read', { path: 'none' }))).rejects.toMatchObject({ code: 700102 });
  });

  test('copy, move, rename and delete', async () => {
    put('a.txt');
    await run(operation('file.copy', { sourcePath: 'a.txt', targetPath: 'sub/deep' }));
    expect(get('sub/deep/a.txt')).toBe('a.txt');
    await expect(run(operation('file.copy', { sourcePath: 'a.txt', targetPath: 'sub/deep' }))).rejects.toMatchObject({
      code: 700103,
    });
    put('a.txt', 'new');
    await run(operation('file.copy', { sourcePath: 'a.txt', targetPath: 'sub/deep', overwrite: 'true' }));
    expect(get('sub/deep/a.txt')).toBe('new');
    await run(operation('file.move', { sourcePath: 'sub', targetPath: 'moved', includeParent: 'true' }));
    expect(get('moved/sub/deep/a.txt')).toBe('new');
    await run(operation('file.rename', { path: 'a.txt', renameTo: 'b.txt' }));
    expect(existsSync(join(folder, 'a.txt'))).toBe(false);
    await expect(run(operation('file.rename', { path: 'b.txt', renameTo: '../c.txt' }))).rejects.toThrow(
      "'renameTo' must be a name",
    );
    put('c.log');
    expect(result(await run(operation('file.delete', { path: '.', matchingPattern: '.*\\.log' })))).toContain(
      '<numOfDeletedFiles>1</numOfDeletedFiles>',
    );
    expect(readdirSync(folder).sort()).toEqual(['b.txt', 'moved']);
    await run(operation('file.delete', { path: 'moved' }));
    expect(readdirSync(folder)).toEqual(['b.txt']);
  });

  test('createDirectory, checkExist and listFiles', async () => {
    await run(operation('file.createDirectory', { directoryPath: 'x/y' }));
    put('x/y/1.txt');
    put('x/2.txt');
    put('x/3.log');
    const exists = async (path: string) => result(await run(operation('file.checkExist', { path })));
    expect(await exists('x/y')).toContain('<fileExists>true</fileExists>');
    expect(await exists('x/z')).toContain('<fileExists>false</fileExists>');
    const found = await run(
      operation('file.listFiles', { directoryPath: 'x', matchingPattern: '.*txt', recursive: 'true' }),
    );
    expect(result(found)).toBe(
      `<listFilesResult><success>true</success><files><file>${folder}/x/2.txt</file><file>${folder}/x/y/1.txt</file></files></listFilesResult>`,
    );
  });

  test('the operations of the first versions', async () => {
    const success = '<result><success>true</success></result>';
    expect(result(await run(operation('fileconnector.create', { source: 'made' })))).toBe(success);
    await run(operation('fileconnector.create', { source: 'made/a.txt', inputContent: 'x' }));
    await run(operation('fileconnector.append', { destination: 'made/a.txt', inputContent: 'y' }));
    expect(get('made/a.txt')).toBe('xy');
    expect(result(await run(operation('fileconnector.isFileExist', { source: 'made/a.txt' })))).toBe(
      '<result><fileExist>true</fileExist></result>',
    );
    await run(operation('fileconnector.copy', { source: 'made', destination: 'copied', filePattern: 'a.*' }));
    expect(get('copied/a.txt')).toBe('xy');
    const read = await run(operation('fileconnector.read', { source: 'copied/a.txt', contentType: 'text/plain' }));
    expect(read.payload.text()).toBe('xy');
    await run(operation('fileconnector.move', { source: 'copied/a.txt', destination: 'made/deep' }));
    expect(
      result(
        await run(operation('fileconnector.search', { source: 'made', filePattern: '.*', recursiveSearch: 'true' })),
      ),
    ).toBe(`<result><file>${folder}/made/a.txt</file><file>${folder}/made/deep/a.txt</file></result>`);
    expect(result(await run(operation('fileconnector.delete', { source: 'made', filePattern: 'a.txt' })))).toBe(
      success,
    );
    expect(existsSync(join(folder, 'made/a.txt'))).toBe(false);
  });
});

describe('what the file connector may touch', () => {
  const read = (path: string) => operation('file.read', { path });

  test('nothing, unless the configuration allows a folder', async () => {
    await expect(run(read('a.txt'), [])).rejects.toThrow(/no folder is allowed; .*file_folders/);
  });

  test('nothing outside of the folders, by whatever way', async () => {
    writeFileSync(join(outside, 'secret.txt'), 'secret');
    symlinkSync(outside, join(folder, 'link'));
    symlinkSync(join(outside, 'new.txt'), join(folder, 'dangling.txt'));
    const ways = [
      '../out',
      `${folder}/../out${count}/secret.txt`,
      `${outside}/secret.txt`,
      'link/secret.txt',
      '/etc/passwd',
    ];
    for (const way of ways) await expect(run(read(way))).rejects.toThrow(/in none of the folders that are allowed/);
    await expect(run(operation('file.write', { filePath: 'dangling.txt', contentOrExpression: 'x' }))).rejects.toThrow(
      /cannot be used/,
    );
    await expect(run(operation('file.write', { filePath: 'link/x.txt', contentOrExpression: 'x' }))).rejects.toThrow(
      /none of the folders/,
    );
    expect(readdirSync(outside)).toEqual(['secret.txt']);
    await expect(run(read('ftp://host/a.txt'))).rejects.toThrow("'ftp:' is not supported");
    await expect(run(read(`${folder}2/x`))).rejects.toThrow(/none of the folders/);
  });

  test('patterns that are no regular expressions are faults', async () => {
    await expect(run(operation('file.listFiles', { directoryPath: '.', matchingPattern: '(' }))).rejects.toMatchObject({
      code: 700107,
    });
  });
});
