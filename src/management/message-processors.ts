import { isActiveState, type MessageProcessor } from '../processors/message-processor.ts';
import type { ManagedServer, ManagementAnswer, ManagementRequest } from './managed-server.ts';
import { maskedParameters } from './masking.ts';
import { readStatusChange } from './status-change.ts';

/** `GET` and `POST /management/message-processors` (spec stores 7.2); state, reason and counters are ours (OP-20, REQ-13). */
export async function answerMessageProcessors(
  request: ManagementRequest,
  server: ManagedServer,
): Promise<ManagementAnswer> {
  if (request.method === 'GET') return read(request, server);
  if (request.method === 'POST') return change(request, server);
  return { status: 405, body: { Error: 'Only GET and POST are allowed here' } };
}

function read(request: ManagementRequest, server: ManagedServer): ManagementAnswer {
  const configuration = server.configuration();
  const name = request.query.get('name');
  if (name !== null) {
    const processor = configuration.find('messageProcessor', name);
    if (!processor) return { status: 404, body: { Error: `Specified message processor ('${name}') not found` } };
    return { status: 200, body: detailed(processor) };
  }
  const wanted = request.query.get('searchKey')?.trim().toLowerCase() ?? '';
  const names = configuration.names('messageProcessor').filter((candidate) => candidate.toLowerCase().includes(wanted));
  const processors = names
    .map((candidate) => configuration.find('messageProcessor', candidate))
    .filter((found) => found !== undefined);
  return { status: 200, body: { count: processors.length, list: processors.map(listed) } };
}

async function change(request: ManagementRequest, server: ManagedServer): Promise<ManagementAnswer> {
  const wish = readStatusChange(request);
  if ('status' in wish) return wish;
  const { name, active } = wish;
  const processor = server.configuration().find('messageProcessor', name);
  if (!processor) return { status: 404, body: { Error: 'Message processor does not exist' } };
  const state = active ? await processor.activate('management API') : await processor.deactivate('management API');
  return { status: 200, body: { Message: `${name} : is ${active ? 'activated' : 'deactivated'}`, state } };
}

function listed(processor: MessageProcessor) {
  const { state } = processor.status();
  return { name: processor.name, type: processor.type, status: isActiveState(state) ? 'active' : 'inactive', state };
}

function detailed(processor: MessageProcessor) {
  const { since, nextActionAt, ...rest } = processor.status();
  return {
    ...listed(processor),
    parameters: maskedParameters(processor.parameters),
    messageStore: processor.storeName,
    ...rest,
    since: new Date(since).toISOString(),
    ...(nextActionAt !== undefined && { nextActionAt: new Date(nextActionAt).toISOString() }),
  };
}
