import { elementChildren, type XmlElement } from '../xml/index.ts';

const POLICY_NAMESPACES: readonly string[] = [
  'http://schemas.xmlsoap.org/ws/2004/09/policy',
  'http://www.w3.org/ns/ws-policy',
];
const SECURITY_POLICY_NAMESPACES: readonly string[] = [
  'http://schemas.xmlsoap.org/ws/2005/07/securitypolicy',
  'http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702',
  'http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200802',
];
const CXF_SUITES = 'http://cxf.apache.org/custom/security-policy';

/** More alternatives than this are not looked at. */
const MAX_ALTERNATIVES = 16;

export function isPolicy(element: XmlElement): boolean {
  return element.localName === 'Policy' && POLICY_NAMESPACES.includes(element.namespaceURI ?? '');
}

/** An assertion of WS-SecurityPolicy, of any of its versions. */
export function isSecurityAssertion({ namespaceURI }: XmlElement): boolean {
  return SECURITY_POLICY_NAMESPACES.includes(namespaceURI ?? '') || namespaceURI === CXF_SUITES;
}

/** Does the policy say anything about security? */
export function speaksOfSecurity(policy: XmlElement): boolean {
  const waiting = [policy];
  for (let element = waiting.pop(); element; element = waiting.pop()) {
    if (isSecurityAssertion(element)) return true;
    waiting.push(...elementChildren(element));
  }
  return false;
}

/**
 * The alternatives of a policy: each a list of assertions that hold together (WS-Policy 1.5, 4). What an `ExactlyOne` leaves to choose
 * multiplies them; those beyond the sixteenth are left out.
 */
export function alternativesOf(policy: XmlElement): XmlElement[][] {
  let alternatives: XmlElement[][] = [[]];
  for (const child of elementChildren(policy)) {
    const choices = choicesOf(child);
    const combined = alternatives.flatMap((before) => choices.map((choice) => [...before, ...choice]));
    alternatives = combined.slice(0, MAX_ALTERNATIVES);
  }
  return alternatives;
}

function choicesOf(element: XmlElement): XmlElement[][] {
  const operator = POLICY_NAMESPACES.includes(element.namespaceURI ?? '') ? element.localName : undefined;
  if (operator === 'ExactlyOne') return elementChildren(element).flatMap(choicesOf).slice(0, MAX_ALTERNATIVES);
  if (operator === 'All' || operator === 'Policy') return alternativesOf(element);
  return [[element]];
}

/** The assertions nested in one, of its first alternative; one that says nothing has none. */
export function nestedAssertions(assertion: XmlElement): readonly XmlElement[] {
  const policy = elementChildren(assertion).find(isPolicy);
  return policy ? (alternativesOf(policy)[0] ?? []) : [];
}
