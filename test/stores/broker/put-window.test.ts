import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { PutFailure, type PutTarget, PutWindow, RefusedError } from '../../../src/stores/broker/put-window.ts';
import { isBusy } from '../../../src/stores/busy.ts';

/** A connection that does nothing by itself. */
class PlayedTarget implements PutTarget<string> {
  readonly #end = Promise.withResolvers<Error>();
  readonly ended = this.#end.promise;
  readonly silentMs = 0;
  readonly sent: Array<{ readonly message: string; readonly again: boolean; readonly wanted: () => boolean }> = [];
  readonly #answers = new Map<string, PromiseWithResolvers<void>>();

  send(message: string, again: boolean, wanted: () => boolean): Promise<void> {
    this.sent.push({ message, again, wanted });
    const answer = Promise.withResolvers<void>();
    this.#answers.set(message, answer);
    return answer.promise;
  }

  async confirm(message: string): Promise<void> {
    this.#answers.get(message)?.resolve();
    await nextTurn();
  }

  async fail(message: string, error = new Error('lost')): Promise<void> {
    this.#answers.get(message)?.reject(error);
    await nextTurn();
  }

  end(): void {
    this.#end.resolve(new Error('lost'));
  }

  destroy(): void {
    this.end();
  }
}

const supervisor = { lastError: undefined, trouble: () => undefined, troubleOver: () => undefined };
const ALL_THE_ROOM = 64 * 1024 * 1024;

function play(deadlineMs: number) {
  const window = new PutWindow<string>({ supervisor, deadlineMs, heartBeatMs: 10_000 });
  const target = new PlayedTarget();
  window.use(target);
  const put = (message: string, size = ALL_THE_ROOM) =>
    window.put(message, size).then(
      () => 'stored',
      (error: unknown) => error,
    );
  return { window, target, put, messages: () => target.sent.map(({ message }) => message) };
}

it('tells the connection whether a message is still wanted', async () => {
  const { window, target, put } = play(20);
  const failed = put('a');
  expect(target.sent[0]?.wanted()).toBe(true);
  expect(await failed).toBeInstanceOf(PutFailure);
  expect(target.sent[0]?.wanted()).toBe(false);
  await window.close(0);
});

it('has room again when what has failed was lost, although the connection goes on', async () => {
  const { window, target, put, messages } = play(20);
  expect(await put('a')).toBeInstanceOf(PutFailure);
  expect(await put('b')).toBeInstanceOf(PutFailure);
  expect(messages()).toEqual(['a']);
  await target.fail('a');
  expect(await put('c')).toBeInstanceOf(PutFailure);
  expect(messages()).toEqual(['a', 'c']);
  // Nothing is under way any more.
  await target.fail('c');
  await window.close(60_000);
});

it('keeps the place of what is lost and still wanted, and sends it first over the next connection', async () => {
  const { window, target, put, messages } = play(60_000);
  const puts = [put('a'), put('b')];
  await target.fail('a');
  expect(messages()).toEqual(['a']);
  target.end();
  await nextTurn();
  const next = new PlayedTarget();
  window.use(next);
  expect(next.sent).toMatchObject([{ message: 'a', again: true }]);
  await next.confirm('a');
  await next.confirm('b');
  expect(await Promise.all(puts)).toEqual(['stored', 'stored']);
  expect(next.sent.map(({ again }) => again)).toEqual([true, false]);
  await window.close(60_000);
});

it('goes on behind a message that is refused', async () => {
  const { window, target, put, messages } = play(60_000);
  const [refused, stored] = [put('a'), put('b')];
  await target.fail('a', new RefusedError('too large'));
  expect(await refused).toMatchObject({ name: 'PutFailure', message: expect.stringContaining('too large') });
  expect(messages()).toEqual(['a', 'b']);
  await target.confirm('b');
  expect(await stored).toBe('stored');
  await window.close(60_000);
});

it('says that it is busy when earlier messages were not confirmed, or too many wait (OP-100)', async () => {
  const { window, put } = play(20);
  const [sent, waiting] = await Promise.all([put('a'), put('b')]);
  // The broker has the first one: nobody knows what became of it.
  expect(sent).toMatchObject({ busy: false, message: expect.stringContaining('did not confirm') });
  expect(waiting).toMatchObject({ busy: true, message: expect.stringContaining('earlier messages') });
  await window.close(0);
  const { window: full, put: more } = play(60_000);
  const held = Array.from({ length: 6 }, (_, number) => more(`${number}`));
  expect(await held[5]).toMatchObject({ busy: true, message: expect.stringContaining('wait already') });
  await full.close(0);
  expect(isBusy(new Error('outer', { cause: await held[5] }))).toBe(true);
  expect(isBusy(new Error('outer', { cause: await held[0] }))).toBe(false);
});
