import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EchoBackEnd, echoBackEnd } from '../support/echo-back-end.ts';
import { FlowFolder, NEVER_SUSPENDED, proxyXml } from '../support/flow-artifacts.ts';
import { call } from '../support/http-call.ts';
import { readManagement, seeStore } from '../support/management.ts';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { signalProcess } from '../support/signal-process.ts';
import { waitFor } from '../support/wait-for.ts';

/*
 * Two workers with one listener: each takes a share of the connections, and what either stores is in the one store that there is
 * (docs/workers.md). Which worker a connection goes to is for node:cluster to say; where a test needs both, it opens enough of them.
 */

const LONG_MS = 60_000;
const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';
const FORWARDER = 'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor';
/** New connections that meet both workers for sure: they are handed out in turn, but for what else comes in between. */
const CONNECTIONS = 8;

function storeXml(name: string, parameters: Readonly<Record<string, string>>, className?: string): string {
  const written = Object.entries(parameters).map(([key, value]) => `<parameter name="${key}">${value}</parameter>`);
  const named = className === undefined ? '' : ` class="${className}"`;
  return `<messageStore ${SYNAPSE} name="${name}"${named}>${written.join('')}</messageStore>`;
}

function respondXml(name: string): string {
  return `<proxy ${SYNAPSE} name="${name}" transports="http"><target><inSequence><respond/></inSequence></target></proxy>`;
}

/** The processes of the workers, in the order in which they were started. */
function workersOf(runtime: MiniSynapse): number[] {
  const { pid = 0 } = runtime;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}

