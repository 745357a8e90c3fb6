import { PerformanceObserver, performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { compileExpression } from '../../src/expressions/compile-expression.ts';
import type { Expression } from '../../src/expressions/expression.ts';
import type { Configuration } from '../../src/message/configuration.ts';
import { type JsonNode, parseJson } from '../../src/message/json.ts';
import { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { parseXml, type XmlNode } from '../../src/xml/index.ts';
import { writeResult } from './result.ts';

/*
 * What expressions cost by the size of the document: an algorithm that is linear costs the same per byte at 10 KB and at 10 MB, as far as
 * the machine does: a tree of hundreds of megabytes is in no cache. So a bare walk over the same tree, which allocates nothing, is
 * measured beside them, and what counts is how much faster than that an expression's cost grows.
 *
 *   npm run bench -- expressions              0.6 KB, 10 KB, 100 KB, 1 MB, 10 MB; writes docs/bench/expressions.json
 *   npm run bench -- expressions 1000000      up to 1 MB; writes nothing
 */

const SIZES = [600, 10_000, 100_000, 1_000_000, 10_000_000] as const;
/**
 * From {@link JUDGED_FROM} to the largest size the cost per byte of an expression grows at most so many times as much as that of the bare walk;
 * what is quadratic would be near 1,000. Single steps are shown and not judged: each of two runs may have met other caches.
 */
const WORST_GROWTH = 2;
/** Smaller documents cost what every evaluation costs. */
const JUDGED_FROM = 10_000;
const MEASURABLE_MS = 100;
const CONFIGURATION = { version: 1, services: {}, find: () => undefined, names: () => [] } as unknown as Configuration;

const XML_EXPRESSIONS = [
  '/soapenv:Envelope/soapenv:Body/orders/order/symbol',
  '$body//order',
  '//symbol/text()',
  "//order[@id='5']",
  '//order/symbol',
  "//order[@id='last']/symbol",
  'count(//order[quantity > 50])',
  "//order[symbol = 'IBM'][last()]/@id",
  '//symbol/ancestor::order/@id',
  'sum(//quantity)',
];
const JSON_EXPRESSIONS = [
  'json-eval($.orders[-1].symbol)',
  "json-eval($.orders[?(@.symbol == 'none')])",
  'json-eval($..quantity.sum())',
  `$${'{payload.orders[?(@.quantity > 98)].symbol}'}`,
  `$${'{length(payload.orders)}'}`,
];

/** What something costs at one size, without what comes before it: parsing is a row of its own. */
export interface Cost {
  readonly what: string;
  readonly kind: 'parse' | 'walk' | 'evaluate' | 'message';
  readonly format: 'XML' | 'JSON';
  readonly bytes: number;
  /** Processor time of the thread, the best of several rounds. */
  readonly ms: number;
  /** How much of the time that passed was garbage collection, 0 to 1. */
  readonly collecting: number;
}

/** Measures everything at every size up to a limit. */
export async function measure(largest: number, onProgress: (what: string) => void = () => {}): Promise<Cost[]> {
  const costs: Cost[] = [];
  for (const bytes of SIZES.filter((size) => size <= largest)) {
    onProgress(`${bytes / 1000} KB`);
    for (const cost of [...xmlCosts(bytes), ...jsonCosts(bytes)]) costs.push(await cost());
  }
  return costs;
}

type Measurement = () => Promise<Cost>;

function xmlCosts(bytes: number): Measurement[] {
  const text = xmlOf(bytes);
  const message = unreadMessage(text);
  const at = { format: 'XML', bytes } as const;
  const [property, filter] = ['//order[1]/symbol', "//order[@id='last']"].map(compiled) as [Expression, Expression];
  const mediated = () => {
    const own = unreadMessage(text);
    property.stringValue(own);
    return filter.booleanValue(own);
  };
  return [
    () => costOf({ ...at, kind: 'parse', what: 'parse' }, () => parseXml(text)),
    () => costOf({ ...at, kind: 'walk', what: 'bare walk' }, () => walkXml(message.payload.envelope())),
    () => costOf({ ...at, kind: 'message', what: 'a message: parse, property, filter' }, mediated),
    ...XML_EXPRESSIONS.map((source) => evaluation(source, at, message)),
  ];
}

function unreadMessage(text: string): MessageContext {
  const bytes = Buffer.from(text);
  return new MessageContext(CONFIGURATION, Payload.unread(bytes, 'application/xml', { maxBytes: 2 * bytes.length }));
}

function jsonCosts(bytes: number): Measurement[] {
  const text = jsonOf(bytes);
  const message = new MessageContext(CONFIGURATION, Payload.ofJson(text));
  const tree = parseJson(text);
  const at = { format: 'JSON', bytes } as const;
  return [
    () => costOf({ ...at, kind: 'parse', what: 'parse' }, () => parseJson(text)),
    () => costOf({ ...at, kind: 'walk', what: 'bare walk' }, () => walkJson(tree)),
    ...JSON_EXPRESSIONS.map((source) => evaluation(source, at, message)),
  ];
}

function evaluation(source: string, at: Pick<Cost, 'format' | 'bytes'>, message: MessageContext): Measurement {
  const expression = compiled(source);
  return () => costOf({ ...at, kind: 'evaluate', what: source }, () => expression.stringValue(message));
}

function compiled(source: string): Expression {
  return compileExpression(source, { soapenv: 'http://schemas.xmlsoap.org/soap/envelope/' });
}

function walkXml(root: XmlNode): number {
  let count = 0;
  for (let node: XmlNode | null = root; node; count += 1) {
    let next: XmlNode | null = node.firstChild;
    for (let up: XmlNode | null = node; !next && up && up !== root; up = up.parentNode) next = up.nextSibling;
    node = next;
  }
  return count;
}

function walkJson(node: JsonNode): number {
  let count = 1;
  if (node.kind === 'array') for (const item of node.items) count += walkJson(item);
  if (node.kind === 'object') for (const [, member] of node.members) count += walkJson(member);
  return count;
}

const collections = { ms: 0 };
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) collections.ms += duration;
}).observe({ entryTypes: ['gc'] });

