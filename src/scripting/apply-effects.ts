import { logger } from '../logging/index.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { isScope, removeProperty, setProperty } from '../message/property-scopes.ts';
import { JsonValue, type PropertyValue, TypedNumber } from '../message/property-value.ts';
import { soapNamespace } from '../message/soap.ts';
import { pause } from '../scheduling/pause.ts';
import { cloneInto, newDocument, parseXml, type XmlDocument, type XmlElement, XmlSyntaxError } from '../xml/index.ts';
import type { Effect, SentValue } from './script-job.ts';

const log = logger('ScriptMessageContext');

/** A script may let its message wait so long in all, ms. */
const MAX_SLEEP_MS = 10 * 60_000;
const MAX_LOGGED = 4_096;
const INT_MAX = 2 ** 31 - 1;
const SCRIPT_SCOPES = ['default', 'axis2', 'axis2-client', 'transport', 'operation'];

/**
 * Does to a message what a script wanted done, in the script's order.
 * @throws MediationError for an effect that is not possible
 */
export async function applyEffects(message: MessageContext, effects: readonly Effect[]): Promise<void> {
  const sleep = effects.reduce((sum, effect) => sum + (effect.do === 'sleep' ? effect.ms : 0), 0);
  if (sleep > MAX_SLEEP_MS) throw new MediationError(`a script may sleep ${MAX_SLEEP_MS} ms at most, not ${sleep} ms`);
  for (const effect of effects) {
    if (effect.do === 'sleep') await pause(effect.ms);
    else apply(message, effect);
  }
}

function apply(message: MessageContext, effect: Exclude<Effect, { do: 'sleep' }>): void {
  switch (effect.do) {
    case 'set-property':
      set(message, effect.scope, effect.name, effect.value);
      return;
    case 'remove-property':
      if (isScope(effect.scope) && SCRIPT_SCOPES.includes(effect.scope))
        removeProperty(message, effect.scope, effect.name);
      return;
    case 'set-variable':
      message.variables.set(effect.name, propertyValue(effect.value));
      return;
    case 'set-json':
      message.payload.setJson(effect.value);
      return;
    case 'set-xml':
      message.payload.replaceBody(elementOf(effect.value));
      return;
    case 'set-envelope':
      message.payload.replaceEnvelope(elementOf(effect.value));
      return;
    case 'set-message-id':
      message.messageId = effect.value;
      return;
    case 'set-address':
      message[effect.address] = effect.value;
      return;
    case 'set-response':
      message.direction = effect.value ? 'response' : 'request';
      return;
    case 'add-header':
      addHeader(message, effect.xml, effect.mustUnderstand);
      return;
    case 'log':
      log[effect.level](effect.text.slice(0, MAX_LOGGED), aboutMessage(message));
      return;
  }
}

function set(message: MessageContext, scope: string, name: string, value: SentValue): void {
  if (isScope(scope) && SCRIPT_SCOPES.includes(scope)) setProperty(message, scope, name, propertyValue(value));
  else log.warn(`a script has set '${name}' in the scope '${scope}', which there is not`, aboutMessage(message));
}

/** What a property holds of a value that comes out of the sandbox. @throws MediationError for XML that is none */
export function propertyValue(value: SentValue): PropertyValue {
  switch (value.kind) {
    case 'text':
    case 'boolean':
      return value.value;
    case 'json':
      return new JsonValue(value.value);
    case 'xml':
      return elementOf(value.value);
    case 'number': {
      const whole = Number.isInteger(value.value) && Math.abs(value.value) <= INT_MAX;
      return new TypedNumber(whole ? 'INTEGER' : 'DOUBLE', value.value);
    }
  }
}

/** The root of XML text. @throws MediationError */
export function elementOf(text: string): XmlElement {
  try {
    return parseXml(text).documentElement as XmlElement;
  } catch (cause) {
    if (!(cause instanceof XmlSyntaxError)) throw cause;
    throw new MediationError(`the script made XML that is not well-formed: ${cause.message}`, { cause });
  }
}

function addHeader({ payload }: MessageContext, xml: string, mustUnderstand: boolean): void {
  const block = elementOf(xml);
  payload.editHeader((header) => {
    const copy = cloneInto(header.ownerDocument ?? (newDocument(null, 'x') as XmlDocument), block);
    const namespace = soapNamespace(payload.soapVersion);
    if (mustUnderstand) copy.setAttributeNS(namespace, `${header.prefix ?? 'soapenv'}:mustUnderstand`, '1');
    header.appendChild(copy);
  });
}
