import { pathToFileURL } from 'node:url';
import { compileExpression } from '../../src/expressions/compile-expression.ts';
import type { Configuration } from '../../src/message/configuration.ts';
import { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';

const SIZES = [10_000, 100_000, 1_000_000, 10_000_000] as const;
/** A size costs at most this many times as much per byte as the size ten times smaller. */
const WORST_RATIO = 3;
const CONFIGURATION = { version: 1, services: {}, find: () => undefined, names: () => [] } as unknown as Configuration;

const XML_EXPRESSIONS = [
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

/** What one expression costs at one size of the document, ms of processor time; parsing is not part of it. */
export interface Cost {
  readonly expression: string;
  readonly bytes: number;
  readonly ms: number;
}

/** Measures every expression at every size up to a limit. */
export function measure(largest: number = SIZES[3]): Cost[] {
  const costs: Cost[] = [];
  for (const bytes of SIZES.filter((size) => size <= largest)) {
    for (const expression of XML_EXPRESSIONS)
      costs.push({ expression, bytes, ms: costOf(expression, xmlMessage(bytes)) });
    for (const expression of JSON_EXPRESSIONS)
      costs.push({ expression, bytes, ms: costOf(expression, jsonMessage(bytes)) });
  }
  return costs;
}

function costOf(source: string, message: MessageContext): number {
  const expression = compileExpression(source, {});
  expression.stringValue(message);
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + 2_000;
  for (let round = 0; round < 50 && (round < 5 || performance.now() < end); round += 1) {
    const start = cpuMs();
    expression.stringValue(message);
    best = Math.min(best, cpuMs() - start);
  }
  return best;
}

/** Processor time instead of time that passes: what else the machine does must not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function xmlMessage(bytes: number): MessageContext {
  const order = (id: string, index: number) =>
    `<order id="${id}"><symbol>${index % 2 ? 'IBM' : 'SUN'}</symbol><quantity>${index % 100}</quantity></order>`;
  const count = Math.max(1, Math.floor(bytes / order('12345', 1).length));
  let body = '';
  for (let index = 1; index < count; index += 1) body += order(String(index), index);
  const text = `<orders>${body}${order('last', count)}</orders>`;
  return new MessageContext(
    CONFIGURATION,
    Payload.unread(Buffer.from(text), 'application/xml', { maxBytes: 2 * bytes }),
  );
}

function jsonMessage(bytes: number): MessageContext {
  const order = (index: number) => `{"id":${index},"symbol":"${index % 2 ? 'IBM' : 'SUN'}","quantity":${index % 100}}`;
  const count = Math.max(1, Math.floor(bytes / order(12345).length));
  const orders = Array.from({ length: count }, (_, index) => order(index));
  return new MessageContext(CONFIGURATION, Payload.ofJson(`{"orders":[${orders.join(',')}]}`));
}

/** A line per expression: milliseconds by size, and how the cost per byte grew from the smallest size that takes 1 ms. */
export function table(costs: readonly Cost[]): string {
  const rows = [...Map.groupBy(costs, ({ expression }) => expression)].map(([expression, own]) => {
    const times = own.map(({ ms }) => ms.toFixed(ms < 10 ? 3 : 0).padStart(9)).join(' ');
    return `${expression.padEnd(48)} ${times}   ${growth(own).toFixed(2)}`;
  });
  const sizes = [...new Set(costs.map(({ bytes }) => bytes))]
    .map((bytes) => `${bytes / 1000} KB`.padStart(9))
    .join(' ');
  return [`${'expression (ms)'.padEnd(48)} ${sizes}   worst growth per byte`, ...rows].join('\n');
}

/** The worst ratio of costs per byte between neighbouring sizes; times too short to be measured do not count. */
export function growth(own: readonly Cost[]): number {
  let worst = 0;
  for (const [index, { bytes, ms }] of own.entries()) {
    const smaller = own[index - 1];
    if (smaller && smaller.ms > 0.2) worst = Math.max(worst, ms / bytes / (smaller.ms / smaller.bytes));
  }
  return worst;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const costs = measure(Number(process.argv[2] ?? SIZES[3]));
  const all = [...Map.groupBy(costs, ({ expression }) => expression).values()];
  process.stdout.write(`${table(costs)}\n`);
  if (all.some((own) => growth(own) > WORST_RATIO)) {
    process.stdout.write(`some cost grows faster than the document (more than ${WORST_RATIO} times per byte)\n`);
    process.exitCode = 1;
  }
}
