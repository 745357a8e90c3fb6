import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PutFrame } from '../../src/workers/frames.ts';
import type { OwnerNote, TakerNote } from '../../src/workers/notes.ts';
import { HandOverError, OwnerLink } from '../../src/workers/owner-link.ts';
import { OwnerPort } from '../../src/workers/owner-port.ts';
import { waitFor } from '../support/wait-for.ts';

const LONG_MS = 60_000;
let folder: string;
let path: string;
const closing: Array<() => unknown> = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-hand-over-'));
  path = join(folder, 'owner');
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true, force: true });
});

interface Owner {
  readonly port: OwnerPort;
  readonly notes: TakerNote[];
  ended: number;
}

async function open(put: (frame: PutFrame) => Promise<string | undefined>, greeting?: OwnerNote): Promise<Owner> {
  const owner: Owner = { port: undefined as unknown as OwnerPort, notes: [], ended: 0 };
  const port = new OwnerPort({
    path,
    put,
    begin: (tell) => {
      if (greeting) tell(greeting);
      const ended = () => {
        owner.ended += 1;
      };
      return { note: (note) => owner.notes.push(note), ended };
    },
  });
  await port.open();
  closing.push(() => port.close());
  return Object.assign(owner, { port });
}

function connect(onNote: (note: OwnerNote) => void = () => {}): OwnerLink {
  const link = new OwnerLink({ path, onNote });
  link.start();
  closing.push(() => link.close());
  return link;
}

function message(text: string, key?: string) {
  return { store: 'S', key, head: '{"v":1}', body: Buffer.from(text) };
}

function bodyOf(frame: PutFrame): string {
  return Buffer.from(frame.body).toString();
}

describe('a put', () => {
  it('is told what its store has made of it, whatever comes in between', async () => {
    const gates = new Map<string, PromiseWithResolvers<string | undefined>>();
    await open((frame) => {
      const gate = Promise.withResolvers<string | undefined>();
      gates.set(bodyOf(frame), gate);
      return gate.promise;
    });
    const link = connect();
    const puts = ['a', 'b', 'c'].map((text) => link.put(message(text), LONG_MS));
    await waitFor(() => gates.size === 3, { what: 'all three messages to arrive', deadlineMs: LONG_MS });
    gates.get('c')?.resolve('urn:first');
    gates.get('b')?.reject(new Error('the disk is full'));
    gates.get('a')?.resolve(undefined);
    const [first, second, third] = await Promise.allSettled(puts);
    expect(first).toEqual({ status: 'fulfilled', value: undefined });
    expect(second).toMatchObject({ status: 'rejected', reason: new HandOverError('the disk is full') });
    expect(third).toEqual({ status: 'fulfilled', value: 'urn:first' });
  });

  it('waits for an owner that is not there yet', async () => {
    const link = connect();
    const put = link.put(message('early'), LONG_MS);
    const seen: string[] = [];
    await open(async (frame) => void seen.push(bodyOf(frame)) as undefined);
    await put;
    expect(seen).toEqual(['early']);
  });

  it('that was not sent by its deadline is not stored', async () => {
    const link = connect();
    await expect(link.put(message('late'), 1)).rejects.toThrow('it is not stored');
    const seen: string[] = [];
    await open(async (frame) => void seen.push(bodyOf(frame)) as undefined);
    await link.put(message('next'), LONG_MS);
    expect(seen).toEqual(['next']);
  });

  it('that is not confirmed by its deadline may be stored', async () => {
    await open(() => new Promise(() => {}));
    await expect(connect().put(message('stuck'), 300)).rejects.toThrow('may be stored or not');
  });

  it('that the owner had in hand when it ended fails, and is not sent to the next one', async () => {
    const arrived = Promise.withResolvers<void>();
    const owner = await open(() => {
      arrived.resolve();
      return new Promise(() => {});
    });
    const link = connect();
    const put = link.put(message('lost'), LONG_MS);
    const failed = expect(put).rejects.toThrow('may be stored or not');
    await arrived.promise;
    await owner.port.close();
    await failed;
    const seen: string[] = [];
    await open(async (frame) => void seen.push(bodyOf(frame)) as undefined);
    await link.put(message('next'), LONG_MS);
    expect(seen).toEqual(['next']);
  });

  it('that cannot be written fails alone', async () => {
    await open(async () => undefined);
    const link = connect();
    const [bad, good] = await Promise.allSettled([
      link.put({ ...message('bad'), store: 's'.repeat(70_000) }, LONG_MS),
      link.put(message('good'), LONG_MS),
    ]);
    expect(bad).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('it is not stored') } });
    expect(good).toEqual({ status: 'fulfilled', value: undefined });
  });

  it('says whether the store had too much to do, so that its client may come again', async () => {
    await open((frame) => Promise.reject(Object.assign(new Error('no'), { busy: bodyOf(frame) === 'many' })));
    const link = connect();
    const fates = await Promise.allSettled(['many', 'bad'].map((text) => link.put(message(text), LONG_MS)));
    expect(fates).toMatchObject([{ reason: { busy: true } }, { reason: { busy: false } }]);
  });

  it('fails when the worker ends', async () => {
    const link = connect();
    const put = link.put(message('late'), LONG_MS);
    link.close();
    await expect(put).rejects.toThrow('it is not stored');
    await expect(link.put(message('later'), LONG_MS)).rejects.toThrow(HandOverError);
  });

  it('that will never find room is refused for good', async () => {
    const body = { byteLength: 300 * 1024 * 1024 } as Uint8Array;
    await expect(connect().put({ ...message(''), body }, LONG_MS)).rejects.toMatchObject({
      busy: false,
      message: expect.stringContaining('is too large'),
    });
  });

  it('is refused at once when too many are on their way', async () => {
    const link = connect();
    const puts = Array.from({ length: 10_000 }, () => link.put(message(''), LONG_MS));
    const all = Promise.allSettled(puts);
    await expect(link.put(message(''), LONG_MS)).rejects.toMatchObject({
      message: expect.stringContaining('10000 messages are on their way'),
      busy: true,
    });
    link.close();
    await all;
  });

  it('is settled exactly once, also when connections and owners end in between', { timeout: 120_000 }, async () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('put', 'put', 'slow put', 'bad put') },
      { weight: 1, arbitrary: fc.constantFrom('new owner', 'no owner', 'turn') },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const stored: string[] = [];
        const put = async (frame: PutFrame) => {
          const [kind] = bodyOf(frame).split(':');
          if (kind === 'slow put') await nextTurn();
          if (kind === 'bad put') throw new Error('refused');
          stored.push(bodyOf(frame));
          return undefined;
        };
        let owner: Owner | undefined = await open(put);
        const link = connect();
        const settled: Array<Promise<'stored' | 'failed'>> = [];
        const times: number[] = [];
        for (const [index, what] of steps.entries()) {
          if (what === 'turn') await nextTurn();
          else if (what === 'no owner' || what === 'new owner') {
            await owner?.port.close();
            owner = what === 'new owner' ? await open(put) : undefined;
          } else {
            const at = settled.length;
            times[at] = 0;
            const settles = (how: 'stored' | 'failed') => () => {
              times[at] = (times[at] ?? 0) + 1;
              return how;
            };
            settled.push(link.put(message(`${what}:${index}`), LONG_MS).then(settles('stored'), settles('failed')));
          }
        }
        // What still waits goes to this one.
        if (!owner) owner = await open(put);
        const fates = await Promise.all(settled);
        const wanted = steps.flatMap((what, index) => (what.endsWith('put') ? [`${what}:${index}`] : []));
        expect(times).toEqual(wanted.map(() => 1));
        // What was promised is there, once; what is there and was not promised was lost on the way back.
        expect(new Set(stored).size).toBe(stored.length);
        for (const [index, fate] of fates.entries()) if (fate === 'stored') expect(stored).toContain(wanted[index]);
        link.close();
        await owner.port.close();
      }),
      { numRuns: 30 },
    );
  });
});

