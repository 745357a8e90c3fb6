import { bodyOf, headerOf } from '../message/soap.ts';
import { elementChildren, type XmlElement } from '../xml/index.ts';
import { isHeader, matchesHeader } from './header-names.ts';
import type { OpenedParts, Opening, SignedBy } from './opening.ts';
import { SecurityFailure } from './security-failure.ts';
import { checkFreshness } from './timestamp.ts';
import { passwordMatches, type UsernameToken } from './username-token.ts';

/**
 * Is the message all that its policy demands? What counts are the elements themselves, as they stand in the tree that is mediated: a
 * signature over a Body that was moved elsewhere says nothing about the one that is there.
 * @throws SecurityFailure
 */
export function checkAgainstPolicy(envelope: XmlElement, parts: OpenedParts, opening: Opening): void {
  const { policy, secureTransport } = opening;
  if (policy.binding?.kind === 'transport' && !secureTransport)
    throw new SecurityFailure('InvalidSecurity', 'the policy wants HTTPS, and the message came over something else');
  checkTimestamp(parts, opening);
  checkSignedParts(envelope, parts, opening);
  checkEncryptedBody(envelope, parts, opening);
  if (opening.sender === 'initiator') checkUsernameToken(parts, opening);
  else {
    checkSigner(parts, opening);
    checkConfirmations(parts, opening);
  }
  for (const required of policy.requiredHeaders) {
    if (!headerBlocks(envelope).some((block) => isHeader(block, required)))
      throw new SecurityFailure(
        'InvalidSecurity',
        `the header block '${required.name ?? required.namespace}' is missing`,
      );
  }
}

function headerBlocks(envelope: XmlElement): XmlElement[] {
  const header = headerOf(envelope);
  return header ? elementChildren(header) : [];
}

/** Whose signature counts: the secret of a response must be the one that this side made, else anybody could have made it. */
function isSigned(element: XmlElement, { signed }: OpenedParts, { policy, sender }: Opening): boolean {
  const by = signed.get(element);
  const wanted: SignedBy = sender === 'initiator' ? 'received secret' : 'sent secret';
  return by !== undefined && by === (policy.binding?.kind === 'symmetric' ? wanted : 'certificate');
}

function checkTimestamp(parts: OpenedParts, opening: Opening): void {
  const { policy, now } = opening;
  const { timestamp } = parts;
  const { binding } = policy;
  if (timestamp) checkFreshness(timestamp, now, policy.rampart);
  if (!binding?.timestamp) return;
  if (!timestamp) throw new SecurityFailure('InvalidSecurity', 'the message has no timestamp');
  if (binding.kind !== 'transport' && !isSigned(timestamp.element, parts, opening))
    throw new SecurityFailure('FailedCheck', 'the timestamp is not signed');
}

function checkSignedParts(envelope: XmlElement, parts: OpenedParts, opening: Opening): void {
  const { signed, binding } = opening.policy;
  if (!binding || binding.kind === 'transport') return;
  if (signed.body && !isSigned(bodyOf(envelope), parts, opening))
    throw new SecurityFailure('FailedCheck', 'the Body is not signed');
  for (const block of headerBlocks(envelope)) {
    const isSecurity = block.localName === 'Security';
    if (!isSecurity && matchesHeader(block, signed) && !isSigned(block, parts, opening))
      throw new SecurityFailure('FailedCheck', `the header block <${block.nodeName}> is not signed`);
  }
}

/** All that is in the Body must have been encrypted: plain text beside it could be anybody's. */
function checkEncryptedBody(envelope: XmlElement, { decrypted }: OpenedParts, { policy }: Opening): void {
  if (!policy.encryptedBody || policy.binding?.kind === 'transport') return;
  const body = bodyOf(envelope);
  const found = decrypted.some(({ parent, type, alone }) => parent === body && type === 'content' && alone);
  if (!found) throw new SecurityFailure('FailedCheck', 'the Body is not encrypted');
}

function checkUsernameToken(parts: OpenedParts, opening: Opening): void {
  const { policy } = opening;
  const wanted = policy.usernameToken;
  if (!wanted) return;
  const token = parts.usernameToken;
  if (!token) throw new SecurityFailure('FailedAuthentication', 'the message has no UsernameToken');
  if (token.digest !== (wanted.password === 'digest'))
    throw new SecurityFailure('FailedAuthentication', 'the password is not in the form that the policy wants');
  const protectedByMessage = policy.binding !== undefined && policy.binding.kind !== 'transport';
  if (protectedByMessage && wanted.signed && !isSigned(token.element, parts, opening))
    throw new SecurityFailure('FailedCheck', 'the UsernameToken is not signed');
  if (
    protectedByMessage &&
    wanted.encrypted &&
    !parts.decrypted.some(({ elements }) => elements.includes(token.element))
  )
    throw new SecurityFailure('FailedCheck', 'the UsernameToken is not encrypted');
  if (token.created) {
    const { nonceLifetimeMs, skewMs } = policy.rampart;
    checkFreshness({ created: token.created.time, expires: undefined }, opening.now, {
      lifetimeMs: nonceLifetimeMs,
      skewMs,
    });
  }
  authenticate(token, opening);
}

function authenticate(token: UsernameToken, { users, policy }: Opening): void {
  const user = users.find(token.user);
  // An unknown user costs as much time as a wrong password.
  const right = passwordMatches(token, user?.password ?? '');
  if (!user || !right) throw new SecurityFailure('FailedAuthentication', 'the user or the password is wrong');
  const { allowedRoles } = policy;
  if (allowedRoles.length > 0 && !allowedRoles.some((role) => user.roles.includes(role)))
    throw new SecurityFailure('FailedAuthentication', `the user has none of the roles ${allowedRoles.join(', ')}`);
}

/** Others may be trusted, too, but it is not them who were asked. */
function checkSigner({ signer }: OpenedParts, { request }: Opening): void {
  const asked = request?.encryptedFor;
  if (asked && signer && !asked.raw.equals(signer.raw))
    throw new SecurityFailure(
      'FailedAuthentication',
      'the response is signed by somebody else than the request was encrypted for',
    );
}

/** The response confirms the signatures of the request that it answers, and no others (WS-Security 1.1, 8.5). */
function checkConfirmations(parts: OpenedParts, opening: Opening): void {
  const { policy, request } = opening;
  if (!policy.signatureConfirmation) return;
  const expected = new Set(request?.signatureValues ?? []);
  const needsSignature = policy.binding !== undefined && policy.binding.kind !== 'transport';
  const confirmed = new Set<string>();
  for (const element of parts.confirmations) {
    if (needsSignature && !isSigned(element, parts, opening))
      throw new SecurityFailure('FailedCheck', 'a signature confirmation is not signed');
    const value = element.getAttribute('Value')?.replace(/\s+/g, '');
    if (value) confirmed.add(value);
  }
  const same = confirmed.size === expected.size && [...expected].every((value) => confirmed.has(value));
  if (!same || parts.confirmations.length === 0)
    throw new SecurityFailure('FailedCheck', 'the response does not confirm the signatures of the request');
}
