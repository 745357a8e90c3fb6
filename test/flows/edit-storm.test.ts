import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type HttpReply, post } from '../../samples/stockquote/client/http.ts';
import { afterTheTest } from '../support/clean-up.ts';
import { sayFigures } from '../support/figures.ts';
import { startFlow } from '../support/flow.ts';
import { type FlowFolder, type FlowStore, forwarderXml, PROXY, STORE, storeXml } from '../support/flow-artifacts.ts';
import { OrderHistory } from '../support/history.ts';
import { readManagement, seeProcessor, seeStore } from '../support/management.ts';
import type { MiniSynapse } from '../support/mini-synapse.ts';
import { type OrderClient, startBackEnds } from '../support/orders.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { waitFor } from '../support/wait-for.ts';

const ROUNDS = 20;
const STORM_MS = 180_000;
const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';

const server = await findOrInstall(activemq);
const afterwards = afterTheTest();

describe('a storm of 200 edits, half of them broken, under load (OP-31)', () => {
  it('touches nobody else on a store in memory', () => storm('in-memory'), STORM_MS);
});

server.describe('a storm of 200 edits, half of them broken, under load, on ActiveMQ (OP-31)', () => {
  it(
    'touches nobody else',
    async () => {
      const broker = await server.start();
      afterwards('broker', () => broker.close());
      await storm({ providerUrl: broker.openwireUrl }, broker.stompPort);
    },
    STORM_MS,
  );
});

async function storm(store: FlowStore, stompPort?: number): Promise<void> {
  const history = new OrderHistory();
  const backEnds = await startBackEnds(history, 3);
  afterwards('back ends', () => Promise.all(backEnds.map((backEnd) => backEnd.stop())));
  const files = editedFiles(store);
  const more = { ...UNTOUCHED, ...Object.fromEntries(files.map((file) => [file.file, file.first()])) };
  const flow = await startFlow({ store, stompPort, backEnds: backEnds.map(({ port }) => port), history, more });
  afterwards('flow', () => flow.close());
  const { runtime, folder, client } = flow;
  const load = new Load(runtime, client);
  afterwards('load', () => load.stop());
  await waitFor(() => load.steady > 50 && history.count('accepted') > 50, { what: 'the load to run' });
  const before = resources(runtime);

  const settledMs: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) settledMs.push(await editRound(round, files, folder, runtime));

  await load.stop();
  expect(load.failures).toEqual([]);
  await waitFor(() => history.undelivered === 0, { what: () => `${history.undelivered} orders`, deadlineMs: 30_000 });
  const { lost, invented, duplicates, refused, unanswered, sent } = history.verdict();
  expect({ lost, invented, duplicates, refused, unanswered }).toEqual({
    lost: [],
    invented: [],
    duplicates: 0,
    refused: 0,
    unanswered: 0,
  });
  expect(await faultyFiles(runtime)).toEqual(files.filter(({ broken }) => broken).map(({ file }) => file));
  for (const file of files) expect(await file.served(runtime), file.file).toBe(file.lastGood);
  expectNothingGrew(before, resources(runtime));
  const sorted = settledMs.toSorted((left, right) => left - right);
  sayFigures(`${ROUNDS * files.length} edits`, {
    orders: sent,
    lost: lost.length,
    'other answers': load.steady + load.stepped,
    failed: load.failures.length,
    'ms until a round was settled, median': sorted[ROUNDS / 2] ?? 0,
    slowest: sorted.at(-1) ?? 0,
  });
}

/** Edits every file once, half of them so that they are broken; resolves when each edit has had its effect. @returns ms */
async function editRound(
  round: number,
  files: readonly EditedFile[],
  folder: FlowFolder,
  runtime: MiniSynapse,
): Promise<number> {
  await Promise.all(files.map((file, index) => file.edit(round, index, folder)));
  const saved = performance.now();
  const wrong = files.filter(({ broken }) => broken).map(({ file }) => file);
  let faulty: readonly string[] = [];
  await waitFor(
    async () => {
      faulty = await faultyFiles(runtime);
      return faulty.join() === wrong.join();
    },
    { what: () => `the faulty files of round ${round} to be\n${wrong}\nand not\n${faulty}`, deadlineMs: 15_000 },
  );
  for (const file of files) {
    const what = `${file.file} to serve version ${file.lastGood}`;
    await waitFor(async () => (await file.served(runtime)) === file.lastGood, { what, deadlineMs: 15_000 });
  }
  return Math.round(performance.now() - saved);
}

/** A file that is edited: what it looks like in each version and how one sees from outside which version is served. */
interface EditedArtifact {
  readonly file: string;
  good(version: number): string;
  /** Edits that must be refused. */
  readonly broken: ReadonlyArray<(good: string) => string>;
  /** The version that is served, as text. */
  served(runtime: MiniSynapse): Promise<string | undefined>;
}

