import { useEffect } from 'preact/hooks';
import { get, segment } from './api.js';
import { number } from './format.js';
import { useResource } from './hooks.js';
import { html } from './html.js';
import { seedTrail, useLive } from './live.js';

/** Stores whose lines begin with the depths of before the page was opened. */
const SEEDED = 24;
const SEED_MINUTES = 8;
const STEPS_A_POINT = 5;
const KINDS = {
  'jms-message-store': 'JMS',
  'in-memory-message-store': 'In memory',
  'rabbitmq-message-store': 'RabbitMQ',
  'jdbc-message-store': 'JDBC',
};

/** Stores as of now: from the stream, else asked for. */
export function useStores() {
  const { overview } = useLive();
  const asked = useResource(overview ? undefined : 'message-stores', { every: 2000 });
  return { stores: overview?.stores ?? asked.data?.list, error: asked.error };
}

/** Lets the lines of stores begin before the page was opened. */
export function useTrails(stores = []) {
  const names = stores.map(({ name }) => name).slice(0, SEEDED);
  useEffect(() => {
    for (const name of names) void seed(name);
  }, [names.join()]);
}

const seeded = new Set();

async function seed(name) {
  if (seeded.has(name)) return;
  seeded.add(name);
  try {
    const { points } = await get(`message-stores/${segment(name)}/history?minutes=${SEED_MINUTES}`);
    seedTrail(
      name,
      points.flatMap(({ depth }) => (depth === null ? [] : Array(STEPS_A_POINT).fill(depth))),
    );
  } catch {
    // The line begins now instead.
  }
}

/** The management API's word for a kind of store, as people say it. */
export function storeKind(type = '') {
  return KINDS[type.toLowerCase()] ?? type.split('.').at(-1).replaceAll('-', ' ');
}

/** A depth as far as it is known (OP-17). @param {{depth?: number | null, estimated?: boolean}} store */
export function depthText({ depth = null, estimated }) {
  if (depth === null) return html`<span title="The medium does not tell how many messages it holds">unknown</span>`;
  if (!estimated) return number(depth);
  return html`<span title="Estimated from what this server has stored and taken">~${number(depth)}</span>`;
}
