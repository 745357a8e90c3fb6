import { type DynamicValue, parseDynamicValue } from '../expressions/value.ts';
import { ValueError } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { EndpointSecurity } from './endpoint-security.ts';
import type { ProxySecurity } from './proxy-security.ts';

const ATTRIBUTES = ['policy', 'inboundPolicy', 'outboundPolicy'] as const;
type Attribute = (typeof ATTRIBUTES)[number];

/**
 * Reads the `<enableSec>` of an endpoint or of `<callout>` (spec proxies 5.1, mediators 3.24): `policy` is for both directions, the others go
 * before it. Undefined where there is none; problems go to the reader.
 */
export function readEndpointSecurity(parent: ConfigElement, reader: ArtifactReader): EndpointSecurity | undefined {
  const element = parent.child('enableSec');
  if (!element) return undefined;
  reader.warnUnknownAttributes(element, ATTRIBUTES);
  const both = readKey(element, 'policy', reader);
  const outbound = readKey(element, 'outboundPolicy', reader) ?? both;
  const inbound = readKey(element, 'inboundPolicy', reader) ?? both;
  if (outbound || inbound) return { outbound, inbound };
  reader.warning(element, '<enableSec> names no policy: messages are neither secured nor checked', {
    expected: 'policy="the key of a policy"',
  });
  return undefined;
}

function readKey(element: ConfigElement, attribute: Attribute, reader: ArtifactReader): DynamicValue | undefined {
  const written = element.attribute(attribute)?.trim();
  if (!written) return undefined;
  try {
    const key = parseDynamicValue(written, element.prefixes());
    if (key.static !== undefined) reader.refer('localEntry', key.static, element, attribute);
    return key;
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(element, error.message, { attribute, expected: 'the key of a policy or {expression}' });
    return undefined;
  }
}

const POLICY_ATTRIBUTES = ['key', 'type', 'operationName', 'operationNamespace'];

/** Reads `<enableSec/>` and `<policy>` of a proxy (spec proxies 1.1). Undefined where messages are not secured; problems go to the reader. */
export function readProxySecurity(proxy: ConfigElement, reader: ArtifactReader): ProxySecurity | undefined {
  const enabled = proxy.child('enableSec');
  let inbound: string | undefined;
  let outbound: string | undefined;
  for (const policy of proxy.childrenNamed('policy')) {
    const key = policy.attribute('key')?.trim();
    if (!key) {
      reader.error(policy, 'a policy needs a key', { expected: '<policy key="…"/>' });
      continue;
    }
    reader.warnUnknownAttributes(policy, POLICY_ATTRIBUTES);
    if (!isWhole(policy, enabled, reader)) continue;
    reader.refer('localEntry', key, policy, 'key');
    const direction = policy.attribute('type')?.trim();
    if (direction !== 'out') inbound ??= key;
    if (direction !== 'in') outbound ??= key;
  }
  if (!enabled) return undefined;
  if (inbound !== undefined || outbound !== undefined) return { inbound, outbound };
  reader.warning(enabled, '<enableSec> without a <policy>: messages are neither secured nor checked', {
    expected: '<policy key="…"/> beside it',
  });
  return undefined;
}

/** A policy counts for all messages of the service; what it cannot do must not look as if it were done. */
function isWhole(policy: ConfigElement, enabled: ConfigElement | undefined, reader: ArtifactReader): boolean {
  if (!enabled) {
    reader.warning(policy, 'the policy is not applied to messages: there is no <enableSec/> beside it');
    return false;
  }
  if (policy.attribute('operationName') === undefined) return true;
  reader.error(policy, 'policies of single operations are not supported', {
    attribute: 'operationName',
    expected: 'a policy for the whole service',
  });
  return false;
}
