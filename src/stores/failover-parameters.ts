import { javaBoolean, text } from '../grammar/attributes.ts';

/** What the store mediator does with messages that a store does not take (spec stores 3.1 step 8a); every kind has it. */
export const FAILOVER_PARAMETERS = {
  'store.producer.guaranteed.delivery.enable': javaBoolean({
    default: false,
    doc: 'Switches on the failover store of the store mediator. A store never takes a message before its medium has it, in any case.',
  }),
  'store.failover.message.store.name': text({ doc: 'Where the store mediator stores when this store cannot.' }),
  'x.failover.order': javaBoolean({
    default: false,
    doc: 'true: as long as messages wait in the failover store, newer ones follow them there, so that their order is kept.',
  }),
} as const;

/** How a store fails over; undefined: it does not. Cheap, as it is asked for every message. */
export interface FailoverPlan {
  readonly store: string;
  /** `x.failover.order`. */
  readonly ordered: boolean;
}

/** The plan that the parameters of a store say, as they are written. */
export function failoverPlan(written: ReadonlyMap<string, string>): FailoverPlan | undefined {
  if (!isTrue(written.get('store.producer.guaranteed.delivery.enable'))) return undefined;
  const store = written.get('store.failover.message.store.name')?.trim();
  return store ? { store, ordered: isTrue(written.get('x.failover.order')) } : undefined;
}

function isTrue(written: string | undefined): boolean {
  return written?.trim().toLowerCase() === 'true';
}