describe('the connection', () => {
  it('takes notes in both directions', async () => {
    const heard: OwnerNote[] = [];
    const owner = await open(async () => undefined, { type: 'deployed' });
    const link = connect((note) => heard.push(note));
    await waitFor(() => heard.length === 1, { what: 'the greeting', deadlineMs: LONG_MS });
    expect(link.note({ type: 'registry' })).toBe(true);
    await waitFor(() => owner.notes.length === 1, { what: 'the note', deadlineMs: LONG_MS });
    owner.port.tellAll({ type: 'registry' });
    await waitFor(() => heard.length === 2, { what: 'the answer', deadlineMs: LONG_MS });
    expect([owner.notes, heard]).toEqual([[{ type: 'registry' }], [{ type: 'deployed' }, { type: 'registry' }]]);
  });

  it('takes no notes while there is none', () => {
    expect(connect().note({ type: 'registry' })).toBe(false);
  });

  it('is not idle before all takers have gone and their messages are stored', async () => {
    const gate = Promise.withResolvers<undefined>();
    const arrived = Promise.withResolvers<void>();
    const owner = await open(() => {
      arrived.resolve();
      return gate.promise;
    });
    const link = connect();
    link.put(message('slow'), LONG_MS).catch(() => undefined);
    await arrived.promise;
    expect(await owner.port.idle(1)).toBe(false);
    link.close();
    await waitFor(() => owner.ended === 1, { what: 'the end of the connection', deadlineMs: LONG_MS });
    expect(await owner.port.idle(1)).toBe(false);
    gate.resolve(undefined);
    expect(await owner.port.idle(LONG_MS)).toBe(true);
  });

  it('is cut off when a note cannot be used; the owner goes on', async () => {
    const owner = await open(async () => undefined);
    owner.notes.push = () => {
      throw new TypeError('what is that?');
    };
    const link = connect();
    await waitFor(() => link.note({ type: 'registry' }), { what: 'the note', deadlineMs: LONG_MS });
    await waitFor(() => owner.ended === 1, { what: 'the end of the connection', deadlineMs: LONG_MS });
    await link.put(message('later'), LONG_MS);
  });

  it('is cut off when the other end talks nonsense', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      if (sockets.length === 1) socket.write(Buffer.from([0, 0, 0, 1, 99]));
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    closing.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const link = connect();
    await waitFor(() => sockets.length === 2 && link.isOpen, { what: 'another connection', deadlineMs: LONG_MS });
  });
});
