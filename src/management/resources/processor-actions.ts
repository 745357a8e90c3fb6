import type { MessageProcessor } from '../../processors/message-processor.ts';
import { isActiveState, StepRefusedError } from '../../processors/message-processor.ts';
import { named } from '../list.ts';
import { ERROR, ManagementError, notFound } from '../management-error.ts';
import { resource } from '../resource.ts';

/** What is done, and the audit log's word for it. */
const ACTIONS = {
  activate: 'enabled',
  resume: 'enabled',
  deactivate: 'disabled',
  pause: 'disabled',
  step: 'stepped',
  run: 'stepped',
} as const;

type Action = keyof typeof ACTIONS;

/** `POST /management/message-processors/{name}/{action}` (OP-60, REQ-27); the answer tells the state that was reached. */
export const actOnProcessor = resource({
  method: 'POST',
  path: '/management/message-processors/{name}/{action}',
  role: 'operator',
  summary: 'activate, resume, deactivate, pause; step (or run): exactly one delivery now, while it does not work',
  tag: 'message-processors',
  answers: {
    200: {
      type: 'object',
      required: ['name', 'state', 'status'],
      properties: {
        name: { type: 'string' },
        state: { type: 'string' },
        status: { enum: ['active', 'inactive'] },
        reason: { type: 'string' },
        delivered: { type: 'boolean' },
        outcome: { enum: ['delivered', 'failed', 'set-aside', 'not-ready', 'none'] },
        message: { type: 'string' },
        cause: { type: 'string' },
      },
    },
    404: ERROR,
    409: ERROR,
  },
  async answer({ parameters: { name, action }, caller, audit }, server) {
    if (!isAction(action)) throw notFound(`A message processor cannot '${action}'`, action, Object.keys(ACTIONS));
    audit({ type: 'message_processor', action: ACTIONS[action], name });
    const processor = named(server.configuration(), 'messageProcessor', name, 'Message processor does not exist');
    const more = await act(processor, action, caller.name);
    const { state, reason } = processor.status();
    audit({ detail: [more.outcome, more.message, state].filter(Boolean).join(' ') });
    const status = isActiveState(state) ? 'active' : 'inactive';
    return { status: 200, body: { name, state, status, ...(reason !== undefined && { reason }), ...more } };
  },
});

function isAction(text: string): text is Action {
  return Object.hasOwn(ACTIONS, text);
}

/** @throws ManagementError 409 when it cannot step now */
async function act(
  processor: MessageProcessor,
  action: Action,
  by: string,
): Promise<{ readonly outcome?: string; readonly message?: string }> {
  if (ACTIONS[action] === 'enabled') await processor.activate(by);
  else if (ACTIONS[action] === 'disabled') await processor.deactivate(by);
  else return step(processor, by);
  return {};
}

async function step(processor: MessageProcessor, by: string) {
  try {
    const { outcome, messageId, cause } = await processor.step(by);
    return {
      delivered: outcome === 'delivered',
      outcome,
      ...(messageId !== undefined && { message: messageId }),
      ...(cause !== undefined && { cause }),
    };
  } catch (error) {
    if (error instanceof StepRefusedError) throw new ManagementError(409, error.message, {}, { cause: error });
    throw error;
  }
}
