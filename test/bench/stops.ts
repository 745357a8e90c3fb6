import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endChild, nextMessage, startModule } from './contest/child.ts';
import { startRuntime } from './contest/http-contestants.ts';
import { BYTES, freshName, jmsStore, storingArtifacts } from './contest/store-rows.ts';
import { benchFolder, removeFolder } from './folder.ts';
import { closeServers, startRoomyActiveMq } from './servers.ts';
import type { Probed } from './stops-probe.ts';
import { brokerStops, type Named, reasonsOf, slowAccesses } from './stops-reasons.ts';

/*
 * Why a store on ActiveMQ stands still now and then: mini-synapse with one client and a bare STOMP client send side by side, and beside
 * them the disk, the machine's timers and the broker's own log (its garbage collections, slow accesses to its KahaDB) are watched. Each
 * stop of either is laid beside those of the others. Tells, judges nothing, writes nothing.
 *
 *   npm run bench -- stops [--seconds 60] [--least 50]
 */

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, least: { type: 'string', default: '50' } },
});
const SLOW_ACCESS = 'org.apache.activemq.store.kahadb.LOG_SLOW_ACCESS_TIME';
const SLOW_MS = 20;
const BEYOND_MS = 60_000;

const folder = benchFolder();
const safepoints = join(folder, 'safepoints.log');
const ms = Number(values.seconds) * 1_000;
const leastMs = Number(values.least);

async function watch(kind: string, ...args: readonly string[]): Promise<ChildProcess> {
  const child = startModule(new URL('stops-probe.ts', import.meta.url), [kind, ...args]);
  await nextMessage(child);
  return child;
}

async function main(): Promise<void> {
  const broker = await startRoomyActiveMq([`-Xlog:safepoint:file=${safepoints}:time`, `-D${SLOW_ACCESS}=${SLOW_MS}`]);
  if (!broker) throw new Error('ActiveMQ is missing');
  const runtime = await startRuntime(storingArtifacts(jmsStore(broker, freshName())));
  const probes = {
    'mini-synapse': await watch('http', `${runtime.port}`, '/services/Storing', `${BYTES}`),
    'bare client': await watch('bare', `${broker.stompPort}`, freshName(), `${BYTES}`),
    disk: await watch('disk', join(broker.dataDirectory, 'probe')),
    machine: await watch('machine'),
  };
  try {
    const probed = await Promise.all(
      Object.entries(probes).map(async ([name, child]) => ({ name, ...(await probing(child)) })),
    );
    tell(probed, [...brokerStops(readFileSync(safepoints, 'utf8'), SLOW_MS), ...slowAccesses(broker.log(1_000))]);
  } finally {
    await Promise.all(Object.values(probes).map(endChild));
    await runtime.close();
  }
}

function probing(child: ChildProcess): Promise<Probed> {
  child.send({ ms, leastMs: SLOW_MS });
  return nextMessage<Probed>(child, ms + BEYOND_MS);
}

function tell(probed: ReadonlyArray<Probed & { name: string }>, ofBroker: readonly Named[]): void {
  for (const { name, count, medianMs, stops } of probed) {
    const long = stops.filter(({ from, to }) => to - from >= leastMs);
    const total = long.reduce((sum, { from, to }) => sum + to - from, 0);
    process.stdout.write(
      `  ${name}: ${count} in ${values.seconds} s, median ${medianMs.toFixed(2)} ms; ${long.length} of at least ${leastMs} ms, ${total.toFixed(0)} ms together\n`,
    );
  }
  const named = probed.flatMap(({ name, stops }) => stops.map((stop) => ({ name, ...stop })));
  for (const line of reasonsOf([...named, ...ofBroker], ['mini-synapse', 'bare client'], leastMs))
    process.stdout.write(`  ${line}\n`);
}

try {
  await main();
} finally {
  await closeServers();
  removeFolder(folder);
}
