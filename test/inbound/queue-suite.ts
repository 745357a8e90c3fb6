import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type EchoBackEnd, echoBackEnd } from '../support/echo-back-end.ts';
import { sayFigures } from '../support/figures.ts';
import { type InProcess, serve } from '../support/in-process.ts';
import { runMiniSynapse } from '../support/mini-synapse.ts';
import { waitFor } from '../support/wait-for.ts';

/** What the suite needs of a broker. */
export interface QueueSuite {
  readonly protocol: string;
  /** Parameters that lead to the broker and its queue. */
  parameters(queue: string): Readonly<Record<string, string>>;
  send(queue: string, body: string, headers?: Readonly<Record<string, string>>): Promise<void>;
  sendAll(queue: string, bodies: readonly string[]): Promise<void>;
  count(queue: string): Promise<number>;
  /** Repetitions that one kill -9 of the broker may cause by itself; default 0. */
  readonly repeatsPerKill?: number;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';

export function inboundArtifact(
  protocol: string,
  parameters: Readonly<Record<string, string>>,
  attributes = 'onError="f"',
): string {
  const written = Object.entries(parameters).map(
    ([name, value]) => `<parameter name="${name}">${value.replaceAll('&', '&amp;')}</parameter>`,
  );
  return `<inboundEndpoint ${SYNAPSE} name="in" protocol="${protocol}" sequence="s" ${attributes}><parameters>${written.join('')}</parameters></inboundEndpoint>`;
}

export async function serving(
  artifacts: Readonly<Record<string, string>>,
  check: (running: InProcess) => Promise<void>,
  options: { readonly toml?: string; readonly watch?: boolean } = {},
): Promise<void> {
  const { toml, watch = false } = options;
  const running = await serve(artifacts, toml, { watch });
  try {
    await check(running);
  } finally {
    await running.stop();
  }
}

const QUICK = { 'x.redelivery.initial': '20', 'x.redelivery.max': '50' };
const calls = (backEnd: EchoBackEnd) =>
  `<sequence ${SYNAPSE} name="s"><call><endpoint><address uri="${backEnd.url}/x"/></endpoint></call></sequence>`;
const bodies = (backEnd: EchoBackEnd) => backEnd.received.map(({ body }) => body.toString());

/** What every inbound endpoint on a queue promises, against the real server. */
export function queueSuite(suite: QueueSuite): void {
  const { protocol } = suite;
  let queues = 0;
  const newQueue = () => `inbound-${protocol}-${++queues}`;

  it('takes messages in order through its sequence and says who it is', async () => {
    const queue = newQueue();
    const log =
      '<log level="custom"><property name="got" expression="json-eval($.n)"/><property name="at" expression="get-property(\'inbound.endpoint.name\')"/></log>';
    await suite.sendAll(queue, ['{"n":1}', '{"n":2}', '{"n":3}']);
    await serving(
      {
        i: inboundArtifact(protocol, suite.parameters(queue)),
        s: `<sequence name="s">${log}</sequence>`,
      },
      async (running) => {
        await suite.send(queue, '{"n":4}');
        await running.logged(/got = 4, at = in/);
        const got = running.lines().flatMap((line) => /got = (\d)/.exec(line)?.[1] ?? []);
        expect(got).toEqual(['1', '2', '3', '4']);
        await waitFor(async () => (await suite.count(queue)) === 0, { what: 'an empty queue' });
      },
    );
  }, 30_000);

  it('gives a message back whose flow fails or says so, until it ends well', async () => {
    const queue = newQueue();
    const backEnd = await echoBackEnd();
    let failures = 3;
    backEnd.answer = () => (failures-- > 0 ? { status: 500, body: 'no' } : {});
    const rollback = '<property name="SET_ROLLBACK_ONLY" value="true" scope="axis2"/>';
    await suite.sendAll(queue, ['first', 'second']);
    await serving(
      {
        i: inboundArtifact(protocol, { ...suite.parameters(queue), ...QUICK }),
        s: `<sequence name="s"><call><endpoint><address uri="${backEnd.url}/x"/></endpoint></call><filter source="get-property('axis2','HTTP_SC')" regex="200"><then/><else>${rollback}</else></filter></sequence>`,
        f: '<sequence name="f"><log/></sequence>',
      },
      async () => {
        await waitFor(() => backEnd.received.length >= 5, { what: () => `5 calls; ${bodies(backEnd)}` });
        await waitFor(async () => (await suite.count(queue)) === 0, { what: 'an empty queue' });
        expect(bodies(backEnd)).toEqual(['first', 'first', 'first', 'first', 'second']);
      },
    );
    await backEnd.close();
  }, 30_000);

  it('a fault that nobody handles gives it back, one that onError handles does not', async () => {
    const queue = newQueue();
    const picky = '<filter source="$body//text()" regex="good"><then/><else><sequence key="nowhere"/></else></filter>';
    await suite.sendAll(queue, ['bad', 'good']);
    await serving(
      {
        i: inboundArtifact(protocol, { ...suite.parameters(queue), ...QUICK }, ''),
        s: `<sequence name="s">${picky}</sequence>`,
      },
      async (running) => {
        await running.logged(/is given back and will come again/);
        const first = running.lines().findIndex((line) => line.includes('is given back')) + 1;
        await running.logged(/is given back and will come again/, first);
        await running.server.stop();
        expect(await suite.count(queue)).toBe(2);
      },
    );
    await serving(
      {
        i: inboundArtifact(protocol, { ...suite.parameters(queue), ...QUICK }),
        s: `<sequence name="s">${picky}</sequence>`,
        f: '<sequence name="f"><log level="custom"><property name="handled" expression="get-property(\'ERROR_MESSAGE\')"/></log></sequence>',
      },
      async (running) => {
        await running.logged(/handled = /);
        await waitFor(async () => (await suite.count(queue)) === 0, { what: 'an empty queue' });
      },
    );
  }, 30_000);

  it('waits for a broker that is down, and for its return', async () => {
    const queue = newQueue();
    const backEnd = await echoBackEnd();
    await suite.sendAll(queue, ['one']);
    await suite.kill();
    await serving({ i: inboundArtifact(protocol, suite.parameters(queue)), s: calls(backEnd) }, async (running) => {
      await running.logged(/ERROR .*cannot connect to its broker/);
      await suite.restart();
      await waitFor(() => backEnd.received.length === 1, { what: 'the message', deadlineMs: 20_000 });
      await suite.kill();
      await suite.restart();
      await suite.send(queue, 'two');
      await waitFor(() => bodies(backEnd).includes('two'), { what: 'the next message', deadlineMs: 20_000 });
    });
    await backEnd.close();
  }, 90_000);

  it.each([
    ['sequential', {}],
    ['several at once', { sequential: 'false', 'x.concurrency': '4' }],
  ])(
    'loses nothing to kill -9 of the runtime and of the broker, %s',
    async (how, more) => {
      const queue = newQueue();
      const backEnd = await echoBackEnd();
      backEnd.answer = () => ({ delayMs: 3 });
      const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-inbound-'));
      const artifacts = join(folder, 'artifacts');
      mkdirSync(artifacts);
      writeFileSync(join(artifacts, 'i.xml'), inboundArtifact(protocol, { ...suite.parameters(queue), ...more }));
      writeFileSync(join(artifacts, 's.xml'), calls(backEnd));
      const sent = Array.from({ length: 400 }, (_, index) => `message ${index}`);
      await suite.sendAll(queue, sent);
      const runtime = await runMiniSynapse({ artifacts, dataDirectory: join(folder, 'data') });
      const distinct = () => new Set(bodies(backEnd)).size;
      const reaches = (count: number) =>
        waitFor(() => distinct() >= count, { what: () => `${count} messages; ${distinct()} came`, deadlineMs: 60_000 });
      try {
        await reaches(60);
        await runtime.kill();
        await runtime.restart();
        await reaches(140);
        await suite.kill();
        await suite.restart();
        await reaches(220);
        await runtime.kill();
        await runtime.restart();
        await reaches(sent.length);
        await waitFor(async () => (await suite.count(queue)) === 0, { what: 'an empty queue', deadlineMs: 20_000 });
      } finally {
        await runtime.stop();
        await backEnd.close();
        rmSync(folder, { recursive: true, force: true });
      }
      const repeated = backEnd.received.length - distinct();
      sayFigures(`inbound ${protocol}, ${how}: kill -9 of runtime (2) and broker (1)`, {
        sent: sent.length,
        lost: sent.length - distinct(),
        repeated,
      });
      // In hand at each kill: one message of each consumer.
      expect(repeated).toBeLessThanOrEqual(3 * 4 + (suite.repeatsPerKill ?? 0));
    },
    180_000,
  );
}
