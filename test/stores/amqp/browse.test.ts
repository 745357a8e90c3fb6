import { describe, expect, it } from 'vitest';
import { AmqpBrowser } from '../../../src/stores/amqp/browse.ts';
import type { AmqpConnection } from '../../../src/stores/amqp/connection.ts';
import { FetchGate } from '../../../src/stores/amqp/fetch-gate.ts';
import { BrowseRefusedError } from '../../../src/stores/store-browser.ts';

/** A connection whose broker answers every question about a queue so; nothing else can be done with it. */
function answering(answers: readonly { readonly code: number; readonly message: string }[]) {
  const asked: string[] = [];
  const connection = {
    serverVersion: '4.0.2',
    lost: undefined,
    channel: async () => {
      const answer = answers[Math.min(asked.length, answers.length - 1)];
      return {
        assertQueue: async (queue: string) => {
          asked.push(queue);
          throw Object.assign(new Error(answer?.message), { code: answer?.code });
        },
        on: () => undefined,
      };
    },
  } as unknown as AmqpConnection;
  const browser = new AmqpBrowser({
    name: 'Orders',
    queue: 'q',
    deadlineMs: 1_000,
    gate: new FetchGate(),
    repeatedPuts: undefined,
    connection: () => connection,
    lastError: () => undefined,
    consumers: () => 0,
    noteHeld: () => undefined,
    noteSettled: () => undefined,
  });
  const look = (force: boolean) =>
    browser
      .page({ limit: 1, force, signal: AbortSignal.timeout(10_000) })
      .then(() => undefined)
      .catch((error: unknown) => error);
  return { asked, look };
}

const LIMIT = { code: 406, message: "inequivalent arg 'x-delivery-limit' for queue 'q': but current is '3'" };
const FORBIDDEN = { code: 403, message: 'ACCESS_REFUSED' };

describe('a queue that is looked into', () => {
  it('with a delivery limit is not, unless that is wanted', async () => {
    const { look } = answering([LIMIT]);
    expect(String(await look(false))).toContain('has a delivery limit of 3');
    expect(await look(true)).not.toBeInstanceOf(BrowseRefusedError);
  });

  it('and that cannot be found out about is taken for one with a limit, until it can', async () => {
    const { asked, look } = answering([FORBIDDEN, LIMIT]);
    const refused = await look(false);
    expect(refused).toBeInstanceOf(BrowseRefusedError);
    expect(String(refused)).toContain('may have a delivery limit');
    expect(String(await look(false))).toContain('has a delivery limit of 3');
    expect(await look(true)).not.toBeInstanceOf(BrowseRefusedError);
    expect(asked).toHaveLength(2);
  });
});
