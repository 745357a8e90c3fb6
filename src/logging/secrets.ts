/** A bare `key` is a registry or routing key; a key that opens something says what. */
const SECRET_NAME =
  /password|passwd|passphrase|passcode|secret|token|credential|authorization|(?:api|access|private|encryption|signing)[._-]?key/i;
/** `//user:PASSWORD@` of a URL; an `@` in the password need not be escaped to be recognised. */
const URL_PASSWORD = /(\/\/[^/?:@\s]*:)([^/?#\s]*)(?=@)/g;
/** The same of a JDBC URL: people write passwords with a `/` there, too. Bounded, as every URL of a list is a new beginning. */
const JDBC_PASSWORD = /(\bjdbc:\w+:\/\/[^/?:@\s]*:)([^?\s"'<>]{0,512})(?=@)/gi;
/** `password=VALUE` of a query or of broker options; MySQL knows `password1` and so on. */
const NAMED_SECRET = /((?:password|passwd|pwd|passcode|passphrase|secret|token)\d*=)([^&;\s)<>"']*)/gi;

/** What is remembered of looked-up secrets: the newest. */
const MAX_LOOKED_UP = 1_000;
/** Shorter ones stand in texts that have nothing to do with them, such as `admin`: only a text that is one counts. */
const RECOGNISED_CHARACTERS = 8;
const lookedUp = new Set<string>();

/** An artifact has got this by a look-up: it is a secret under whatever name it stands (REQ-20). */
export function noteSecret(secret: string): void {
  if (secret === '') return;
  lookedUp.delete(secret);
  lookedUp.add(secret);
  if (lookedUp.size > MAX_LOOKED_UP) for (const oldest of lookedUp) return void lookedUp.delete(oldest);
}

/** Is this text, or is in it, what an artifact has looked up? */
export function holdsSecret(text: string): boolean {
  if (lookedUp.has(text)) return true;
  for (const secret of lookedUp) if (secret.length >= RECOGNISED_CHARACTERS && text.includes(secret)) return true;
  return false;
}

/** Is the value of an attribute, element or parameter of this name a secret (REQ-20)? */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** Text with the credentials inside its URLs masked (REQ-56). */
export function maskCredentials(text: string, mask: (secret: string) => string = () => '*****'): string {
  const masked = (_: string, before: string, secret: string) => before + mask(secret);
  return text.replace(JDBC_PASSWORD, masked).replace(URL_PASSWORD, masked).replace(NAMED_SECRET, masked);
}
