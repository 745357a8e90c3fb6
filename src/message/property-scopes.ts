import type { MessageContext } from './message-context.ts';
import type { PropertyValue } from './property-value.ts';
import './registry.ts';

/** Scopes that the property mediator writes to (spec proxies 3.2). */
export const SCOPES = [
  'default',
  'axis2',
  'axis2-client',
  'transport',
  'operation',
  'registry',
  'system',
  'trace',
  'analytics',
] as const;
export type Scope = (typeof SCOPES)[number];

/** Process-wide properties of the `system` scope. */
const systemProperties = new Map<string, string>();

export function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}

export function systemProperty(name: string): string | undefined {
  return systemProperties.get(name);
}

/** Sets a property; null leaves it as it is, except that a header becomes empty (spec proxies 4.1). */
export function setProperty(message: MessageContext, scope: Scope, name: string, value: PropertyValue | null): void {
  if (scope === 'transport') {
    message.headers.set(name, value === null ? '' : String(value));
    return;
  }
  if (value === null) return;
  if (scope === 'axis2') setAxis2(message, name, value);
  else if (scope === 'system') systemProperties.set(name, String(value));
  else if (scope === 'registry') setRegistry(message, name, String(value));
  else mapOf(message, scope)?.set(name, value);
}

export function removeProperty(message: MessageContext, scope: Scope, name: string): void {
  if (scope === 'transport') message.headers.delete(name);
  else if (scope === 'axis2' && name === 'TRANSPORT_HEADERS') message.headers.clear();
  else mapOf(message, scope)?.delete(name);
}

/** Some axis2 properties reach further (spec proxies 3.2). */
function setAxis2(message: MessageContext, name: string, value: PropertyValue): void {
  message.axis2.set(name, value);
  if (name === 'messageType') {
    message.axis2.set('ContentType', value);
    message.headers.set('Content-Type', String(value));
  } else if (name === 'SET_ROLLBACK_ONLY') {
    message.operation.set(name, value);
  }
}

/** `path` is a text resource, `path@property` one of its properties; more than one `@` means nothing (spec mediators 3.3). */
function setRegistry(message: MessageContext, name: string, value: string): void {
  const { registry } = message.configuration.services;
  const [path = '', property, ...more] = name.split('@');
  if (!registry || more.length > 0) return;
  if (property === undefined) registry.store(path, value);
  else registry.storeProperty(path, property, value);
}

/** Trace and analytics values have no reader yet; they and the registry have no map. */
function mapOf(message: MessageContext, scope: Scope): Map<string, PropertyValue> | undefined {
  switch (scope) {
    case 'default':
      return message.properties;
    case 'axis2':
      return message.axis2;
    case 'axis2-client':
      return message.axis2Client;
    case 'operation':
      return message.operation;
    default:
      return undefined;
  }
}
