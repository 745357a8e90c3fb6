import { runFlow } from '../mediation/flow.ts';
import { enterSequence } from '../mediation/main-flow.ts';
import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';

/** Where the messages of a transport enter mediation: an inbound endpoint's sequence, or a proxy service. */
export interface MessageEntry {
  /** For logs: `Inbound endpoint [orders]`. */
  readonly label: string;
  /** False: an endpoint without a sequence, whose requests all go to APIs and proxies. */
  readonly hasSequence: boolean;
  /**
   * Runs the in-flow of a message. Never rejects; faults inside are the flow's own.
   * @param begin called with the message, and with responses as far as the entry sees them, before anything else happens to them
   */
  enter(message: MessageContext, begin?: (message: MessageContext) => void): Promise<void>;
}

/** Says of a message which inbound endpoint it came in by (spec proxies 3.3). */
export function markInbound({ properties }: MessageContext, name: string): void {
  properties.set('inbound.endpoint.name', name);
  properties.set('ARTIFACT_NAME', `inboundendpoint${name}`);
  properties.set('isInbound', true);
}

/**
 * The sequence of an inbound endpoint, looked up for every message. A sequence that is not there is a fault like any other.
 * @param onError the fault sequence; false: faults that the flow does not handle are the transport's
 */
export function sequenceEntry(options: {
  readonly name: string;
  readonly sequence: string | undefined;
  readonly onError: string | false;
}): MessageEntry {
  const { name, sequence, onError } = options;
  return {
    label: `Inbound endpoint [${name}]`,
    hasSequence: sequence !== undefined,
    async enter(message, begin) {
      markInbound(message, name);
      const found = sequence === undefined ? undefined : message.configuration.find('sequence', sequence);
      if (found) {
        await enterSequence(message, found, { onError, ...(begin && { begin }) });
        return;
      }
      begin?.(message);
      const problem = `Sequence with name : ${sequence ?? ''} is not found to mediate the message.`;
      await runFlow(message, () => Promise.reject(new MediationError(problem)));
    },
  };
}

/** A proxy service that is reached by another transport than HTTP. */
export function proxyEntry(name: string): MessageEntry {
  return {
    label: `Proxy service [${name}]`,
    hasSequence: true,
    async enter(message, begin) {
      begin?.(message);
      const proxy = message.configuration.find('proxy', name);
      if (proxy?.active) await proxy.receive(message);
      else await runFlow(message, () => Promise.reject(new MediationError(`The proxy service ${name} is not active`)));
    },
  };
}
