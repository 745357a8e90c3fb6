import { fileURLToPath } from 'node:url';
import type { Configuration } from '../../src/message/configuration.ts';
import '../../src/message/local-entry.ts';
import { SecurityEngine } from '../../src/security/engine.ts';
import type { RequestFacts } from '../../src/security/opening.ts';
import { NO_SECURITY_SETTINGS, type SecuritySettings } from '../../src/security/settings.ts';
import { parseXml, serializeXml, type XmlElement } from '../../src/xml/index.ts';
import { type PolicyParts, policyXml, rampart } from './policies.ts';

export const FIXTURES = fileURLToPath(new URL('./fixtures/', import.meta.url));
export const USERS: SecuritySettings = {
  ...NO_SECURITY_SETTINGS,
  users: new Map([
    ['alice', { password: 'password', roles: ['admin'] }],
    ['carol', { password: '$secret{carol}', roles: [] }],
  ]),
};

/** One side of an exchange: an engine and the policy by which it works. */
export interface Side {
  readonly engine: SecurityEngine;
  readonly policy: string;
}

export function engineWith(settings: SecuritySettings = USERS, clock: () => number = Date.now): SecurityEngine {
  const secrets = new Map([['carol', 'of carol']]);
  return new SecurityEngine({ settings, lookup: (alias) => secrets.get(alias), directories: [FIXTURES], clock });
}

/** Alice asks, Bob answers. */
export function twoSides(parts: PolicyParts): { alice: Side; bob: Side } {
  return {
    alice: {
      engine: engineWith(),
      policy: policyXml({ ...parts, rampart: rampart('alice', 'bob', 'alice.jks', parts.rampart) }),
    },
    bob: {
      engine: engineWith(),
      policy: policyXml({ ...parts, rampart: rampart('bob', 'useReqSigCert', 'bob.jks', parts.rampart) }),
    },
  };
}

/** A configuration that has nothing but local entries. */
export function entries(texts: Readonly<Record<string, string>>): Configuration {
  return {
    version: 1,
    services: {} as Configuration['services'],
    find: ((kind: string, name: string) => {
      const text = kind === 'localEntry' ? texts[name] : undefined;
      return text === undefined ? undefined : { key: name, text, xml: undefined };
    }) as Configuration['find'],
    names: () => [],
  };
}

export function envelope(body: string, header = '', version: '1.1' | '1.2' = '1.1'): string {
  const namespace =
    version === '1.1' ? 'http://schemas.xmlsoap.org/soap/envelope/' : 'http://www.w3.org/2003/05/soap-envelope';
  return `<soapenv:Envelope xmlns:soapenv="${namespace}" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soapenv:Header>${header}</soapenv:Header><soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`;
}

export function parsed(text: string): XmlElement {
  const root = parseXml(text).documentElement;
  if (!root) throw new Error('no root');
  return root;
}

/** Secures a message of Alice, or Bob's answer to a request; as text, as it goes over the wire. */
export async function secured(
  side: Side,
  text: string,
  request?: RequestFacts,
): Promise<{ text: string; facts: RequestFacts }> {
  const ready = await side.engine.prepare(entries({ p: side.policy }), 'p');
  const root = parsed(text);
  const facts = side.engine.secure(ready, root, request ? 'recipient' : 'initiator', request);
  return { text: serializeXml(root), facts };
}

/** Opens a request, or with `request` the answer to it. */
export async function opened(
  side: Side,
  text: string,
  options: { request?: RequestFacts; secureTransport?: boolean } = {},
): Promise<{ text: string; facts: RequestFacts }> {
  const ready = await side.engine.prepare(entries({ p: side.policy }), 'p');
  const root = parsed(text);
  const { request, secureTransport = false } = options;
  const sender = request ? 'recipient' : 'initiator';
  const facts = side.engine.open(ready, root, { sender, secureTransport, ...(request && { request }) });
  return { text: serializeXml(root), facts };
}
