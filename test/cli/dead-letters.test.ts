import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { type DeadLetter, putAside } from '../../src/processors/dead-letter.ts';
import { type InProcess, serve } from '../support/in-process.ts';

let data: string;
let served: InProcess | undefined;

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'mini-synapse-letters-'));
});

afterEach(async () => {
  await served?.stop();
  served = undefined;
  rmSync(data, { recursive: true, force: true });
});

class Text extends Writable {
  readonly parts: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.parts.push(chunk);
    done();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}

async function cli(...args: string[]) {
  const stdout = new Text();
  const stderr = new Text();
  const environment = { MINI_SYNAPSE_URL: served?.management('') ?? '', XDG_CONFIG_HOME: data };
  const all = ['dead-letter', ...args, '--data', data];
  const code = await main(all, { stdout, stderr, stdin: Readable.from([]), environment });
  return { code, stdout: stdout.bytes.toString(), stderr: stderr.bytes.toString(), bytes: stdout.bytes };
}

function aside(id: string, more: Partial<DeadLetter> = {}) {
  return putAside(data, {
    id,
    store: 'Orders',
    processor: 'Sampler',
    reason: 'its sequence is gone',
    contentType: 'application/xml',
    headers: [['X-Order', id]],
    history: [],
    bytes: Buffer.from(`<order>${id}</order>`),
    ...more,
  });
}

it('lists, shows and has nothing where there is nothing', async () => {
  expect(await cli('list')).toMatchObject({ code: 0, stdout: 'No dead letters\n' });
  await aside('one', { bytes: Buffer.from([0, 255, 13, 10]), contentType: undefined });
  await aside('two', { store: 'Other' });
  writeFileSync(join(data, 'dead-letter/Orders/torn.json'), '{"id":');
  const listed = await cli('list');
  expect(listed.stdout).toMatch(
    /ID +STORE +PROCESSOR +SINCE +SIZE +REASON\none +Orders +Sampler .* 4 B +its sequence is gone\ntwo /,
  );
  expect(listed.stderr).toMatch(/torn\.json cannot be read: /);
  expect(JSON.parse((await cli('list', '--store', 'Other', '--json')).stdout)).toMatchObject({
    count: 1,
    list: [{ id: 'two' }],
  });
  expect((await cli('show', 'two')).stdout).toMatch(
    /^two, of store Other, put aside by Sampler .*\n {2}X-Order: two\n\n<order>two<\/order>\n$/,
  );
  expect((await cli('show', 'one', '--body')).bytes).toEqual(Buffer.from([0, 255, 13, 10]));
  expect(await cli('show', 'three')).toMatchObject({ code: 1, stderr: expect.stringContaining('no dead letter') });
});

it('replays what is named or all: what is stored leaves the area, the rest stays (OP-62)', async () => {
  served = await serve({ Orders: '<messageStore name="Orders"/>', Spare: '<messageStore name="Spare"/>' });
  await aside('one');
  await aside('two', { store: 'Gone' });
  await aside('often', { replays: 5 });
  expect(await cli('replay')).toMatchObject({ code: 2 });
  expect(await cli('replay', 'one', 'nobody', '-y')).toMatchObject({ code: 1 });
  const all = await cli('replay', '--all', '-y');
  expect(all).toMatchObject({ code: 1, stdout: '1 of 3 dead letters stored again\n' });
  expect(all.stderr).toMatch(/two: .*Gone/);
  expect(all.stderr).toMatch(/often: It was sent again 5 times already/);
  const [message] = await messages('Orders');
  expect(message).toMatchObject({ id: 'one', replays: 1 });
  expect((await cli('replay', 'two', '--to', 'Spare', '-y')).stdout).toBe('1 dead letter stored again\n');
  expect(await messages('Spare')).toMatchObject([{ id: 'two' }]);
  expect((await cli('replay', 'often', '--force', '-y')).code).toBe(0);
  expect((await messages('Orders')).map(({ id }) => id)).toEqual(['one', 'often']);
  expect(await cli('list')).toMatchObject({ stdout: 'No dead letters\n' });
  expect(readdirSync(join(data, 'dead-letter/Orders'))).toEqual([]);
});

async function messages(store: string): Promise<ReadonlyArray<{ readonly id: string; readonly replays: number }>> {
  const answer = await fetch(served?.management(`/management/message-stores/${store}/messages`) ?? '');
  return ((await answer.json()) as { list: ReadonlyArray<{ id: string; replays: number }> }).list;
}
