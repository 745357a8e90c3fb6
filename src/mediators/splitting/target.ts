import type { Endpoint } from '../../endpoints/endpoint.ts';
import { readEndpointChild } from '../../endpoints/index.ts';
import { dynamic } from '../../expressions/attribute-types.ts';
import { nonEmptyText, readAttributes } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import type { CompileContext } from '../../mediation/component.ts';
import { startSend } from '../../mediation/send.ts';
import { Sequence } from '../../mediation/sequence.ts';
import type { Caller } from '../../message/caller.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';

const ATTRIBUTES = {
  to: dynamic({ doc: 'The To address that the message gets.' }),
  soapAction: dynamic({ doc: 'The SOAPAction that the message gets.' }),
  sequence: nonEmptyText({ doc: 'The name of the sequence that takes the message.' }),
  endpoint: nonEmptyText({ doc: 'The name of the endpoint that the message is sent to.' }),
} as const;

const CHILDREN = ['sequence', 'endpoint'];

/** Where iterate, clone, sampler and the routers hand a message to: a sequence or an endpoint (spec mediators 3.14.1). */
export interface Target {
  /**
   * Sets SOAPAction and To, then runs the sequence, or starts a send; true after a send.
   * @param caller where messages go on that come to the end of the sequence later, by themselves
   * @throws MediationError when what the target names does not exist, or the sequence fails; ERROR_ON_TARGET_EXECUTION is set then
   */
  mediate(message: MessageContext, caller?: Caller): boolean | Promise<boolean>;
}

type Deliver = (message: MessageContext, caller: Caller | undefined) => boolean | Promise<boolean>;

/**
 * Reads a `<target>`; undefined after an error.
 * @param context of the mediator that the target belongs to
 * @param branch distinguishes its targets in ids
 */
export function readTarget(
  element: ConfigElement,
  reader: ArtifactReader,
  context: Pick<CompileContext, 'compileList'>,
  branch = 'target',
): Target | undefined {
  const attributes = readAttributes(element, ATTRIBUTES, reader);
  reader.warnUnknownChildren(element, CHILDREN);
  const deliver = readDelivery(element, reader, context, branch);
  if (!attributes || !deliver) return undefined;
  const { to, soapAction } = attributes;
  const take: Deliver = (message, caller) => {
    const action = soapAction?.evaluate(message);
    if (action) message.action = action;
    const address = to?.evaluate(message);
    if (address) message.to = address;
    return deliver(message, caller);
  };
  return {
    mediate(message, caller) {
      try {
        const outcome = take(message, caller);
        return typeof outcome === 'boolean' ? outcome : outcome.catch((error: unknown) => failed(message, error));
      } catch (error) {
        return failed(message, error);
      }
    },
  };
}

function failed(message: MessageContext, error: unknown): never {
  message.properties.set('ERROR_ON_TARGET_EXECUTION', 'true');
  throw error;
}

/** The first that there is of: inline sequence, `sequence`, inline endpoint, `endpoint`. */
function readDelivery(
  element: ConfigElement,
  reader: ArtifactReader,
  context: Pick<CompileContext, 'compileList'>,
  branch: string,
): Deliver | undefined {
  const inline = element.child('sequence');
  const key = inline?.attribute('key') ?? element.attribute('sequence');
  if (inline && inline.attribute('key') === undefined) return inlineSequence(inline, reader, context, branch);
  if (key !== undefined) {
    reader.refer('sequence', key, inline ?? element, inline ? 'key' : 'sequence');
    return (message, caller) => {
      const found = message.configuration.find('sequence', key);
      if (!found) throw new MediationError(`Couldn't find the sequence named : ${key}`);
      return found.mediate(message, caller);
    };
  }
  const endpoint = readEndpointChild(element, reader);
  if (endpoint === 'invalid') return undefined;
  if (endpoint) return (message) => sentTo(endpoint, message);
  return namedEndpoint(element, reader);
}

function inlineSequence(
  element: ConfigElement,
  reader: ArtifactReader,
  { compileList }: Pick<CompileContext, 'compileList'>,
  branch: string,
): Deliver {
  const onError = element.attribute('onError');
  if (onError !== undefined) reader.refer('sequence', onError, element, 'onError');
  const list = compileList(element, branch, 'ends');
  const sequence = new Sequence({ list, position: element.position, ...(onError !== undefined && { onError }) });
  return (message, caller) => sequence.mediate(message, caller);
}

function namedEndpoint(element: ConfigElement, reader: ArtifactReader): Deliver {
  const key = element.attribute('endpoint');
  if (key === undefined) {
    reader.warning(element, 'a <target> without a sequence and without an endpoint does nothing', {
      expected: '<sequence>, <endpoint>, sequence="…" or endpoint="…"',
    });
    return () => true;
  }
  reader.refer('endpoint', key, element, 'endpoint');
  return (message) => {
    const found = message.configuration.find('endpoint', key);
    if (!found) throw new MediationError(`Couldn't find the endpoint named : ${key}`);
    return sentTo(found, message);
  };
}

function sentTo(endpoint: Endpoint, message: MessageContext): boolean {
  startSend(message, endpoint);
  return true;
}
