import { logger } from '../logging/index.ts';
import { maskSecrets } from '../logging/secrets.ts';
import { MediationError } from '../message/errors.ts';
import '../message/flow-observer.ts';
import type { MessageContext } from '../message/message-context.ts';
import { TypedNumber } from '../message/property-value.ts';
import { aboutMessage } from './about-message.ts';

const log = logger('FaultHandler');
const ERROR_PROPERTIES = [
  'ERROR_CODE',
  'ERROR_MESSAGE',
  'ERROR_DETAIL',
  'ERROR_EXCEPTION',
  'BASE_ERROR_CODE',
  'PROTOCOL_STATE_ON_FAILURE',
  'ERROR_CAUSE',
];
const MAX_DETAIL = 4096;
/** Fault handlers that a message may go through; more is a loop, as of a sequence that is its own `onError` (REQ-25). */
const MAX_HANDLERS = 100;

/**
 * Runs the fault stack of a message (spec proxies 4.9) and tells the waiting client that its flow failed: if nobody answers it, it
 * is owed a 5xx (REQ-2, OP-03). Never throws.
 */
export async function handleFault(message: MessageContext, error: unknown): Promise<void> {
  const failure = asMediationError(error);
  // The answer of a call failed to be mediated, not to come (spec proxies 4.8).
  if (message.resumed && !message.properties.has('SENDING_FAULT')) message.axis2.set('HTTP_SC', '500');
  if (!failure.skipsFaultHandlers) await runFaultStack(message, failure);
  message.exchange?.failed({
    code: failure.code,
    message: failure.message,
    ...(failure.status !== undefined && { status: failure.status }),
  });
}

/** Pops one handler and lets it handle; if that fails, the next one is asked with the new error. Never throws. */
export async function runFaultStack(message: MessageContext, failure: MediationError): Promise<void> {
  let current = failure;
  for (;;) {
    setErrorProperties(message, current);
    const handler = message.faultStack.pop();
    if (!handler) {
      log.warn(
        `Exception encountered but no fault handler found - message dropped: ${current.message}`,
        details(message),
      );
      message.configuration.services.observer?.dropped('no fault handler');
      break;
    }
    message.faultsHandled += 1;
    if (message.faultsHandled > MAX_HANDLERS) {
      message.faultStack.length = 0;
      log.error(
        `${handler.description} is not asked: the message went through ${MAX_HANDLERS} fault handlers already`,
        {
          ...details(message),
          reason: current.message,
        },
      );
      message.configuration.services.observer?.dropped('no fault handler');
      break;
    }
    try {
      await handler.handleFault(message);
      break;
    } catch (next) {
      current = asMediationError(next);
      log.error(`${handler.description} failed: ${current.message}`, details(message));
    }
  }
}

/** Forgets an earlier failure, so that it cannot be taken for a later one (REQ-11). */
export function clearErrorProperties({ properties }: MessageContext): void {
  for (const name of ERROR_PROPERTIES) properties.delete(name);
  properties.delete('SENDING_FAULT');
}

/**
 * The ERROR_* properties of a failure, replacing those of an earlier one (REQ-11). Code 0 stands for any failure without a code of
 * its own.
 */
export function setErrorProperties(message: MessageContext, error: MediationError): void {
  const { properties } = message;
  for (const name of ERROR_PROPERTIES) properties.delete(name);
  properties.set('ERROR_CODE', error.codeText ?? new TypedNumber('INTEGER', error.code ?? 0));
  properties.set('ERROR_MESSAGE', error.message.split('\n', 1)[0] ?? '');
  properties.set('ERROR_DETAIL', (error.detail ?? causeChain(error)).slice(0, MAX_DETAIL));
  properties.set('ERROR_EXCEPTION', `${error.name}: ${error.message}`.slice(0, MAX_DETAIL));
  if (error.baseCode !== undefined) {
    properties.set('BASE_ERROR_CODE', new TypedNumber('INTEGER', error.baseCode));
    // The composed code is the base code plus the number of the connection's state (spec proxies 3.7).
    const state = (error.code ?? error.baseCode) - error.baseCode;
    properties.set('PROTOCOL_STATE_ON_FAILURE', new TypedNumber('INTEGER', state));
  }
  if (error.errorCause !== undefined) properties.set('ERROR_CAUSE', error.errorCause);
}

/** Any thrown thing as a mediation failure (spec mediators 2.3, REQ-17). */
export function asMediationError(error: unknown): MediationError {
  if (error instanceof MediationError) return error;
  if (error instanceof Error && error.message !== '') return new MediationError(error.message, { cause: error });
  return new MediationError('Runtime error occurred while mediating the message', { cause: error });
}

/** The messages of an error and its causes in one line, without stack traces (MREQ-6). */
export function causeChain(error: unknown): string {
  const messages: string[] = [];
  for (let current = error, depth = 0; current instanceof Error && depth < 8; current = current.cause, depth += 1) {
    if (!messages.includes(current.message)) messages.push(current.message);
  }
  // A library may have put an address with its password there.
  return maskSecrets(messages.join(': ') || String(error));
}

function details(message: MessageContext) {
  const code = message.properties.get('ERROR_CODE');
  return { ...aboutMessage(message), ...(code !== undefined && { errorCode: String(code) }) };
}
