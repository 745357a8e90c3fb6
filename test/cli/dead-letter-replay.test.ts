import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { readMessageLine } from '../../src/management/operations/message-lines.ts';
import { type DeadLetter, putAside } from '../../src/processors/dead-letter.ts';

interface Import {
  readonly store: string;
  readonly query: Readonly<Record<string, string>>;
  readonly ids: readonly string[];
}
type Answer = Readonly<Record<string, unknown>> | 'hang up';

let data: string;
let server: Server | undefined;
let imports: Import[];

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'mini-synapse-replay-'));
  imports = [];
});

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  rmSync(data, { recursive: true, force: true });
});

/** A management API of which there is only the import. */
async function importing(answer: (asked: Import) => Answer | Promise<Answer> = stored): Promise<void> {
  server = createServer(async (request, response) => {
    const asked = await importOf(request);
    imports.push(asked);
    const body = await answer(asked);
    if (body === 'hang up') return void request.socket.destroy();
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
}

async function importOf(request: IncomingMessage): Promise<Import> {
  const url = new URL(request.url ?? '', 'http://host');
  const lines = (await text(request)).trim().split('\n');
  const store = /message-stores\/([^/]+)\/import$/.exec(url.pathname)?.[1] ?? '';
  return { store, query: Object.fromEntries(url.searchParams), ids: lines.map((line) => readMessageLine(line).id) };
}

function stored({ ids }: Import): Answer {
  return { done: ids.length, count: ids.length, skipped: 0, failed: [] };
}

async function cli(...args: string[]) {
  const out = { stdout: '', stderr: '' };
  const into = (name: keyof typeof out) =>
    new Writable({
      write(chunk, _encoding, done) {
        out[name] += String(chunk);
        done();
      },
    });
  const address = server?.address() as AddressInfo | undefined;
  const environment = { MINI_SYNAPSE_URL: `http://127.0.0.1:${address?.port}`, XDG_CONFIG_HOME: data };
  const all = ['dead-letter', ...args, '--data', data];
  const code = await main(all, {
    stdout: into('stdout'),
    stderr: into('stderr'),
    stdin: Readable.from([]),
    environment,
  });
  return { code, ...out };
}

function letter(id: string, more: Partial<DeadLetter> = {}): DeadLetter {
  const bytes = Buffer.from(`<order>${id}</order>`);
  const about = { processor: 'P', reason: 'why', contentType: 'application/xml', headers: [], history: [] };
  return { id, store: 'Orders', ...about, bytes, ...more };
}

/** As putAside writes them, only without waiting for the disk. */
function many(count: number, store: string, body = '<a/>'): void {
  const folder = join(data, 'dead-letter', store);
  mkdirSync(folder, { recursive: true });
  for (let index = 0; index < count; index += 1) {
    const id = `${store}-${index}`;
    const at = new Date(1_000 * index).toISOString();
    writeFileSync(join(folder, `${id}.body`), body);
    const { bytes: _, ...about } = letter(id, { store });
    writeFileSync(join(folder, `${id}.json`), JSON.stringify({ ...about, bytes: body.length, at }));
  }
}

function files(store: string): string[] {
  return readdirSync(join(data, 'dead-letter', store)).sort();
}

describe('dead-letter replay (OP-62)', { timeout: 120_000 }, () => {
  it('keeps the new letter of a message that is put aside again before the import is answered', async () => {
    await putAside(data, letter('one'));
    await importing(async (asked) => {
      await putAside(data, letter('one', { replays: 1, reason: 'again' }));
      return stored(asked);
    });
    expect((await cli('replay', '--all', '-y')).code).toBe(0);
    expect(files('Orders')).toEqual(['one~1.body', 'one~1.json']);
    expect((await cli('show', 'one')).stdout).toMatch(/again\n\n<order>one<\/order>/);
  });

  it('tells a letter that cannot be read or taken away by its name, and goes on with the others', async () => {
    for (const id of ['a', 'b', 'c']) await putAside(data, letter(id));
    rmSync(join(data, 'dead-letter/Orders/a.body'));
    await importing((asked) => {
      // What nobody can remove as a file.
      rmSync(join(data, 'dead-letter/Orders/b.json'));
      mkdirSync(join(data, 'dead-letter/Orders/b.json'));
      return stored(asked);
    });
    const { code, stdout, stderr } = await cli('replay', '--all', '-y');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '2 of 3 dead letters stored again\n' });
    expect(stderr).toMatch(/^a: .*ENOENT/m);
    expect(stderr).toMatch(/^b: It is stored, but /m);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(imports.map(({ ids }) => ids)).toEqual([['b', 'c']]);
    expect(files('Orders')).toEqual(['a.json', 'b.body', 'b.json']);
  });

  it('does not mind a letter that somebody else took away meanwhile', async () => {
    await putAside(data, letter('a'));
    await importing((asked) => {
      rmSync(join(data, 'dead-letter/Orders'), { recursive: true });
      return stored(asked);
    });
    expect(await cli('replay', 'a', '-y')).toMatchObject({ code: 0, stdout: '1 dead letter stored again\n' });
  });

  it('keeps count when the server goes away in the middle, and asks it no more', async () => {
    many(1, 'A');
    many(2, 'B');
    many(1, 'C');
    await importing((asked) => (asked.store === 'B' ? 'hang up' : stored(asked)));
    const { code, stdout, stderr } = await cli('replay', '--all', '-y');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '1 of 4 dead letters stored again\n' });
    expect(imports.map(({ store }) => store)).toEqual(['A', 'B']);
    expect(stderr.match(/^[ABC]-\d: /gm)).toEqual(['B-0: ', 'B-1: ', 'C-0: ']);
    expect(files('A')).toEqual([]);
    expect([...files('B'), ...files('C')]).toHaveLength(6);
  });

  it('imports a hundred at a time, store by store', async () => {
    many(101, 'A');
    many(1, 'B');
    await importing();
    expect((await cli('replay', '--all', '-y')).stdout).toBe('102 dead letters stored again\n');
    expect(imports.map(({ store, ids }) => [store, ids.length])).toEqual([
      ['A', 100],
      ['A', 1],
      ['B', 1],
    ]);
    expect(files('A')).toEqual([]);
  });

  it('imports at most 16 MiB at a time', async () => {
    many(3, 'A', 'x'.repeat(7 * 1024 * 1024));
    await importing();
    expect((await cli('replay', '--all', '-y', '--to', 'Spare')).code).toBe(0);
    expect(imports.map(({ store, ids }) => [store, ids])).toEqual([
      ['Spare', ['A-0', 'A-1']],
      ['Spare', ['A-2']],
    ]);
  });

  it('takes away only what was stored', async () => {
    many(4, 'A');
    await importing(() => ({
      done: 1,
      count: 2,
      skipped: 0,
      failed: [{ line: 2, id: 'A-1', Error: 'the disk is full' }],
      stopped: 'stopped after 20 messages',
    }));
    const { code, stdout, stderr } = await cli('replay', '--all', '-y', '--json');
    expect({ code, ...JSON.parse(stdout) }).toEqual({
      code: 1,
      done: 1,
      count: 4,
      failed: [
        { id: 'A-1', Error: 'the disk is full' },
        { id: 'A-2', Error: 'stopped after 20 messages' },
        { id: 'A-3', Error: 'stopped after 20 messages' },
      ],
    });
    expect(stderr).toBe('');
    expect(files('A')).toEqual(['A-1', 'A-2', 'A-3'].flatMap((name) => [`${name}.body`, `${name}.json`]));
  });

  it.each([{}, { count: 1 }, { failed: [] }])('takes nothing away for the answer %j', async (answer) => {
    many(1, 'A');
    await importing(() => answer);
    expect(await cli('replay', '--all', '-y')).toMatchObject({ code: 1, stderr: expect.stringContaining('A-0: ') });
    expect(files('A')).toHaveLength(2);
  });

  it('--force does not look for duplicates', async () => {
    many(1, 'A');
    await importing(() => ({ done: 0, count: 1, skipped: 0, failed: [{ line: 1, Error: 'no' }] }));
    await cli('replay', '--all', '-y');
    await cli('replay', '--all', '-y', '--force');
    expect(imports.map(({ query }) => query)).toEqual([{}, { duplicates: 'allow', force: 'true' }]);
  });

  it('sends what its store could not decode only with --force', async () => {
    await putAside(data, letter('raw', { undecoded: true, reason: 'it is torn' }));
    await importing();
    expect(await cli('replay', '--all', '-y')).toMatchObject({
      code: 1,
      stdout: '0 of 1 dead letter stored again\n',
      stderr: expect.stringMatching(/^raw: .*could not decode.*it is torn.*--force/),
    });
    expect(imports).toEqual([]);
    expect((await cli('replay', 'raw', '-y', '--force')).code).toBe(0);
    expect(imports).toMatchObject([{ ids: ['raw'] }]);
  });
});

it('list and show do not tell secrets, and list leaves out paths and histories', { timeout: 60_000 }, async () => {
  await importing();
  const headers = [
    ['Authorization', 'Bearer s3cret'],
    ['X-Order', '1'],
  ] as const;
  await putAside(data, letter('one', { headers }));
  const [row] = (JSON.parse((await cli('list', '--json')).stdout) as { list: object[] }).list;
  expect(row).toMatchObject({ id: 'one', headers: [['Authorization', '*****'], headers[1]] });
  expect(Object.keys(row ?? {})).not.toContain('base');
  expect(Object.keys(row ?? {})).not.toContain('history');
  for (const flags of [[], ['--json']]) {
    const { stdout } = await cli('show', 'one', ...flags);
    expect(stdout).not.toContain('s3cret');
    expect(stdout).toContain('X-Order');
  }
});
