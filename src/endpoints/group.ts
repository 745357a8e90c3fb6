import type { Position } from '../grammar/diagnostic.ts';
import { asMediationError } from '../mediation/fault.ts';
import { sequenceFaultHandler } from '../mediation/sequence.ts';
import { ERROR_CODES, MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { setProperty } from '../message/property-scopes.ts';
import { integerOf } from '../message/property-value.ts';
import type { Endpoint, EndpointStatus, SendOptions } from './endpoint.ts';
import type { EndpointProperty } from './endpoint-property.ts';
import { nameOf } from './shown-name.ts';

/** Error codes of groups (spec proxies 3.7). */
export const GROUP_ERROR_CODES = {
  noneReady: 303000,
  sessionFailed: 309003,
} as const;

/** What the `<endpoint>` around a group says (spec proxies 5.1). */
export interface GroupFrame {
  readonly name: string | undefined;
  readonly position: Position;
  readonly properties: readonly EndpointProperty[];
  /** The sequence that runs when the group has failed. */
  readonly onError: string | undefined;
}

/** What became of sending to one child. A failing answer is one that the sender does not take for a success (`failsWith`). */
export type ChildOutcome =
  | { readonly kind: 'answered'; readonly answer: MessageContext }
  | { readonly kind: 'failing-answer'; readonly answer: MessageContext; readonly error: MediationError }
  | { readonly kind: 'failed'; readonly error: MediationError };

/** Sends to one child. Never rejects. */
export async function sendToChild(
  child: Endpoint,
  message: MessageContext,
  options: SendOptions,
): Promise<ChildOutcome> {
  try {
    const answer = await child.send(message, options);
    const status = integerOf(answer.axis2.get('HTTP_SC'));
    if (status === undefined || !options.failsWith?.(status)) return { kind: 'answered', answer };
    const error = new MediationError(`HTTP status ${status}`, { code: ERROR_CODES.blockingSenderFailed });
    return { kind: 'failing-answer', answer, error };
  } catch (error) {
    return { kind: 'failed', error: asMediationError(error) };
  }
}

/** A failure that another child would not change: the message is unreadable, or nobody waits for it any more. */
export function concernsAllChildren(error: MediationError, { signal }: SendOptions): boolean {
  return error.skipsFaultHandlers || error.code === ERROR_CODES.payloadParseFailed || signal?.aborted === true;
}

/** When the first of several children may be tried. Groups inside each other in a circle come to an end. */
export class ChildrenReadiness {
  #asking = false;

  /** Epoch ms; Infinity when there are no children, or only the one that is asking. */
  earliest(children: readonly Endpoint[], message: MessageContext): number {
    if (this.#asking) return Number.POSITIVE_INFINITY;
    this.#asking = true;
    try {
      let earliest = Number.POSITIVE_INFINITY;
      for (const child of children) earliest = Math.min(earliest, child.readyAt(message));
      return earliest;
    } finally {
      this.#asking = false;
    }
  }
}

/** The options for the children: a group that meets itself again must not go on for ever. */
export function optionsInside(
  group: Endpoint,
  title: string,
  message: MessageContext,
  options: SendOptions,
): SendOptions {
  const groups = options.groups ?? [];
  if (groups.includes(group)) throw groupError(`${title} endpoint : ${nameOf(group, message)} - is a child of itself`);
  return { ...options, groups: [...groups, group] };
}

/** The 303000 of a group, with what the last child had to say behind it. */
export function groupError(message: string, last?: MediationError): MediationError {
  const status = last === undefined ? 503 : last.status;
  return new MediationError(message, {
    code: GROUP_ERROR_CODES.noneReady,
    ...(status !== undefined && { status }),
    ...(last?.errorCause !== undefined && { errorCause: last.errorCause }),
    ...(last && { cause: last }),
  });
}

export function setGroupProperties(message: MessageContext, properties: readonly EndpointProperty[]): void {
  for (const property of properties) setProperty(message, property.scope, property.name, property.value(message));
}

/**
 * Lets the group's own `onError` sequence handle its failure; those of its children were for theirs. Without one, the one of the
 * last child stays (spec proxies 5.8).
 * @param height of the fault stack before the first child was tried
 */
export function pushGroupErrorSequence(message: MessageContext, { onError }: GroupFrame, height: number): void {
  const sequence = onError === undefined ? undefined : message.configuration.find('sequence', onError);
  if (!sequence) return;
  message.faultStack.length = Math.min(message.faultStack.length, height);
  message.faultStack.push(sequenceFaultHandler(sequence, `onError sequence '${onError}' of an endpoint`));
}

/** What a group and its children look like to operators: a group is as suspended as all of its children (spec proxies 5.6). */
export function groupStatus(children: readonly Endpoint[], now: number = Date.now()): EndpointStatus {
  const statuses = children.map((child) => ({ name: child.name, kind: child.kind, ...child.describe() }));
  const base = { address: undefined, children: statuses };
  const times = statuses.map(({ nextRetryTime }) => nextRetryTime ?? 0);
  const earliest = times.length > 0 ? Math.min(...times) : 0;
  if (earliest <= now) return { ...base, state: 'ACTIVE', nextRetryTime: undefined };
  const state = earliest === Number.POSITIVE_INFINITY ? 'OFF' : 'SUSPENDED';
  return { ...base, state, nextRetryTime: earliest };
}
