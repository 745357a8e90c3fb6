import type { MessageStore } from '../stores/message-store.ts';
import type { ManagedServer, ManagementAnswer, ManagementRequest } from './managed-server.ts';
import { maskedParameters } from './masking.ts';

/** `GET /management/message-stores`, with `name` or `searchKey` (spec stores 7.2); state and counts are ours. */
export async function answerMessageStores(
  request: ManagementRequest,
  server: ManagedServer,
): Promise<ManagementAnswer> {
  if (request.method !== 'GET') return { status: 405, body: { Error: 'Only GET is allowed here' } };
  const configuration = server.configuration();
  const name = request.query.get('name');
  if (name !== null) {
    const store = configuration.find('messageStore', name);
    if (!store) return { status: 404, body: { Error: `Specified message store ('${name}') not found` } };
    return { status: 200, body: { ...(await listed(store)), properties: maskedParameters(store.parameters) } };
  }
  const wanted = request.query.get('searchKey')?.trim().toLowerCase() ?? '';
  const names = configuration.names('messageStore').filter((candidate) => candidate.toLowerCase().includes(wanted));
  const stores = names
    .map((candidate) => configuration.find('messageStore', candidate))
    .filter((store) => store !== undefined);
  const list = await Promise.all(stores.map(listed));
  return { status: 200, body: { count: list.length, list } };
}

async function listed(store: MessageStore) {
  const { count, estimated } = await store.depth();
  const { state, since, lastError, enqueued, dequeued } = store.status();
  return {
    name: store.name,
    type: store.type,
    size: count === 'unknown' ? -1 : count,
    estimated,
    state,
    since: new Date(since).toISOString(),
    ...(lastError !== undefined && { lastError }),
    enqueued,
    dequeued,
  };
}
