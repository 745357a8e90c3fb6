import { once } from 'node:events';
import { Agent } from 'node:http';
import { runSteps, type StepList } from '../../src/mediation/step.ts';
import { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { EventHub } from '../../src/observation/events.ts';
import { Tracing } from '../../src/observation/tracing.ts';
import { DEFAULT_SAMPLE, type TracingMode } from '../../src/observation/tracing-modes.ts';
import { FakeConfiguration, sequence } from '../mediation/harness.ts';
import { call } from '../support/http-call.ts';
import { inOnly, serve } from '../support/in-process.ts';
import { endChild, nextMessage, startModule } from './contest/child.ts';
import { within } from './contest/deadline.ts';
import { order } from './messages.ts';
import { atOnce, percentile } from './percentiles.ts';
import { writeResult } from './result.ts';

/*
 * What following messages costs (OP-46): a server that cannot follow any, and the same one with tracing off, sampled (the default part,
 * 5 %) and on. All of them take turns in one process, and each round gives one ratio to the server that cannot, so that what else the
 * machine does falls on all alike; what counts is processor time of the server per request, which a busy machine disturbs less than
 * throughput. Where the ratios do not tell yet, more rounds are made. On a machine that is too busy they may never tell: so the same is
 * computed, too, from what following adds to a loop over mediators without a network, as a part of a request's processor time.
 *
 *   npm run bench -- tracing            writes docs/bench/tracing.json; exit code 1 when a goal is certainly missed
 *   npm run bench -- tracing ROUNDS     so many rounds at most; writes nothing
 */

const MODES = ['none', 'off', 'sampled', 'on'] as const;
/** The most that a mode may cost, as a ratio to `none`. */
const GOALS = { off: 1.02, sampled: 1.05 } as const;
const GOAL_MODES = ['off', 'sampled'] as const;
/** Rounds after which the ratios are looked at, and the most. */
const ROUNDS_AT_A_TIME = 50;
const MOST_ROUNDS = 300;
const REQUESTS = 100;
const END_DEADLINE_MS = 20_000;
const WARMING_REQUESTS = 500;
const CONCURRENCY = 16;
const LOOP_ROUNDS = 40;
const LOOP_MESSAGES = 5_000;
const MEDIATORS =
  '<property name="a" value="1"/><property name="b" expression="get-property(\'a\')"/>' +
  '<filter source="get-property(\'a\')" regex="1"><then><property name="c" value="2"/></then></filter>' +
  '<header name="X-A" scope="transport" value="1"/><property name="HTTP_SC" value="200" scope="axis2"/>';

type Mode = (typeof MODES)[number];

/** Of one mode in one round. */
interface Measured {
  /** Processor time of the server per request, µs. */
  readonly cpuUs: number;
  readonly perSecond: number;
}

/** Ratios to the server that cannot follow messages, the middle one and where it certainly (95 %) is. */
export interface Estimate {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

async function main(): Promise<number> {
  const [, , argument] = process.argv;
  if (argument === 'server') {
    await serveForBench();
    return 0;
  }
  const loop = benchLoop();
  const rounds = await benchServer(argument === undefined ? MOST_ROUNDS : Number(argument));
  const modes = MODES.map((mode) => ({ mode, ...summary(rounds, mode) }));
  const requestUs = modes[0]?.cpuUsPerRequest ?? Number.NaN;
  const limits = GOAL_MODES.map((mode) => limitOf(mode, rounds, requestUs, loop));
  for (const { path, goal } of limits.filter(({ met }) => !met)) tell(path, `costs more than ${percent(goal)}`);
  await writeResult('tracing', { rounds: rounds.length, requests: REQUESTS, limits, modes, loop });
  return limits.every(({ met }) => met) ? 0 : 1;
}

/** Missed when the loop says so, or when the server's ratios leave no doubt. */
function limitOf(
  mode: (typeof GOAL_MODES)[number],
  rounds: readonly Round[],
  requestUs: number,
  loop: ReturnType<typeof benchLoop>,
) {
  const goal = GOALS[mode];
  const added = loop.find((one) => one.loop === mode)?.addedUs ?? Number.NaN;
  const computed = 1 + added / requestUs;
  tell(`computed, tracing ${mode}`, `${added} µs of a request's ${requestUs} µs: ${percent(computed)}`);
  const { median, least, most } = estimate(rounds, mode);
  const path = `CPU time of a request with tracing ${mode}, by that of a server that cannot follow messages`;
  const value = { median, min: least, max: most };
  return { id: `tracing-${mode}`, path, value, unit: 'times', goal, met: computed <= goal && least <= goal };
}

/** Serves, and does what it is told: to switch tracing, and to say how much processor time it has had. */
async function serveForBench(): Promise<void> {
  const runtime = await serve({ Bench: inOnly('Bench', `${MEDIATORS}<respond/>`) });
  const { enters, begins, restored } = Tracing.prototype;
  const switches: Readonly<Record<string, () => void>> = {
    // As if it had never been written.
    'without tracing': () =>
      Object.assign(Tracing.prototype, { enters: () => undefined, begins: () => undefined, restored: () => undefined }),
    'with tracing': () => Object.assign(Tracing.prototype, { enters, begins, restored }),
  };
  process.on('message', (message) => {
    switches[String(message)]?.();
    process.send?.({ cpuUs: cpuUs() });
  });
  process.once('disconnect', () => void runtime.stop().then(() => process.exit(0)));
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

type Round = Readonly<Record<Mode, Measured>>;

async function benchServer(most: number): Promise<readonly Round[]> {
  const child = startModule(new URL(import.meta.url), ['server']);
  const ended = once(child, 'exit');
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  const rounds: Round[] = [];
  try {
    const { port, managementPort } = await nextMessage<FromServer>(child);
    const tellChild = async (message: string) => {
      child.send(message);
      return (await nextMessage<FromServer>(child)).cpuUs;
    };
    const send = (number: number) =>
      call(`http://127.0.0.1:${port}/services/Bench`, {
        headers: { 'Content-Type': 'text/xml', SOAPAction: 'urn:placeOrder' },
        body: order(number),
        agent,
        deadlineMs: 60_000,
      });
    const measure = async (mode: Mode, requests: number): Promise<Measured> => {
      await tellChild(mode === 'none' ? 'without tracing' : 'with tracing');
      await setMode(managementPort, mode === 'none' ? 'off' : mode);
      const before = await tellChild('cpu');
      const began = performance.now();
      await atOnce(requests, CONCURRENCY, send);
      const seconds = (performance.now() - began) / 1000;
      return { cpuUs: ((await tellChild('cpu')) - before) / requests, perSecond: requests / seconds };
    };
    for (const mode of [...MODES, ...MODES]) await measure(mode, WARMING_REQUESTS);
    while (rounds.length < most && !(rounds.length > 0 && rounds.length % ROUNDS_AT_A_TIME === 0 && decided(rounds))) {
      const round: Partial<Record<Mode, Measured>> = {};
      for (const mode of rotated(MODES, rounds.length)) round[mode] = await measure(mode, REQUESTS);
      rounds.push(round as Round);
    }
  } finally {
    agent.destroy();
    // Its folders go with an orderly end.
    if (child.connected) child.disconnect();
    await within(ended, END_DEADLINE_MS, 'the end of the server').finally(() => endChild(child));
  }
  for (const mode of MODES) {
    const { cpuUsPerRequest, ratio, requestsPerSecond } = summary(rounds, mode);
    const range =
      mode === 'none' ? '' : `, ${percent(ratio.median)} (${percent(ratio.least)} to ${percent(ratio.most)})`;
    tell(`server, tracing ${mode}`, `${cpuUsPerRequest} µs CPU per request${range}, ${requestsPerSecond} requests/s`);
  }
  return rounds;
}

/** Is it certain for all goals whether they are met? */
function decided(rounds: readonly Round[]): boolean {
  return GOAL_MODES.every((mode) => {
    const { least, most } = estimate(rounds, mode);
    return most <= GOALS[mode] || least > GOALS[mode];
  });
}

function estimate(rounds: readonly Round[], mode: Mode): Estimate {
  return estimateOf(rounds.map((round) => round[mode].cpuUs / round.none.cpuUs));
}

/** The median of values, and between which of them it is with 95 %: by their order alone, whatever their distribution. */
export function estimateOf(values: readonly number[]): Estimate {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  const reach = 0.98 * Math.sqrt(sorted.length);
  const at = (index: number) => sorted[Math.min(sorted.length - 1, Math.max(0, index))] ?? Number.NaN;
  return {
    median: percentile(sorted, 0.5),
    least: at(Math.floor(middle - reach)),
    most: at(Math.ceil(middle + reach)),
  };
}

function summary(rounds: readonly Round[], mode: Mode) {
  const middle = (value: (measured: Measured) => number) =>
    Math.round(
      percentile(
        rounds.map((round) => value(round[mode])),
        0.5,
      ),
    );
  return {
    cpuUsPerRequest: middle(({ cpuUs: us }) => us),
    requestsPerSecond: middle(({ perSecond }) => perSecond),
    ratio: estimate(rounds, mode),
  };
}

async function setMode(managementPort: number, mode: Exclude<Mode, 'none'>): Promise<void> {
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

function benchLoop() {
  const { list } = sequence(MEDIATORS);
  const configuration = new FakeConfiguration();
  const newMessage = () => new MessageContext(configuration, Payload.ofText('x'), 'urn:uuid:1');
  const followed = (mode: TracingMode) => {
    const tracing = new Tracing({ events: new EventHub(), spans: undefined });
    tracing.modes.set({ mode, sample: DEFAULT_SAMPLE, bodies: false });
    return () => {
      const message = newMessage();
      const end = tracing.enters(message, 'proxy', 'P');
      void runSteps(list, message);
      end?.({ status: 200, failure: undefined });
    };
  };
  const loops: Record<string, () => void> = {
    bare: () => void runBare(list, newMessage()),
    off: followed('off'),
    sampled: followed('sampled'),
    on: followed('on'),
  };
  const figures = new Map<string, number[]>(Object.keys(loops).map((name) => [name, []]));
  for (let round = 0; round < LOOP_ROUNDS; round += 1) {
    for (const name of rotated(Object.keys(loops), round)) {
      const before = cpuUs();
      for (let n = 0; n < LOOP_MESSAGES; n += 1) loops[name]?.();
      figures.get(name)?.push((cpuUs() - before) / LOOP_MESSAGES);
    }
  }
  const bare = figures.get('bare') ?? [];
  return [...figures].map(([name, values]) => {
    const added = estimateOf(values.map((value, round) => value - (bare[round] ?? Number.NaN)));
    const [cpuUsPerMessage, addedUs] = [percentile(values, 0.5), added.median].map((us) => Math.round(us * 100) / 100);
    tell(`mediators only, ${name}`, `${cpuUsPerMessage} µs CPU per message, ${addedUs} µs more than bare`);
    return { loop: name, cpuUsPerMessage, addedUs };
  });
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

if (import.meta.main) process.exitCode = await main();
