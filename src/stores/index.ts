import type { StoreKind } from './component.ts';
import { inMemoryStore } from './in-memory.ts';
import { jdbcStore } from './jdbc.ts';
import { jmsStore } from './jms.ts';
import { rabbitMqStore } from './rabbitmq.ts';
import { resequenceStore } from './resequence.ts';

/** Every kind of message store, one line each. */
export const STORE_KINDS: readonly StoreKind[] = [inMemoryStore, jmsStore, jdbcStore, rabbitMqStore, resequenceStore];

/** The kind that a `class` attribute names; without one the store in memory (spec stores 1.1). Undefined for unknown classes. */
export function findStoreKind(className: string | undefined): StoreKind | undefined {
  if (className === undefined) return inMemoryStore;
  return STORE_KINDS.find(({ classes }) => classes.includes(className.trim()));
}

/** All class names that are understood, for "expected one of" and "did you mean". */
export function storeClasses(): string[] {
  return STORE_KINDS.flatMap(({ classes }) => classes);
}
