import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import { runSteps, type StepList } from '../../src/mediation/step.ts';
import { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { TraceRing } from '../../src/observation/trace-ring.ts';
import { DEFAULT_SAMPLE } from '../../src/observation/tracing-modes.ts';
import { FakeConfiguration, sequence } from '../mediation/harness.ts';
import { call } from '../support/http-call.ts';
import { inOnly, serve } from '../support/in-process.ts';
import { order } from './messages.ts';
import { atOnce, percentile } from './percentiles.ts';

/*
 * What following messages costs (OP-46): off, sampled (the default part, 5 %) and on, alternating in one run, as CPU time of the server per request,
 * which a noisy machine disturbs less than throughput. And, without a network, what counting and the look for a trace add to the
 * loop over mediators. Takes about two minutes; no test runs it.
 *
 *   node test/bench/tracing.ts
 */

const MODES = ['off', 'sampled', 'on'] as const;
const ROUNDS = 25;
const REQUESTS = 800;
const CONCURRENCY = 16;
const LOOP_ROUNDS = 40;
const LOOP_MESSAGES = 20_000;
const MEDIATORS =
  '<property name="a" value="1"/><property name="b" expression="get-property(\'a\')"/>' +
  '<filter source="get-property(\'a\')" regex="1"><then><property name="c" value="2"/></then></filter>' +
  '<header name="X-A" scope="transport" value="1"/><property name="HTTP_SC" value="200" scope="axis2"/>';

type Mode = (typeof MODES)[number];

async function main(): Promise<void> {
  if (process.argv[2] === 'server') return serveForBench();
  benchLoop();
  await benchServer();
}

async function serveForBench(): Promise<void> {
  const runtime = await serve({ Bench: inOnly('Bench', `${MEDIATORS}<respond/>`) });
  process.on('message', (message) => {
    if (message === 'stop') void runtime.stop().then(() => process.exit(0));
    else process.send?.({ cpuUs: cpuUs() });
  });
  process.send?.({ port: runtime.server.httpPort, managementPort: runtime.server.managementPort });
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

interface FromServer {
  readonly port: number;
  readonly managementPort: number;
  readonly cpuUs: number;
}

async function answerOf(child: ChildProcess): Promise<FromServer> {
  const [answer] = (await once(child, 'message')) as [FromServer];
  return answer;
}

async function benchServer(): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ['server']);
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  const figures = new Map<Mode, number[]>(MODES.map((mode) => [mode, []]));
  try {
    const { port, managementPort } = await answerOf(child);
    const cpu = async () => {
      child.send('cpu');
      return (await answerOf(child)).cpuUs;
    };
    const load = (requests: number) =>
      atOnce(requests, CONCURRENCY, (number) =>
        call(`http://127.0.0.1:${port}/services/Bench`, {
          headers: { 'Content-Type': 'text/xml', SOAPAction: 'urn:placeOrder' },
          body: order(number),
          agent,
        }),
      );
    await load(5 * REQUESTS);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const mode of rotated(MODES, round)) {
        await setMode(managementPort, mode);
        const before = await cpu();
        await load(REQUESTS);
        figures.get(mode)?.push(((await cpu()) - before) / REQUESTS);
      }
    }
  } finally {
    agent.destroy();
    child.send('stop');
    await once(child, 'exit');
  }
  const off = percentile(figures.get('off') ?? [], 0.5);
  for (const [mode, values] of figures) {
    const median = percentile(values, 0.5);
    tell(`server, tracing ${mode}`, `${median.toFixed(0)} µs CPU per request, ${percent(median / off)} of off`);
  }
}

async function setMode(managementPort: number, mode: Mode): Promise<void> {
  const body = JSON.stringify({ mode, sample: DEFAULT_SAMPLE, bodies: false });
  const url = `http://127.0.0.1:${managementPort}/management/tracing`;
  const { status } = await call(url, { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body });
  if (status !== 200) throw new Error(`tracing could not be switched ${mode}: ${status}`);
}

/** The loop as it would be if nobody counted and nobody looked. */
function runBare({ steps }: StepList, message: MessageContext): boolean | Promise<boolean> {
  for (const step of steps) {
    const outcome = step.mediate(message);
    if (outcome !== true) return outcome;
  }
  return true;
}

function benchLoop(): void {
  const { list } = sequence(MEDIATORS);
  const configuration = new FakeConfiguration();
  const ring = new TraceRing();
  const newMessage = () => new MessageContext(configuration, Payload.ofText('x'), 'urn:uuid:1');
  const loops: Record<string, () => void> = {
    bare: () => void runBare(list, newMessage()),
    off: () => void runSteps(list, newMessage()),
    on: () => {
      const message = newMessage();
      ring.begin(message, { kind: 'proxy', name: 'P' }, false).end(200, undefined);
      void runSteps(list, message);
    },
  };
  const figures = new Map<string, number[]>(Object.keys(loops).map((name) => [name, []]));
  for (let round = 0; round < LOOP_ROUNDS; round += 1) {
    for (const name of rotated(Object.keys(loops), round)) {
      const before = cpuUs();
      for (let n = 0; n < LOOP_MESSAGES; n += 1) loops[name]?.();
      figures.get(name)?.push((cpuUs() - before) / LOOP_MESSAGES);
    }
  }
  const bare = percentile(figures.get('bare') ?? [], 0.5);
  for (const [name, values] of figures) {
    const median = percentile(values, 0.5);
    tell(`mediators only, ${name}`, `${median.toFixed(2)} µs CPU per message, ${percent(median / bare)} of bare`);
  }
}

function rotated<T>(values: readonly T[], by: number): T[] {
  return values.map((_, index) => values[(index + by) % values.length] as T);
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}

function tell(what: string, figures: string): void {
  process.stdout.write(`${what.padEnd(26)} ${figures}\n`);
}

await main();
