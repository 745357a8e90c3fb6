import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { afterTheTest } from '../support/clean-up.ts';
import { seeProcessor, switchProcessor } from '../support/management.ts';
import { sayOncePerRun } from '../support/servers/say.ts';
import { waitFor } from '../support/wait-for.ts';
import { FaultyFlow } from './faulty-flow.ts';
import { judge, RESUMED_WITHIN_MS } from './figures.ts';
import { sufferOutage } from './server-faults.ts';
import { type SmallDisk, smallDisk, whyNoSmallDisk } from './small-disk.ts';
import { JOURNAL, SQLITE } from './stores.ts';

/* The disk of an embedded store, or of the runtime's own files, is full: what is not stored is refused, what is stored stays. */

const DISK_MB = 8;
const FULL_MS = 3_000;

const afterwards = afterTheTest();
const missing = whyNoSmallDisk();
if (missing !== undefined) sayOncePerRun(`SKIPPING the tests with a full disk: ${missing}`);

describe.skipIf(missing !== undefined)('a full disk', () => {
  for (const store of [SQLITE, JOURNAL]) {
    it(`under a store on ${store.name}: clients are refused, nothing is lost`, { timeout: 180_000 }, async () => {
      const disk = mounted();
      const medium = await store.start();
      const parameters = medium.parameters('Orders', disk.path);
      const flow = new FaultyFlow({ store, medium, parameters, dataDirectory: `${disk.path}/data` });
      afterwards('flow', () => flow.close());
      await flow.begin();
      await flow.someMore();

      const resumedMs: number[] = [];
      // Full to the last byte, and so that the next file may be begun but not ended.
      for (const leave of [0, 20_000, 0]) {
        const from = performance.now();
        const happen = async () => {
          disk.fill(leave);
          await delay(FULL_MS);
          disk.free();
        };
        resumedMs.push((await sufferOutage(flow, { what: 'full disk', happen })).resumedMs);
        if (leave === 0) expect(flow.history.firstSince('refused', from)).toMatchObject({ status: 500 });
      }
      const verdict = await flow.verdict();
      const shown = { fault: 'disk full', store: store.name, times: 3, resumedMs };
      expect(judge(shown, verdict, flow.history).resumedMs).toBeLessThan(RESUMED_WITHIN_MS);
    });
  }

  it('under the data folder: journal of crashes and dead letters', { timeout: 180_000 }, async () => {
    const disk = mounted();
    // The messages are elsewhere, so that only the runtime's own files are concerned.
    const flow = new FaultyFlow({
      store: SQLITE,
      medium: await SQLITE.start(),
      dataDirectory: `${disk.path}/data`,
      forwarder: { 'x.dead.status.codes': '400' },
    });
    afterwards('flow', () => flow.close());
    await flow.begin();
    await flow.someMore();

    const from = performance.now();
    disk.fill();
    // Deliveries go on without the journal.
    await flow.someMore();
    for (const backEnd of flow.backEnds) backEnd.behave({ status: 400, times: 2 });
    const forwarders = ['Forwarder1', 'Forwarder2'];
    // What cannot be put aside stays in its store, and who has it in hand says so and stops.
    await waitFor(
      async () => {
        const seen = await Promise.all(forwarders.map((name) => seeProcessor(flow.runtime, name)));
        return seen.every(({ status }) => status === 'inactive');
      },
      { what: () => `both forwarders to stop; ${flow.tail()}`, deadlineMs: 30_000 },
    );
    disk.free();
    for (const name of forwarders) await switchProcessor(flow.runtime, name, 'active');
    flow.history.addFault({ what: 'full disk', from, to: performance.now(), window: 0 });
    await flow.someMore();
    const verdict = await flow.verdict();
    judge({ fault: 'disk of the data folder full', store: SQLITE.name, times: 1 }, verdict, flow.history);
    expect(verdict.duplicates).toBe(0);
    expect(verdict.putAside).toEqual({ 'dead letters': 2 });
  });
});

function mounted(): SmallDisk {
  const disk = smallDisk(DISK_MB);
  afterwards('disk', () => disk.close());
  return disk;
}