class EditedFile {
  broken = false;
  lastGood = '0';
  readonly #artifact: EditedArtifact;

  constructor(artifact: EditedArtifact) {
    this.#artifact = artifact;
  }

  get file(): string {
    return this.#artifact.file;
  }

  first(): string {
    return this.#artifact.good(0);
  }

  served(runtime: MiniSynapse): Promise<string | undefined> {
    return this.#artifact.served(runtime);
  }

  /** In turn good and broken, each time in another way, and saved in another way. */
  async edit(round: number, index: number, folder: FlowFolder): Promise<void> {
    const good = this.#artifact.good(round);
    this.broken = (round + index) % 2 === 0;
    if (!this.broken) this.lastGood = String(round);
    const { broken } = this.#artifact;
    const spoil = broken[((round + index) >> 1) % broken.length];
    const text = this.broken && spoil ? spoil(good) : good;
    const save = SAVES[(round + index * 7) % SAVES.length];
    await save?.(join(folder.artifacts, this.file), text);
  }
}

/** How files get to their place. */
const SAVES: ReadonlyArray<(path: string, text: string) => void | Promise<void>> = [
  (path, text) => writeFileSync(path, text),
  /* As editors save. */
  (path, text) => {
    writeFileSync(`${path}.tmp`, text);
    renameSync(`${path}.tmp`, path);
  },
  /* A slow copy. */
  async (path, text) => {
    writeFileSync(path, text.slice(0, text.length / 2));
    await delay(60);
    writeFileSync(path, text);
  },
];

const CUT_OFF = (good: string) => good.slice(0, good.length * 0.7);
const EMPTY = () => '';
const BARE_AMPERSAND = (good: string) => good.replace('>', '>&');
const TWICE_THE_SAME_ATTRIBUTE = (good: string) => good.replace(' name="', ' name="other" name="');

function editedFiles(store: FlowStore): EditedFile[] {
  const proxies = Array.from({ length: 6 }, (_, index) => editedProxy(index + 1));
  return [editedForwarder(), editedStore(store), editedSequence(), growingProxy(), ...proxies]
    .map((artifact) => new EditedFile(artifact))
    .sort((left, right) => (left.file < right.file ? -1 : 1));
}

function editedProxy(number: number): EditedArtifact {
  const name = `Edited${number}`;
  return {
    file: `${name}.xml`,
    good: (version) =>
      `<proxy ${SYNAPSE} name="${name}">
  <target>
    <inSequence>
      <property name="X-Version" scope="transport" value="${version}"/>
      <respond/>
    </inSequence>
  </target>
</proxy>`,
    broken: [
      CUT_OFF,
      (good) => good.replace('<respond/>', '<respnd/>'),
      (good) => good.replace('scope="transport"', 'scope="transprot"'),
      EMPTY,
      (good) => good.replace('<respond/>', '<log level="loud"/><respond/>'),
      BARE_AMPERSAND,
      (good) => good.replace('<respond/>', '<store/>'),
      TWICE_THE_SAME_ATTRIBUTE,
      // The name of an artifact of another file.
      (good) => good.replace(`name="${name}"`, `name="${PROXY}"`),
    ],
    served: async (runtime) => String((await postTo(runtime, name, '<order/>')).headers['x-version']),
  };
}

/** A good version of it has one more property than the one before it. */
function growingProxy(): EditedArtifact {
  return {
    file: 'Growing.xml',
    good: (version) =>
      `<proxy ${SYNAPSE} name="Growing"><target><inSequence>${Array.from(
        { length: version + 1 },
        (_, index) => `<property name="X-Version" scope="transport" value="${index}"/>`,
      ).join('')}<respond/></inSequence></target></proxy>`,
    broken: [CUT_OFF, EMPTY, (good) => good.replace('</inSequence>', '<nosuchmediator/></inSequence>')],
    served: async (runtime) => String((await postTo(runtime, 'Growing', '<order/>')).headers['x-version']),
  };
}

function editedSequence(): EditedArtifact {
  return {
    file: 'Step.xml',
    good: (version) =>
      `<sequence ${SYNAPSE} name="Step"><property name="X-Step" scope="transport" value="${version}"/></sequence>`,
    broken: [CUT_OFF, BARE_AMPERSAND, (good) => good.replace('<property ', '<proprety ')],
    served: async (runtime) => String((await postTo(runtime, 'Stepped', '<order/>')).headers['x-step']),
  };
}

