import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { XmlDocument, XmlElement } from '../xml/index.ts';
import { textOf } from '../xml/index.ts';
import { base64Text, childNamed, ensureId, make, requiredChild } from './elements.ts';
import { TOKEN_TYPES } from './names.ts';
import { SecurityFailure } from './security-failure.ts';
import { readTime } from './timestamp.ts';

export interface UsernameToken {
  readonly element: XmlElement;
  readonly user: string;
  readonly password: string;
  readonly digest: boolean;
  /** Base64. */
  readonly nonce: string | undefined;
  /** As written, and as epoch ms. */
  readonly created: { readonly text: string; readonly time: number } | undefined;
}

const NONCE_BYTES = 16;
const LONGEST_NONCE = 512;

/** A `<wsse:UsernameToken>`, always with nonce and time of creation. */
export function makeUsernameToken(
  document: XmlDocument,
  { user, password, digest, now }: { user: string; password: string; digest: boolean; now: number },
): XmlElement {
  const nonce = randomBytes(NONCE_BYTES);
  const created = new Date(now).toISOString();
  const word = digest ? passwordDigest(nonce, created, password) : password;
  const type = digest ? TOKEN_TYPES.passwordDigest : TOKEN_TYPES.passwordText;
  const element = make(document, 'wsse', 'UsernameToken', {}, [
    make(document, 'wsse', 'Username', {}, user),
    make(document, 'wsse', 'Password', { Type: type }, word),
    make(document, 'wsse', 'Nonce', { EncodingType: TOKEN_TYPES.base64 }, nonce.toString('base64')),
    make(document, 'wsu', 'Created', {}, created),
  ]);
  ensureId(element, 'UT');
  return element;
}

/** Base64(SHA-1(nonce + created + password)): Username Token Profile 1.1, 3.1. */
export function passwordDigest(nonce: Buffer, created: string, password: string): string {
  return createHash('sha1').update(nonce).update(created, 'utf8').update(password, 'utf8').digest('base64');
}

/** @throws SecurityFailure when it is not well-formed, or of a kind that is not known */
export function readUsernameToken(element: XmlElement): UsernameToken {
  const user = requiredChild(element, 'wsse', 'Username');
  const password = childNamed(element, 'wsse', 'Password');
  if (!password) throw new SecurityFailure('FailedAuthentication', 'the UsernameToken has no password');
  const type = password.getAttribute('Type') || TOKEN_TYPES.passwordText;
  if (type !== TOKEN_TYPES.passwordText && type !== TOKEN_TYPES.passwordDigest)
    throw new SecurityFailure('UnsupportedSecurityToken', `the kind of password '${type}' is not known`);
  const nonce = childNamed(element, 'wsse', 'Nonce');
  const created = childNamed(element, 'wsu', 'Created');
  const nonceText = nonce && base64Text(nonce);
  if (nonceText !== undefined && nonceText.length > LONGEST_NONCE)
    throw new SecurityFailure('InvalidSecurity', 'the nonce is too long');
  return {
    element,
    user: textOf(user),
    password: textOf(password),
    digest: type === TOKEN_TYPES.passwordDigest,
    nonce: nonceText,
    created: created && { text: textOf(created).trim(), time: readTime(created) },
  };
}

/** Is that the user's password? Takes as long whichever character differs. */
export function passwordMatches(token: UsernameToken, password: string): boolean {
  if (!token.digest) return sameText(token.password, password);
  if (token.nonce === undefined || !token.created) return false;
  return sameText(
    token.password.trim(),
    passwordDigest(Buffer.from(token.nonce, 'base64'), token.created.text, password),
  );
}

/** Compares digests, so that neither content nor length shows in the time. */
function sameText(left: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(left), digest(right));
}
