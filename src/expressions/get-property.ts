import { registryText } from '../message/entry.ts';
import type { MessageContext } from '../message/message-context.ts';
import { systemProperty } from '../message/property-scopes.ts';
import { isFlagSet, type PropertyValue } from '../message/property-value.ts';
import { compileDateFormat, SHORT_DATE_PATTERN } from './java-date.ts';
import '../message/local-entry.ts';
import '../message/registry.ts';

declare module '../message/configuration.ts' {
  interface Services {
    /** The values of the `file.properties` file, for `get-property('file', …)`. */
    fileProperty?: (key: string) => string | undefined;
  }
}

/** Reads one value of a message; null when there is none. */
export type PropertyReader = (message: MessageContext) => PropertyValue | null;

type ScopeReader = (message: MessageContext, key: string) => PropertyValue | null;

/** What `get-property(scope, key)` reads from, by scope (spec mediators 4.2.4). */
const SCOPES: Readonly<Record<string, ScopeReader>> = {
  default: readDefault,
  axis2: (message, key) => message.axis2.get(key) ?? null,
  operation: (message, key) => message.operation.get(key) ?? null,
  transport: (message, key) => message.headers.get(key) ?? null,
  system: (_, key) => systemProperty(key) ?? '',
  env: (_, key) => process.env[key] ?? '',
  registry: readRegistry,
  func: (message, key) => message.functionParameter(key) ?? '',
  file: (message, key) => message.configuration.services.fileProperty?.(key) ?? '',
};

export const PROPERTY_SCOPES: readonly string[] = Object.keys(SCOPES);

/** Default-scope names that are answered without being stored (spec mediators 4.2.4). */
const VIRTUAL: Readonly<Record<string, (message: MessageContext) => string>> = {
  To: (message) => message.to ?? '',
  From: (message) => message.from ?? '',
  Action: (message) => message.action ?? '',
  FaultTo: (message) => message.faultTo ?? '',
  ReplyTo: (message) => message.replyTo ?? '',
  RelatesTo: (message) => message.relatesTo ?? '',
  MessageID: (message) => message.messageId,
  FAULT: (message) => (hasFault(message) ? 'TRUE' : ''),
  MESSAGE_FORMAT: messageFormat,
  OperationName: operationName,
  OperationNamespace: ({ axis2 }) => textOf(axis2.get('OperationNamespace')),
};

const READING_THE_BODY: ReadonlySet<string> = new Set([
  'FAULT',
  'From',
  'OperationName',
  'OperationNamespace',
  'MESSAGE_FORMAT',
]);

/** Whether reading a default-scope name may look at the payload (MREQ-8). */
export function readsBody(scope: string, key: string): boolean {
  return scope === 'default' && READING_THE_BODY.has(key);
}

/** A default-scope property, or what stands in for it: a virtual name, a local entry. */
export function readDefault(message: MessageContext, key: string): PropertyValue | null {
  const virtual = Object.hasOwn(VIRTUAL, key) ? VIRTUAL[key] : undefined;
  if (virtual) return virtual(message);
  const stored = message.properties.get(key);
  if (stored !== undefined) return stored;
  const entry = message.configuration.find('localEntry', key);
  if (entry) return entry.xml ?? entry.text;
  return registryText(message.configuration, key) ?? null;
}

/** `path` or `path@property`; what is not there is empty (spec mediators 4.2.4). */
function readRegistry(message: MessageContext, key: string): string {
  const { registry } = message.configuration.services;
  const [path = '', property] = key.split('@', 2);
  return (
    (property === undefined ? registryText(message.configuration, path) : registry?.property(path, property)) ?? ''
  );
}

/** How a call of `get-property` with these arguments is read: which of them is the scope, the key and the date pattern. */
export function propertyCall(args: readonly string[]): { scope: string; key: string; pattern: string | undefined } {
  const [first = '', second = '', third] = args;
  if (args.length < 2) return { scope: 'default', key: first, pattern: undefined };
  if (args.length > 2) return { scope: first, key: second, pattern: third };
  return Object.hasOwn(SCOPES, first)
    ? { scope: first, key: second, pattern: undefined }
    : { scope: 'default', key: first, pattern: second };
}

/**
 * Prepares a call of `get-property` whose arguments are known.
 * @throws ValueError for a bad date pattern of `SYSTEM_DATE`
 */
export function propertyReader(args: readonly string[]): PropertyReader {
  const { scope, key, pattern } = propertyCall(args);
  if (key === '') return () => '';
  if (key === 'SYSTEM_TIME') return () => String(Date.now());
  if (key === 'SYSTEM_DATE') {
    const format = compileDateFormat(pattern ?? SHORT_DATE_PATTERN);
    return () => format(new Date());
  }
  const read = Object.hasOwn(SCOPES, scope) ? SCOPES[scope] : undefined;
  return read ? (message) => read(message, key) : () => '';
}

/** What is suspicious about a call whose arguments are known (MREQ-19). */
export function propertyCallWarning(args: readonly string[]): string | undefined {
  const [first = '', second = ''] = args;
  const { scope } = propertyCall(args);
  if (args.length === 2 && scope === 'default' && first !== 'default' && !first.startsWith('SYSTEM_')) {
    return `'${first}' is no scope of get-property: this reads the default property '${first}', not '${second}' (scopes: ${PROPERTY_SCOPES.join(', ')})`;
  }
  return undefined;
}

/** The operation that the transport found; everything else that a service receives is its catch-all `mediate` (spec proxies 1.2). */
function operationName({ axis2, properties }: MessageContext): string {
  return textOf(axis2.get('OperationName')) || (properties.has('proxy.name') ? 'mediate' : '');
}

function textOf(value: PropertyValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function hasFault(message: MessageContext): boolean {
  const flag = message.axis2.get('FAULT_MESSAGE');
  return isFlagSet(flag) || flag === 'TRUE' || message.payload.hasFault();
}

function messageFormat(message: MessageContext): string {
  if (message.doingRest) return 'pox';
  if (message.axis2.get('HTTP_METHOD') === 'GET') return 'get';
  return message.payload.soapVersion === '1.2' ? 'soap12' : 'soap11';
}
