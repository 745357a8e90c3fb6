import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { systemProperty } from '../message/property-scopes.ts';
import { MapValue, type PropertyValue } from '../message/property-value.ts';
import type { XmlNode } from '../xml/index.ts';
import type { PropertyReader } from './get-property.ts';

/** An XPath variable: nodes of the SOAP envelope, or a value of the message. */
export type Variable =
  | {
      readonly kind: 'nodes';
      readonly read: (message: MessageContext) => readonly XmlNode[];
      readonly warning?: string;
    }
  | { readonly kind: 'property'; readonly read: PropertyReader; readonly warning?: string };

type ByName = (message: MessageContext, name: string) => PropertyValue | null;

/** Variable roots by prefix (spec mediators 4.2.2, proxies 3.2). */
const ROOTS: Readonly<Record<string, ByName>> = {
  ctx: (message, name) => message.properties.get(name) ?? null,
  var: variable,
  axis2: (message, name) => message.axis2.get(name) ?? null,
  trp: (message, name) => message.headers.get(name) ?? null,
  operation: (message, name) => message.operation.get(name) ?? null,
  url: (message, name) => queryParameter(requestUrl(message), name),
  sys: (_, name) => systemProperty(name) ?? '',
  SYSTEM: (_, name) => systemProperty(name) ?? '',
  env: (_, name) => process.env[name] ?? '',
  func: (message, name) => message.functionParameter(name) ?? '',
};

const SOAP_NODES: Readonly<Record<string, (message: MessageContext) => XmlNode | undefined>> = {
  body: (message) => message.payload.body(),
  header: (message) => message.payload.header(),
  env: (message) => message.payload.envelope(),
};

/** Finds a variable when an expression is compiled; undefined when there is none of that name. */
export function variableReader(prefix: string | undefined, name: string): Variable | undefined {
  const soap = Object.hasOwn(SOAP_NODES, name) ? SOAP_NODES[name] : undefined;
  if (soap) {
    const read = (message: MessageContext) => {
      const node = soap(message);
      return node ? [node] : [];
    };
    if (prefix === undefined) return { kind: 'nodes', read };
    // The reference looks at the local name first, so this never is the property of that name.
    const warning = `$${prefix}:${name} is the SOAP ${name}, as in the reference; use get-property for a value named '${name}'`;
    return { kind: 'nodes', read, warning };
  }
  if (prefix === undefined) return undefined;
  const root = Object.hasOwn(ROOTS, prefix) ? ROOTS[prefix] : undefined;
  if (root) return { kind: 'property', read: (message) => root(message, name) };
  const warning = `$${prefix}:${name} is the entry '${name}' of a map that the property '${prefix}' holds: without one the expression will fail`;
  return { kind: 'property', read: (message) => entryOfMap(message, prefix, name), warning };
}

/** A variable, or an entry of one that is a map (`map.key`). */
function variable({ variables }: MessageContext, name: string): PropertyValue | null {
  const stored = variables.get(name);
  if (stored !== undefined) return stored;
  const dot = name.indexOf('.');
  const map = dot > 0 ? variables.get(name.slice(0, dot)) : undefined;
  return (map instanceof MapValue ? map.entries.get(name.slice(dot + 1)) : undefined) ?? null;
}

/** `$other:name` where the default property `other` is a map. @throws MediationError where it is not */
function entryOfMap({ properties }: MessageContext, prefix: string, name: string): PropertyValue | null {
  const map = properties.get(prefix);
  if (map instanceof MapValue) return map.entries.get(name) ?? null;
  throw new MediationError(`Evaluation of the XPath expression $${prefix}:${name} resulted in an error`, {
    detail: `there is no variable $${prefix}:${name}`,
  });
}

/** To; while that is the path at which the request came in, the request's whole target, since To then has no query. */
function requestUrl({ to, axis2 }: MessageContext): string | undefined {
  const target = axis2.get('TransportInURL');
  return typeof target === 'string' && target.split('?', 1)[0] === to ? target : to;
}

/**
 * A query parameter of the To address, %-decoded with `+` kept; `''` when it is absent. Its name compares without regard to case;
 * the value reaches up to the next `&`, further `=` included.
 */
function queryParameter(to: string | undefined, name: string): string {
  const start = to?.indexOf('?') ?? -1;
  if (to === undefined || start === -1) return '';
  const query = to.slice(start + 1).split('#', 1)[0] ?? '';
  const wanted = name.toLowerCase();
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    const key = equals === -1 ? pair : pair.slice(0, equals);
    if (percentDecoded(key).toLowerCase() === wanted)
      return equals === -1 ? '' : percentDecoded(pair.slice(equals + 1));
  }
  return '';
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Text with a stray % is taken as it is.
    return text;
  }
}