/** Its interval goes up by one ms with each version. */
function editedForwarder(): EditedArtifact {
  return {
    file: 'Forwarder2.xml',
    good: (version) => forwarderXml(2, { interval: `${version}` }),
    broken: [
      CUT_OFF,
      (good) => good.replace(/(name="interval">)\d+/, '$1soon'),
      (good) => good.replace('ScheduledMessageForwardingProcessor', 'ScheduledMessageForewardingProcessor'),
      EMPTY,
    ],
    served: async (runtime) => (await seeProcessor(runtime, 'Forwarder2')).parameters.interval,
  };
}

/** Its `description` changes with each version: another store of the same name takes over under load. */
function editedStore(store: FlowStore): EditedArtifact {
  return {
    file: `${STORE}.xml`,
    good: (version) =>
      store === 'in-memory'
        ? `<messageStore ${SYNAPSE} name="${STORE}"><parameter name="x.max.messages">${50_000 + version}</parameter></messageStore>`
        : storeXml(store).replace('</messageStore>', `<parameter name="edited">${version}</parameter></messageStore>`),
    broken: [
      CUT_OFF,
      (good) => good.replace('<messageStore ', '<messageStore class="org.example.NoSuchStore" '),
      TWICE_THE_SAME_ATTRIBUTE,
      EMPTY,
    ],
    served: async (runtime) => {
      const { properties } = await seeStore(runtime, STORE);
      const { 'x.max.messages': limit, edited } = properties;
      return edited ?? (limit === undefined ? undefined : String(Number(limit) - 50_000));
    },
  };
}

/** Proxies that nobody edits, one of which uses a sequence that is edited. */
const UNTOUCHED = {
  'Steady.xml': `<proxy ${SYNAPSE} name="Steady"><target><inSequence><respond/></inSequence></target></proxy>`,
  'Stepped.xml': `<proxy ${SYNAPSE} name="Stepped"><target><inSequence><sequence key="Step"/><respond/></inSequence></target></proxy>`,
};

/** Requests to proxies that nobody edits: orders, answers, and one that uses an edited sequence. */
class Load {
  readonly failures: string[] = [];
  steady = 0;
  stepped = 0;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #stopping = new AbortController();
  readonly #lanes: Promise<unknown>;

  constructor(runtime: MiniSynapse, client: OrderClient) {
    const stream = client.stream({ atOnce: 2, pauseMs: 10 });
    this.#lanes = Promise.all([this.#lane(runtime, 'Steady'), this.#lane(runtime, 'Stepped')]).then(() =>
      stream.stop(),
    );
    this.#lanes.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#lanes;
    this.#agent.destroy();
  }

  async #lane(runtime: MiniSynapse, name: 'Steady' | 'Stepped'): Promise<void> {
    for (let number = 1; !this.#stopping.signal.aborted; number += 1) {
      const sent = `<order n="${number}"/>`;
      const failure = await postTo(runtime, name, sent, this.#agent).then(
        (reply) => (reply.status === 200 && textOf(reply) === sent ? undefined : `${reply.status} ${textOf(reply)}`),
        (error: unknown) => String(error),
      );
      if (failure !== undefined) this.failures.push(`${name} ${number}: ${failure}`);
      if (name === 'Steady') this.steady += 1;
      else this.stepped += 1;
      await delay(5);
    }
  }
}

function postTo(runtime: MiniSynapse, service: string, body: string, agent?: Agent): Promise<HttpReply> {
  const headers = { 'Content-Type': 'application/xml; charset=UTF-8' };
  return post(new URL(runtime.service(service)), headers, body, { timeoutMs: 10_000, agent });
}

function textOf({ body }: HttpReply): string {
  return Buffer.from(body).toString('utf8');
}

/** The names of the files that are reported as faulty. */
async function faultyFiles(runtime: MiniSynapse): Promise<string[]> {
  const { list } = (await readManagement(runtime, '/health/artifacts')) as { list: ReadonlyArray<{ file: string }> };
  return list.map(({ file }) => file.replace(/.*\//, '')).sort();
}

interface Resources {
  readonly residentMiB: number;
  readonly openFiles: number;
}

/** Undefined where the system does not tell. */
function resources({ pid }: MiniSynapse): Resources | undefined {
  if (process.platform !== 'linux') return undefined;
  const [, kibibytes] = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return { residentMiB: Number(kibibytes) / 1024, openFiles: readdirSync(`/proc/${pid}/fd`).length };
}

/** Files of connections that are about to close and heap that is not collected yet are no leaks; one handle per edit is. */
function expectNothingGrew(before: Resources | undefined, after: Resources | undefined): void {
  if (before === undefined || after === undefined) return;
  sayFigures('resources', { ...before, 'residentMiB after': after.residentMiB, 'openFiles after': after.openFiles });
  expect(after.openFiles).toBeLessThan(before.openFiles + 20);
  expect(after.residentMiB).toBeLessThan(before.residentMiB + 150);
}
