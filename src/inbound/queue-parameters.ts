import { integer, javaBoolean, milliseconds } from '../grammar/attributes.ts';

const DEFAULT_CONCURRENCY = 5;
const MAX_CONCURRENCY = 64;

/** What inbound endpoints that take messages one by one have in common. */
export const RECEIVING_PARAMETERS = {
  interval: milliseconds({ default: 1000, doc: 'ms between polls; messages of brokers are pushed at once.' }),
  sequential: javaBoolean({ default: true, doc: '`true`: one message after the other, in order.' }),
  coordination: javaBoolean({
    default: true,
    doc: 'Nodes share a queue or folder; each message is taken by one of them.',
  }),
  'x.concurrency': integer({
    minimum: 1,
    maximum: MAX_CONCURRENCY,
    default: DEFAULT_CONCURRENCY,
    doc: 'How many messages are in flows at once when it is not sequential.',
  }),
  'x.redelivery.initial': integer({
    minimum: 1,
    default: 1000,
    doc: 'ms until a message that was given back is taken again; doubled with every failure.',
  }),
  'x.redelivery.max': integer({ minimum: 1, default: 30_000, doc: 'The longest such pause, ms.' }),
} as const;

export interface ReceivingValues {
  readonly sequential: boolean;
  readonly 'x.concurrency': number;
  readonly 'x.redelivery.initial': number;
  readonly 'x.redelivery.max': number;
}

export function concurrencyOf(parameters: ReceivingValues): number {
  return parameters.sequential ? 1 : parameters['x.concurrency'];
}

export function redeliveryOf(parameters: ReceivingValues): { firstMs: number; longestMs: number } {
  return { firstMs: parameters['x.redelivery.initial'], longestMs: parameters['x.redelivery.max'] };
}
