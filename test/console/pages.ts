import type { ConsoleWorld } from './world.ts';

/** Places of the console that need no message: what is in the menu, the views behind it, and what is shown where nothing is. */
const FIXED = [
  '#/',
  '#/stores',
  '#/stores/RejectedOrders',
  '#/stores/RejectedOrders/messages',
  '#/stores/RejectedOrders/failures',
  '#/stores/OrdersStandby/messages',
  '#/stores/NoSuchStore',
  '#/processors',
  '#/processors/PartnerForwarder',
  '#/processors/NightlyReview',
  '#/processors/NoSuchProcessor',
  '#/traces',
  '#/traces?errors=true',
  '#/send',
  '#/graph',
  '#/graph?node=proxy:OrderProxy',
  '#/graph?focus=proxy:OrderProxy&detail=mediators',
  '#/endpoints',
  '#/artifacts',
  '#/artifacts/all',
  '#/artifacts/deployments',
  '#/artifacts/history?file=Enrich.xml',
  '#/source?file=OrderProxy.xml&line=8',
  '#/schedules',
  '#/health',
  '#/logs',
  '#/jobs',
  '#/alerts',
  '#/users',
  '#/audit',
  '#/configuration',
  '#/no-such-page',
];

interface Ids {
  readonly list: ReadonlyArray<{ readonly id: string }>;
}

/** Every place of the console with something to show, in a world that was played: those above, a message, two side by side, traces. */
export async function placesIn(world: ConsoleWorld): Promise<readonly string[]> {
  const [messages, traces] = await Promise.all([rejected(world), tracesOf(world, 'LargeOrders')]);
  const [left = '', right = ''] = messages;
  return [...FIXED, messagePlace(left), comparePlace(left, right), ...traces.slice(-1).map((id) => `#/traces/${id}`)];
}

/** The ids of what was refused, the oldest first. */
export async function rejected(world: ConsoleWorld): Promise<readonly string[]> {
  const { list } = (await world.read('/management/message-stores/RejectedOrders/messages')) as Ids;
  return list.map(({ id }) => id);
}

/** The ids of the traces of messages that an artifact has met, the newest first. */
export async function tracesOf(world: ConsoleWorld, artifact: string): Promise<readonly string[]> {
  const { list } = (await world.read(`/management/traces?artifact=${artifact}&limit=5`)) as Ids;
  return list.map(({ id }) => id);
}

export function messagePlace(id: string): string {
  return `#/stores/RejectedOrders/messages/${encodeURIComponent(id)}`;
}

export function comparePlace(left: string, right: string): string {
  return `#/stores/RejectedOrders/compare?${new URLSearchParams({ left, right })}`;
}
