import { elementChildren, textOf, type XmlElement, type XmlNode } from '../../xml/index.ts';

const NAMESPACE = 'http://www.wso2.org/products/wso2commons/throttle';
const ASSERTIONS = [
  'MediatorThrottleAssertion',
  'ThrottleAssertion',
  'ServiceThrottleAssertion',
  'ModuleThrottleAssertion',
];
const ELEMENT_NODE = 1;

/** How many requests a caller may make. */
export type Quota =
  | { readonly kind: 'always' }
  | { readonly kind: 'never' }
  | { readonly kind: 'rate'; readonly count: number; readonly unitMs: number; readonly prohibitMs: number };

/** What one caller, or a range of callers, may do. */
export interface CallerPolicy {
  readonly type: 'IP' | 'DOMAIN';
  /** An address or a domain, `a.b.c.d-e.f.g.h`, `a.b.c.*`, or `other`. */
  readonly id: string;
  readonly quota: Quota;
}

/** A WS-Policy with a throttle assertion (spec mediators 3.32). */
export interface ThrottlePolicy {
  /** Requests that may be going on at the same time; undefined: any number. */
  readonly concurrent: number | undefined;
  readonly callers: readonly CallerPolicy[];
}

/** A policy that cannot be read. */
export class ThrottlePolicyError extends Error {
  override readonly name = 'ThrottlePolicyError';

  constructor(reason: string) {
    super(`Error was occurred during throttle policy processing  ${reason}`);
  }
}

/** @throws ThrottlePolicyError */
export function readThrottlePolicy(root: XmlElement): ThrottlePolicy {
  const assertion = descendants(root).find(({ localName }) => ASSERTIONS.includes(localName ?? ''));
  if (!assertion) throw new ThrottlePolicyError(`there is no ${ASSERTIONS[0]} in it`);
  const inside = descendants(assertion).filter(({ namespaceURI }) => namespaceURI === NAMESPACE);
  const concurrent = inside.find(({ localName }) => localName === 'MaximumConcurrentAccess');
  const callers = inside.filter(({ localName }) => localName === 'ID').map(readCaller);
  return { concurrent: concurrent && numberIn(concurrent), callers };
}

function readCaller(id: XmlElement): CallerPolicy {
  const written = id.getAttributeNS(NAMESPACE, 'type') || id.getAttribute('type') || '';
  const type = written.toUpperCase();
  if (type !== 'IP' && type !== 'DOMAIN')
    throw new ThrottlePolicyError(`the type of an ID is '${written}', not IP or DOMAIN`);
  const text = textOf(id).trim();
  if (text === '') throw new ThrottlePolicyError('an ID is empty');
  const around = id.parentNode
    ? descendants(id.parentNode).filter(({ namespaceURI }) => namespaceURI === NAMESPACE)
    : [];
  return { type, id: text, quota: readQuota(around, text) };
}

function readQuota(around: readonly XmlElement[], id: string): Quota {
  const find = (name: string) => around.find(({ localName }) => localName === name);
  const allowed = find('IsAllow');
  if (allowed && textOf(allowed).trim() !== 'true') return { kind: 'never' };
  const [count, unit, prohibit] = [find('MaximumCount'), find('UnitTime'), find('ProhibitTimePeriod')];
  // WSO2's sample 371 says both, and means a caller who may come, so often.
  if (allowed && (!count || !unit)) return { kind: 'always' };
  if (!count || !unit) throw new ThrottlePolicyError(`'${id}' has neither MaximumCount and UnitTime nor IsAllow`);
  const prohibitMs = prohibit && textOf(prohibit).trim() !== '' ? numberIn(prohibit) : 0;
  return { kind: 'rate', count: numberIn(count), unitMs: numberIn(unit), prohibitMs };
}

function numberIn(element: XmlElement): number {
  const text = textOf(element).trim();
  if (!/^\d{1,15}$/.test(text)) throw new ThrottlePolicyError(`${element.localName} is '${text}', which is no number`);
  return Number(text);
}

function descendants(root: XmlNode): XmlElement[] {
  const found: XmlElement[] = root.nodeType === ELEMENT_NODE ? [root as XmlElement] : [];
  for (let index = 0; index < found.length; index += 1) found.push(...elementChildren(found[index] as XmlElement));
  return found;
}

/** The policy for a caller: by its domain if there is one, else by its address (spec mediators 3.32). */
export function policyFor(
  policy: ThrottlePolicy,
  caller: { readonly ip: string | undefined; readonly domain: string | undefined },
): CallerPolicy | undefined {
  const of = (type: CallerPolicy['type'], id: string | undefined) => {
    const own = policy.callers.filter((one) => one.type === type);
    return own.find((one) => id !== undefined && matches(one.id, id)) ?? own.find((one) => one.id === 'other');
  };
  return of('DOMAIN', caller.domain) ?? of('IP', caller.ip);
}

function matches(pattern: string, id: string): boolean {
  if (pattern === id) return true;
  if (pattern.endsWith('.*')) return id.startsWith(pattern.slice(0, -1));
  const [from, to] = pattern.split('-').map((one) => one.trim());
  return from !== undefined && to !== undefined && inRange(id, from, to);
}

/** By the last number, the ones before it being equal. */
function inRange(id: string, from: string, to: string): boolean {
  const split = (text: string): [string, number] => {
    const at = text.lastIndexOf('.');
    return [text.slice(0, at), Number(text.slice(at + 1))];
  };
  const [[network, host], [first, low], [, high]] = [split(id), split(from), split(to)];
  return network === first && host >= low && host <= high;
}
