/** A bare `key` is a registry or routing key; a key that opens something says what. */
const SECRET_NAME =
  /password|passwd|passphrase|passcode|secret|token|credential|authorization|(?:api|access|private|encryption|signing)[._-]?key/i;
/** `//user:PASSWORD@` of a URL; an `@` in the password need not be escaped to be recognised. */
const URL_PASSWORD = /(\/\/[^/?:@\s]*:)([^/?#\s]*)(?=@)/g;
/** The same of a JDBC URL: people write passwords with a `/` there, too. Bounded, as every URL of a list is a new beginning. */
const JDBC_PASSWORD = /(\bjdbc:\w+:\/\/[^/?:@\s]*:)([^?\s"'<>]{0,512})(?=@)/gi;
/** `password=VALUE` of a query or of broker options; MySQL knows `password1` and so on. */
const NAMED_SECRET = /((?:password|passwd|pwd|passcode|passphrase|secret|token)\d*=)([^&;\s)<>"']*)/gi;

/** What is remembered of known secrets: the newest. */
const MAX_KNOWN = 1_000;
/** Shorter ones stand in texts that have nothing to do with them, such as `admin`: only a text that is one counts. */
const RECOGNISED_CHARACTERS = 8;
const known = new Set<string>();

/** This is a secret, under whatever name it stands: it was read from where secrets are, or looked up (REQ-20). */
export function noteSecret(secret: string): void {
  if (secret === '') return;
  known.delete(secret);
  known.add(secret);
  if (known.size > MAX_KNOWN) for (const oldest of known) return void known.delete(oldest);
}

/** Is this value a secret, by its name or as it is known for one (REQ-20)? */
export function isSecret(name: string, value: string): boolean {
  return isSecretName(name) || known.has(value);
}

/** Text as operators may see it: known secrets and the credentials inside its URLs are masked (REQ-20, REQ-56). */
export function maskSecrets(text: string): string {
  let masked = text;
  for (const secret of known)
    if (secret.length >= RECOGNISED_CHARACTERS && masked.includes(secret)) masked = masked.replaceAll(secret, '*****');
  return maskCredentials(masked);
}

/** Is the value of an attribute, element or parameter of this name a secret (REQ-20)? */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** Text with the credentials inside its URLs masked (REQ-56). */
export function maskCredentials(text: string, mask: (secret: string) => string = () => '*****'): string {
  if (!/[:=]/.test(text)) return text;
  const masked = (_: string, before: string, secret: string) => before + mask(secret);
  return text.replace(JDBC_PASSWORD, masked).replace(URL_PASSWORD, masked).replace(NAMED_SECRET, masked);
}
