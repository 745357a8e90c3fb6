import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { waitFor } from '../support/wait-for.ts';
import { endChild, nextMessage, startModule } from './contest/child.ts';
import { spread } from './contest/contest.ts';
import { benchFolder, removeFolder } from './folder.ts';
import { writeResult } from './result.ts';

/*
 * A thousand proxies: their first deployment against reading and parsing their files, in turns; and how soon one changed file is served.
 * The first deployment is what a start with all of them takes longer than one with a single one. No start has to make the certificate of
 * the HTTPS listener: looking for primes takes 20 to 150 ms, as chance will have it.
 *
 *   node test/bench/deployment.ts [--count 1000] [--rounds 5]
 *
 * Exit code 1 when a goal was not met.
 */

const GOAL_TIMES = 2;
const GOAL_CHANGE_MS = 300;
/** A file that stays as it is for so long counts as quiet (the default of src/deployment/watcher.ts), ms. */
const QUIET_MS = 300;
const LOOK_EVERY_MS = 5;
const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';

function proxy(number: number, answer: string): string {
  const orders = 'xmlns:m0="http://services.samples"';
  return `<?xml version="1.0" encoding="UTF-8"?>
<proxy ${SYNAPSE} name="Proxy${number}" transports="http https" startOnLoad="true">
  <description>Takes orders, number ${number}</description>
  <target>
    <inSequence>
      <log level="custom"><property name="proxy" value="Proxy${number}"/></log>
      <property ${orders} name="symbol" expression="//m0:order/m0:symbol/text()"/>
      <filter ${orders} xpath="//m0:order/m0:quantity &gt; 1000">
        <then><property name="large" value="true"/></then>
        <else><property name="large" value="false"/></else>
      </filter>
      <payloadFactory media-type="xml"><format><answer xmlns="">${answer}</answer></format><args/></payloadFactory>
      <respond/>
    </inSequence>
    <faultSequence><log level="full"/><drop/></faultSequence>
  </target>
</proxy>
`;
}

function writeProxies(folder: string, count: number): string {
  mkdirSync(folder);
  for (let number = 0; number < count; number += 1) {
    writeFileSync(join(folder, `proxy-${number}.xml`), proxy(number, 'as it was'));
  }
  return folder;
}

async function readAndParse(folder: string): Promise<number> {
  const child = startModule(new URL('baselines/read-and-parse.ts', import.meta.url), ['--folder', folder]);
  try {
    return (await nextMessage<{ ms: number }>(child)).ms;
  } finally {
    await endChild(child);
  }
}

/** The folder with the certificate that a start makes where there is none. */
async function madeCertificate(artifacts: string, folder: string): Promise<string> {
  const dataDirectory = mkdtempSync(join(folder, 'data-'));
  const runtime = await runMiniSynapse({ artifacts, dataDirectory });
  await runtime.stop();
  return join(dataDirectory, 'tls');
}

/** Where starts begin, and what they find there. */
interface Starts {
  readonly folder: string;
  readonly certificate: string;
}

async function withRuntime<T>(
  artifacts: string,
  { folder, certificate }: Starts,
  use: (runtime: MiniSynapse) => T | Promise<T>,
) {
  const dataDirectory = mkdtempSync(join(folder, 'data-'));
  cpSync(certificate, join(dataDirectory, 'tls'), { recursive: true });
  const runtime = await runMiniSynapse({ artifacts, dataDirectory, startDeadlineMs: 120_000 });
  try {
    return await use(runtime);
  } finally {
    await runtime.kill();
  }
}

/** From the change of a file until its proxy answers by it, ms. */
async function changeToServing(runtime: MiniSynapse, file: string, answer: string): Promise<number> {
  writeFileSync(file, proxy(0, answer));
  const changed = performance.now();
  const body = '<order xmlns="http://services.samples"/>';
  const served = async () => {
    const response = await fetch(runtime.service('Proxy0'), {
      method: 'POST',
      headers: { 'Content-Type': 'text/xml' },
      body,
    });
    return (await response.text()).includes(answer);
  };
  await waitFor(served, { what: 'the changed proxy', everyMs: LOOK_EVERY_MS });
  return performance.now() - changed;
}

async function changes(runtime: MiniSynapse, file: string, rounds: number): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    times.push((await changeToServing(runtime, file, `changed ${round}`)) - QUIET_MS);
    await delay(QUIET_MS);
  }
  return times;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { count: { type: 'string', default: '1000' }, rounds: { type: 'string', default: '5' } },
  });
  const rounds = Number(values.rounds);
  const folder = benchFolder();
  try {
    const one = writeProxies(join(folder, 'one'), 1);
    const all = writeProxies(join(folder, 'all'), Number(values.count));
    const starts = { folder, certificate: await madeCertificate(one, folder) };
    const bare: number[] = [];
    const ours: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      bare.push(await readAndParse(all));
      const alone = await withRuntime(one, starts, ({ readyInMs }) => readyInMs);
      ours.push((await withRuntime(all, starts, ({ readyInMs }) => readyInMs)) - alone);
      process.stderr.write(`  round ${round + 1} of ${rounds}\n`);
    }
    const served = await withRuntime(all, starts, (runtime) => changes(runtime, join(all, 'proxy-0.xml'), rounds));
    return await tell({ count: Number(values.count), bare, ours, served });
  } finally {
    removeFolder(folder);
  }
}

interface Measured {
  readonly count: number;
  /** ms, all of them. */
  readonly bare: readonly number[];
  readonly ours: readonly number[];
  readonly served: readonly number[];
}

async function tell({ count, bare, ours, served }: Measured): Promise<number> {
  const times = spread(ours.map((ms, round) => ms / (bare[round] ?? Number.NaN)));
  const figures = { readAndParseMs: spread(bare), firstDeploymentMs: spread(ours), times, changeMs: spread(served) };
  const met = times.median <= GOAL_TIMES;
  const changeMet = figures.changeMs.median <= GOAL_CHANGE_MS;
  const { readAndParseMs, firstDeploymentMs, changeMs } = figures;
  process.stdout.write(
    `${count} proxies\n` +
      `  reading and parsing the files ${readAndParseMs.median.toFixed(0)} ms, first deployment ${firstDeploymentMs.median.toFixed(0)} ms: ` +
      `${times.median.toFixed(2)} times (${times.min.toFixed(2)}-${times.max.toFixed(2)}); goal <= ${GOAL_TIMES}: ${met ? 'met' : 'NOT MET'}\n` +
      `  one changed file: served ${changeMs.median.toFixed(0)} ms after it was quiet for ${QUIET_MS} ms ` +
      `(${changeMs.min.toFixed(0)}-${changeMs.max.toFixed(0)}); goal <= ${GOAL_CHANGE_MS}: ${changeMet ? 'met' : 'NOT MET'}\n`,
  );
  const first = `first deployment of ${count} proxies, by reading and parsing the files`;
  const change = `one changed file of ${count} to serving, once it is quiet`;
  const limits = [
    { id: 'deployment', path: first, value: times, unit: 'times', goal: GOAL_TIMES, met },
    { id: 'change', path: change, value: changeMs, unit: 'ms', goal: GOAL_CHANGE_MS, met: changeMet },
  ];
  await writeResult('deployment', { count, limits, ...figures });
  return met && changeMet ? 0 : 1;
}

process.exitCode = await main();
