import { enterSequence, runMain } from '../mediation/main-flow.ts';
import type { Configuration } from '../message/configuration.ts';
import { MediationError } from '../message/errors.ts';
import { isJsonText } from '../message/json.ts';
import { MessageContext } from '../message/message-context.ts';
import { Payload } from '../message/payload.ts';
import type { XmlElement } from '../xml/index.ts';

/** Where a message injector puts its message (spec proxies 6.6). */
export type InjectionTarget =
  | { readonly kind: 'main' }
  | { readonly kind: 'sequence'; readonly name: string }
  | { readonly kind: 'proxy'; readonly name: string };

/** How the injected message counts: as SOAP of a version, plain XML, or a request without a body. */
export type InjectionFormat = 'soap11' | 'soap12' | 'pox' | 'get';

/** What a message injector injects each time. */
export interface MessageInjection {
  readonly target: InjectionTarget;
  readonly format: InjectionFormat;
  /** Undefined: nothing can be injected; each run says so. */
  readonly message: { readonly xml: XmlElement } | { readonly text: string } | undefined;
  readonly to: string | undefined;
  readonly soapAction: string | undefined;
}

/**
 * Injects the message once, into the configuration of this moment, and resolves when its flow has ended; answers of its sends may
 * still be out. Faults inside the flow are the flow's own.
 * @throws MediationError when there is no message, or nowhere to put it
 */
export async function injectMessage(injection: MessageInjection, configuration: Configuration): Promise<void> {
  const { target } = injection;
  const message = messageOf(injection, configuration);
  if (target.kind === 'main') {
    await runMain(message);
    return;
  }
  if (target.kind === 'proxy') {
    const proxy = configuration.find('proxy', target.name);
    if (!proxy) throw new MediationError(`Proxy Service: ${target.name} not found`);
    await proxy.receive(message);
    return;
  }
  const sequence = configuration.find('sequence', target.name);
  if (!sequence) throw new MediationError(`Sequence: ${target.name} not found`);
  await enterSequence(message, sequence);
}

function messageOf(injection: MessageInjection, configuration: Configuration): MessageContext {
  const { message: content, format, to, soapAction } = injection;
  if (content === undefined && format !== 'get') throw new MediationError('Message not specified');
  const message = new MessageContext(configuration, payloadOf(injection));
  message.to = to;
  message.action = soapAction;
  message.doingRest = format === 'pox' || format === 'get';
  message.axis2.set('HTTP_METHOD', format === 'get' ? 'GET' : 'POST');
  message.properties.set('TRANSPORT_IN_NAME', 'task');
  return message;
}

function payloadOf({ message, format }: MessageInjection): Payload {
  const version = format === 'soap12' ? '1.2' : '1.1';
  if (message === undefined) return Payload.empty(version);
  if ('text' in message) return isJsonText(message.text) ? Payload.ofJson(message.text) : Payload.ofText(message.text);
  const payload = Payload.empty(version);
  payload.replaceBody(message.xml);
  return payload;
}