async function costOf(about: Omit<Cost, 'ms' | 'collecting'>, run: () => unknown): Promise<Cost> {
  const times = repetitions(run);
  let best = Number.POSITIVE_INFINITY;
  const begun = performance.now();
  const before = collections.ms;
  for (let round = 0; round < 20 && (round < 3 || performance.now() < begun + 1_000); round += 1) {
    const start = cpuMs();
    for (let time = 0; time < times; time += 1) run();
    best = Math.min(best, (cpuMs() - start) / times);
    // The observer of collections is told between turns of the event loop.
    await nextTurn();
  }
  return { ...about, ms: best, collecting: (collections.ms - before) / (performance.now() - begun) };
}

/** How often it must run to take so long that the kernel's clock, which may tick every few milliseconds only, can measure it. */
function repetitions(run: () => unknown): number {
  run();
  for (let times = 1; ; times *= 4) {
    const start = cpuMs();
    for (let time = 0; time < times; time += 1) run();
    if (cpuMs() - start >= MEASURABLE_MS) return times;
  }
}

/** Processor time of this thread instead of time that passes: what else the machine and the collector's threads do must not count. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function xmlOf(bytes: number): string {
  const order = (id: string, index: number) =>
    `<order id="${id}"><symbol>${index % 2 ? 'IBM' : 'SUN'}</symbol><quantity>${index % 100}</quantity></order>`;
  const count = Math.max(1, Math.floor(bytes / order('12345', 1).length));
  let body = '';
  for (let index = 1; index < count; index += 1) body += order(String(index), index);
  return `<orders>${body}${order('last', count)}</orders>`;
}

function jsonOf(bytes: number): string {
  const order = (index: number) => `{"id":${index},"symbol":"${index % 2 ? 'IBM' : 'SUN'}","quantity":${index % 100}}`;
  const count = Math.max(1, Math.floor(bytes / order(12345).length));
  return `{"orders":[${Array.from({ length: count }, (_, index) => order(index)).join(',')}]}`;
}

/** One expression over all sizes. */
export interface Growth {
  readonly what: string;
  readonly format: Cost['format'];
  readonly kind: Cost['kind'];
  /** By size, ms. */
  readonly ms: readonly number[];
  /** The worst ratio of costs per byte between neighbouring sizes. */
  readonly growth: number;
  /** The same, as a multiple of what the bare walk's cost grows by at that step. */
  readonly beyondWalk: number;
  /** The cost per byte at the largest size by that at {@link JUDGED_FROM}, as a multiple of the bare walk's. */
  readonly overall: number;
  readonly collecting: number;
}

export function growths(costs: readonly Cost[]): Growth[] {
  return [...Map.groupBy(costs, ({ format, what }) => `${format} ${what}`).values()].map((own) => {
    const [first] = own as [Cost];
    const walk = costs.filter(({ kind, format }) => kind === 'walk' && format === first.format);
    const steps = stepsOf(own);
    const walked = stepsOf(walk);
    const beyond = steps.map((step, index) => step / Math.max(1, walked[index] ?? 1));
    return {
      what: first.what,
      format: first.format,
      kind: first.kind,
      ms: own.map(({ ms }) => ms),
      growth: Math.max(0, ...steps),
      beyondWalk: Math.max(0, ...beyond),
      overall: overallOf(own) / Math.max(1, overallOf(walk)),
      collecting: Math.max(...own.map(({ collecting }) => collecting)),
    };
  });
}