/** Gone, or only waiting for somebody to ask how it ended. */
function hasEnded(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

/** One request on a connection of its own; the status, or why there is none. */
async function post(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number | string> {
  try {
    const reply = await call(url, { body, headers: { 'Content-Type': 'text/xml', ...headers }, deadlineMs: LONG_MS });
    return reply.status;
  } catch (error) {
    return String(error);
  }
}

function postToAll(url: string): Promise<Array<number | string>> {
  return Promise.all(Array.from({ length: CONNECTIONS }, () => post(url, '<order/>')));
}

describe('two workers', () => {
  const folder = new FlowFolder();
  const temporary = join(folder.path, 'tmp');
  let backEnd: EchoBackEnd;
  let runtime: MiniSynapse;

  beforeAll(async () => {
    backEnd = await echoBackEnd();
    mkdirSync(temporary);
    const database = {
      'store.jdbc.driver': 'org.sqlite.JDBC',
      'store.jdbc.connection.url': 'jdbc:sqlite:orders.db',
      'x.create.table': 'true',
    };
    folder.write('answering.xml', respondXml('Answering'));
    folder.write('kept.xml', storeXml('Kept', { 'x.dedup.id': '$trp:Idempotency-Key' }));
    folder.write('keeping.xml', proxyXml('Keeping', 'Kept'));
    folder.write(
      'durable.xml',
      storeXml(
        'Durable',
        { ...database, 'store.jdbc.table': 'orders' },
        'org.apache.synapse.message.store.impl.jdbc.JDBCMessageStore',
      ),
    );
    folder.write('taking.xml', proxyXml('Taking', 'Durable'));
    folder.write('full.xml', storeXml('Full', { 'x.max.bytes': '1' }));
    const spare = {
      'store.producer.guaranteed.delivery.enable': 'true',
      'store.failover.message.store.name': 'Spare',
    };
    folder.write('spilling.xml', storeXml('Spilling', { 'x.max.bytes': '1', ...spare }));
    folder.write('spare.xml', storeXml('Spare', {}));
    folder.write('spilled.xml', proxyXml('Spilled', 'Spilling'));
    folder.write('filling.xml', proxyXml('Filling', 'Full'));
    folder.write(
      'back.xml',
      `<endpoint ${SYNAPSE} name="Back"><address uri="${backEnd.url}/">${NEVER_SUSPENDED}</address></endpoint>`,
    );
    folder.write(
      'forwarder.xml',
      `<messageProcessor ${SYNAPSE} class="${FORWARDER}" name="Forwarder" targetEndpoint="Back" messageStore="Durable">` +
        '<parameter name="interval">0</parameter><parameter name="client.retry.interval">100</parameter>' +
        '<parameter name="max.delivery.attempts">-1</parameter></messageProcessor>',
    );
    runtime = await runMiniSynapse({
      artifacts: folder.artifacts,
      dataDirectory: folder.data,
      args: ['--workers', '2'],
      env: { TMPDIR: temporary },
      startDeadlineMs: 150_000,
    });
  });

  afterAll(async () => {
    await runtime?.kill();
    await backEnd?.close();
    folder.remove();
  });

  it('are ready when both are, and say so once', () => {
    expect(runtime.lines().filter((line) => line.startsWith('mini-synapse ready'))).toHaveLength(1);
    expect(workersOf(runtime)).toHaveLength(2);
  });

  it('both take requests', async () => {
    const [, taker] = workersOf(runtime);
    signalProcess(taker, 'SIGSTOP');
    let answered = 0;
    const answers = Array.from({ length: CONNECTIONS }, async () => {
      const status = await post(runtime.service('Answering'), '<order/>');
      answered += 1;
      return status;
    });
    try {
      await waitFor(() => answered > 0, { what: 'answers of the worker that goes on', deadlineMs: LONG_MS });
      // The connection that was given to the one that stands still waits for it.
      await delay(300);
      expect(answered).toBeLessThan(CONNECTIONS);
    } finally {
      signalProcess(taker, 'SIGCONT');
    }
    expect(await Promise.all(answers)).toEqual(Array(CONNECTIONS).fill(200));
  });

  it('put into one store, in memory or not, which tells of all messages', async () => {
    const keys = ['a', 'b'].flatMap((key) => Array<string>(CONNECTIONS).fill(key));
    const url = runtime.service('Keeping');
    const repeated = await Promise.all(keys.map((key) => post(url, '<order/>', { 'Idempotency-Key': key })));
    expect(repeated).toEqual(keys.map(() => 202));
    expect(await postToAll(url)).toEqual(Array(CONNECTIONS).fill(202));
    // Two that were sent again and again, and all that have no id.
    expect((await seeStore(runtime, 'Kept')).size).toBe(2 + CONNECTIONS);
    expect(await postToAll(runtime.service('Taking'))).toEqual(Array(CONNECTIONS).fill(202));
    await waitFor(() => backEnd.received.length === CONNECTIONS, {
      what: () => `${CONNECTIONS} deliveries, ${backEnd.received.length} came`,
      deadlineMs: LONG_MS,
    });
  });

  it('fail as the store does, with the reason in the log', async () => {
    const before = runtime.lines().length;
    expect(await postToAll(runtime.service('Filling'))).toEqual(Array(CONNECTIONS).fill(500));
    await runtime.waitForLine(/Failed to store message .* in store \[Full\]/, { after: before, deadlineMs: LONG_MS });
  });

  it('leave the failover of stores to the one that has them', async () => {
    expect(await postToAll(runtime.service('Spilled'))).toEqual(Array(CONNECTIONS).fill(202));
    expect((await seeStore(runtime, 'Spare')).size).toBe(CONNECTIONS);
  });

  it('are counted together', async () => {
    const requests = async (name: string) => {
      const seen = (await readManagement(runtime, `/management/proxy-services?proxyServiceName=${name}`)) as {
        requests?: number;
      };
      return seen.requests ?? 0;
    };
    const counts = () => Promise.all(['Answering', 'Keeping', 'Taking', 'Filling'].map(requests));
    const expected = [CONNECTIONS, 3 * CONNECTIONS, CONNECTIONS, CONNECTIONS];
    let seen: number[] = [];
    await waitFor(
      async () => {
        seen = await counts();
        return seen.every((count, index) => count >= (expected[index] ?? 0));
      },
      { what: () => `${expected} requests, not ${seen}`, deadlineMs: LONG_MS },
    );
    expect(seen).toEqual(expected);
    // Takers tell twice a second.
    const agreed = async () => {
      const { edges } = (await readManagement(runtime, '/management/graph')) as {
        edges: Array<{ to: string; count: number }>;
      };
      expect(edges.find(({ to }) => to === 'mediator:proxy/Keeping/in/3')?.count).toBe(3 * CONNECTIONS);
      const metrics = await (await fetch(runtime.management('/metrics'))).text();
      expect(metrics.match(/^store_puts_total\{store="Full",result="failed"\} .*$/m)?.[0]).toMatch(` ${CONNECTIONS}`);
      expect(metrics.match(/^messages_in_flight .*$/m)?.[0]).toBe('messages_in_flight 0');
      return true;
    };
    await waitFor(agreed, { what: 'the graph and the metrics to say the same', deadlineMs: LONG_MS });
  });

  it('both do what the management API says, or it says that they cannot', async () => {
    const url = runtime.service('Answering');
    const change = async (status: string) => {
      const body = JSON.stringify({ name: 'Answering', status });
      await call(runtime.management('/management/proxy-services'), {
        body,
        headers: { 'Content-Type': 'application/json' },
      });
    };
    const all = (wanted: (status: number | string) => boolean, what: string) =>
      waitFor(async () => (await postToAll(url)).every(wanted), { what, deadlineMs: LONG_MS });
    await change('inactive');
    await all((status) => status !== 200, 'both to have stopped the proxy');
    await change('active');
    await all((status) => status === 200, 'both to have started the proxy again');
    const refused = await call(runtime.management('/management/tracing'), {
      method: 'PUT',
      body: '{"mode":"on"}',
      headers: { 'Content-Type': 'application/json' },
    });
    expect([refused.status, refused.text]).toEqual([409, expect.stringContaining('2 workers')]);
  });

  it('both deploy what comes into the folder', async () => {
    folder.write('later.xml', respondXml('Later'));
    await waitFor(async () => (await postToAll(runtime.service('Later'))).every((status) => status === 200), {
      what: 'both to have deployed the proxy',
      deadlineMs: LONG_MS,
    });
  });

  it('lose nothing that was confirmed when one and then the other is killed under load', {
    timeout: 400_000,
  }, async () => {
    const confirmed = new Set<string>();
    let sent = 0;
    let goesOn = true;
    const client = async () => {
      while (goesOn) {
        sent += 1;
        const id = `order-${sent}`;
        if ((await post(runtime.service('Taking'), `<order id="${id}"/>`)) === 202) confirmed.add(id);
        // As many as the store takes are more than one forwarder delivers soon.
        await delay(50);
      }
    };
    const clients = Array.from({ length: 4 }, client);
    const more = async (what: string) => {
      const before = confirmed.size;
      await waitFor(() => confirmed.size >= before + 20, {
        what: `20 confirmed messages ${what}`,
        deadlineMs: LONG_MS,
      });
    };
    await more('before anything is killed');
    for (const [index, role] of [
      [1, 'taker'],
      [0, 'owner'],
    ] as const) {
      const before = runtime.lines().length;
      const workers = workersOf(runtime);
      signalProcess(workers[index], 'SIGKILL');
      await runtime.waitForLine(new RegExp(`Worker \\d \\(${role}\\), process \\d+, is ready`), {
        after: before,
        deadlineMs: LONG_MS,
      });
      await more(`after the ${role} was killed`);
    }
    goesOn = false;
    await Promise.all(clients);
    const delivered = () => new Set(backEnd.received.map(({ body }) => /order-\d+/.exec(body.toString())?.[0]));
    const missing = () => [...confirmed].filter((id) => !delivered().has(id));
    await waitFor(() => missing().length === 0, {
      what: () => `${missing().length} of ${confirmed.size} confirmed messages`,
      deadlineMs: 3 * LONG_MS,
    });
  });

  it('end together, and leave nothing', async () => {
    const workers = workersOf(runtime);
    expect(workers).toHaveLength(2);
    expect(await runtime.stop()).toMatchObject({ code: 0 });
    for (const pid of workers) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(readdirSync(temporary).filter((name) => name.startsWith('mini-synapse-'))).toEqual([]);
  });
});

describe('a start with two workers', () => {
  const folder = new FlowFolder();
  const taken: Server = createServer();

  afterAll(() => {
    taken.close();
    folder.remove();
  });

  it('ends with 3 when a port is taken, as with one', async () => {
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    folder.write('answering.xml', respondXml('Answering'));
    const started = runMiniSynapse({
      artifacts: folder.artifacts,
      dataDirectory: folder.data,
      ports: { http: port },
      args: ['--workers', '2'],
      startDeadlineMs: 150_000,
    });
    await expect(started).rejects.toThrow(new RegExp(`Port ${port} on 127.0.0.1 is taken`));
    await expect(started).rejects.toThrow(/\b3\b/);
  });

  it.each([
    ['a second signal ends it', ['SIGTERM', 'SIGINT']],
    ['it is killed', ['SIGKILL']],
  ] as const)('leaves nothing when %s', async (_, signals) => {
    const temporary = join(folder.path, 'tmp');
    mkdirSync(temporary, { recursive: true });
    folder.write('answering.xml', respondXml('Answering'));
    const runtime = await runMiniSynapse({
      artifacts: folder.artifacts,
      dataDirectory: folder.data,
      args: ['--workers', '2'],
      env: { TMPDIR: temporary },
      startDeadlineMs: 150_000,
    });
    try {
      const ours = () => readdirSync(temporary).filter((name) => name.startsWith('mini-synapse-'));
      expect(ours()).toHaveLength(1);
      const workers = workersOf(runtime);
      for (const signal of signals) signalProcess(runtime.pid, signal);
      await waitFor(() => workers.every(hasEnded), { what: 'the end of the workers', deadlineMs: LONG_MS });
      await waitFor(() => ours().length === 0, { what: 'the folder of the socket to be gone', deadlineMs: LONG_MS });
    } finally {
      await runtime.kill();
    }
  });
});
