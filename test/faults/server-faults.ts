import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../support/wait-for.ts';
import type { FaultyFlow } from './faulty-flow.ts';
import type { FaultyServer } from './stores.ts';

/** Something that happens to what the store needs; resolves when that is well again. */
export interface Outage {
  readonly what: string;
  /** The server is killed and comes back, for which it has to be prepared. */
  readonly kills?: boolean;
  happen(): Promise<void>;
}

/** From when the server was back until it was well again, ms. */
export interface Recovery {
  /** Until an order was confirmed. */
  readonly confirmedMs: number;
  /** Until one was confirmed and one was delivered. */
  readonly resumedMs: number;
}

/** Resolves when the flow has recovered. */
export async function sufferOutage(flow: FaultyFlow, { what, kills = false, happen }: Outage): Promise<Recovery> {
  const { forgetsMs = 0, matureMs = 0 } = flow.store;
  if (kills) await delay(Math.max(0, matureMs - flow.ageMs));
  const from = performance.now();
  await happen();
  const since = performance.now();
  const first = async (kind: 'confirmed' | 'accepted') => {
    const event = await waitFor(() => flow.history.firstSince(kind, since), {
      what: () => `an order to be ${kind} after: ${what}; ${flow.tail()}`,
      deadlineMs: 60_000,
      everyMs: 5,
    });
    return event.at - since;
  };
  const [confirmed, accepted] = await Promise.all([first('confirmed'), first('accepted')]);
  // The runtime lives and knows what it has delivered: only what was on its way into the store may be there twice.
  flow.history.addFault({
    what,
    from,
    to: since,
    window: 0,
    storedTwice: flow.lanes,
    forgetsMs: kills ? forgetsMs : 0,
  });
  await flow.someMore(20, 60_000);
  return { confirmedMs: confirmed, resumedMs: Math.max(confirmed, accepted) };
}

/** The server is killed, and started again after so long. */
export function killing(server: FaultyServer, ms: number): Outage {
  return {
    ...lasting(
      ms,
      'killed',
      () => server.kill(),
      () => server.restart(),
    ),
    kills: true,
  };
}

/** Something that lasts so long. */
export function lasting(ms: number, what: string, begin: () => unknown, end: () => unknown): Outage {
  return {
    what,
    async happen() {
      await begin();
      await delay(ms);
      await end();
    },
  };
}