/** Growth of the cost per byte from each size to the next one. */
function stepsOf(own: readonly Cost[]): number[] {
  return own.slice(1).map(({ bytes, ms }, index) => {
    const smaller = own[index];
    return smaller && smaller.ms > 0 ? ms / bytes / (smaller.ms / smaller.bytes) : 0;
  });
}

function overallOf(own: readonly Cost[]): number {
  const from = own.find(({ bytes }) => bytes >= JUDGED_FROM);
  const to = own.at(-1);
  return from && to && from.ms > 0 ? to.ms / to.bytes / (from.ms / from.bytes) : 0;
}

/** Languages of expressions, as the figures name them. */
const LANGUAGES: ReadonlyArray<readonly [name: string, is: (row: Growth) => boolean]> = [
  ['XPath', ({ format }) => format === 'XML'],
  ['JSONPath', ({ what }) => what.startsWith('json-eval(')],
  ['synapse expressions', ({ what }) => what.startsWith('$' + '{')],
];

/** One figure for each language, the worst of its expressions, as `report.ts` shows them. */
export function limits(rows: readonly Growth[], largest: number): object[] {
  return LANGUAGES.map(([name, is]) => {
    const own = rows.filter((row) => row.kind === 'evaluate' && is(row));
    const worst = Math.max(...own.map(({ overall }) => overall));
    return {
      id: `expressions-${name}`,
      path: `${name}: growth of the cost per byte from ${JUDGED_FROM / 1000} KB to ${largest / 1_000_000} MB beyond that of a bare walk over the document, worst of ${own.length} expressions`,
      value: { median: worst, min: worst, max: worst },
      unit: 'times',
      goal: WORST_GROWTH,
      met: own.every(isLinear),
    };
  });
}

/** Is the cost of a row linear in the size? Only evaluations are judged: parsing is bound by the collector, and the walk is the measure. */
export function isLinear({ kind, overall }: Growth): boolean {
  return kind !== 'evaluate' || overall <= WORST_GROWTH;
}

/** A line for each: milliseconds by size, how the cost per byte grew, and the verdict. */
export function table(rows: readonly Growth[], sizes: readonly number[]): string {
  const head = `${'ms'.padEnd(52)} ${sizes.map((bytes) => `${bytes / 1000} KB`.padStart(9)).join(' ')}   growth  beyond the walk  overall   GC  verdict`;
  const lines = rows.map((row) => {
    const { what, format, kind, ms, growth, beyondWalk, overall, collecting } = row;
    const verdict = kind === 'evaluate' ? (isLinear(row) ? 'linear' : 'NOT LINEAR') : '';
    const times = ms.map((one) => one.toFixed(one < 10 ? 4 : 0).padStart(9)).join(' ');
    return `${`${format} ${what}`.padEnd(52)} ${times}   ${growth.toFixed(2).padStart(6)}  ${beyondWalk.toFixed(2).padStart(15)}  ${overall.toFixed(2).padStart(7)} ${(100 * collecting).toFixed(0).padStart(3)}%  ${verdict}`.trimEnd();
  });
  return [head, ...lines].join('\n');
}

async function main(): Promise<void> {
  const [limit] = process.argv.slice(2);
  const largest = limit === undefined ? SIZES[4] : Number(limit);
  const rows = growths(await measure(largest, (size) => process.stderr.write(`  ${size}\n`)));
  const sizes = SIZES.filter((size) => size <= largest);
  process.stdout.write(`${table(rows, sizes)}\n`);
  const worse = rows.filter((row) => !isLinear(row));
  for (const { what } of worse) process.stdout.write(`${what} grows faster than a walk over the document\n`);
  const goal = `from ${JUDGED_FROM / 1000} KB to ${largest / 1_000_000} MB the cost per byte of an expression grows at most ${WORST_GROWTH} times as much as that of a bare walk over the document`;
  const met = worse.length === 0;
  process.stdout.write(`goal: ${goal}: ${met ? 'met' : 'NOT met'}\n`);
  const growth = rows.map((row) => ({ ...row, linear: isLinear(row) }));
  await writeResult('expressions', { sizes, goal, met, limits: limits(rows, largest), growth });
  process.exitCode = worse.length === 0 ? 0 : 1;
}

if (import.meta.main) await main();
