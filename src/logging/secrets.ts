/** A bare `key` is a registry or routing key; a key that opens something says what. */
const SECRET_NAME =
  /password|passwd|passphrase|passcode|secret|token|credential|authorization|(?:api|access|private|encryption|signing)[._-]?key/i;
/** `//user:PASSWORD@` of a URL; an `@` in the password need not be escaped to be recognised. */
const URL_PASSWORD = /(\/\/[^/?:@\s]*:)([^/?#\s]*)(?=@)/g;
/** The same of a JDBC URL: people write passwords with a `/` there, too. Bounded, as every URL of a list is a new beginning. */
const JDBC_PASSWORD = /(\bjdbc:\w+:\/\/[^/?:@\s]*:)([^?\s"'<>]{0,512})(?=@)/gi;
/** `password=VALUE` of a query or of broker options; MySQL knows `password1` and so on. */
const NAMED_SECRET = /((?:password|passwd|pwd|passcode|passphrase|secret|token)\d*=)([^&;\s)<>"']*)/gi;

/** Each of these has one of them. */
const MAY_HOLD_CREDENTIALS = /[:=]/;

/** What is remembered of known secrets: the newest. */
const MAX_KNOWN = 4_000;
/** Shorter ones stand in texts that have nothing to do with them, such as `admin`: only a text that is one counts. */
const RECOGNISED_CHARACTERS = 8;
/** Longer ones, such as keys in PEM, are recognised as a whole only; who cuts a text lets so much stand behind it until it is masked. */
export const LONGEST_RECOGNISED = 4_096;
const MASK = '*****';
const known = new Set<string>();
/** Finds those that are recognised in texts; to be made anew when another one is known. */
let finder: RegExp | 'none' | undefined;

/** This is a secret, under whatever name it stands: it was read from where secrets are, or looked up (REQ-20). */
export function noteSecret(secret: string): void {
  if (secret === '' || known.has(secret)) return;
  known.add(secret);
  finder = undefined;
  if (known.size > MAX_KNOWN) for (const oldest of known) return void known.delete(oldest);
}

/** The same of what lies where secrets are: only what cannot be taken for anything else, as people keep host, port and flags there, too. */
export function noteStoredSecret(text: string): void {
  if (text.length >= RECOGNISED_CHARACTERS) noteSecret(text);
}

/** Is this value a secret, by its name or as it is known for one (REQ-20)? */
export function isSecret(name: string, value: string): boolean {
  return isSecretName(name) || known.has(value);
}

/** Text as operators may see it: known secrets and the credentials inside its URLs are masked (REQ-20, REQ-56). */
export function maskSecrets(text: string): string {
  finder ??= finderOf(known);
  if (finder === 'none' && !MAY_HOLD_CREDENTIALS.test(text)) return text;
  const patterns = MAY_HOLD_CREDENTIALS.test(text) ? [JDBC_PASSWORD, URL_PASSWORD, NAMED_SECRET] : [];
  const found = patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].map(
      ({ 0: all, 1: before = '', index }) => [index + before.length, index + all.length] as const,
    ),
  );
  if (finder !== 'none')
    for (const { 0: secret, index } of text.matchAll(finder)) found.push([index, index + secret.length]);
  return found.length === 0 ? text : withoutParts(text, found);
}

/** All are looked for in the text as it is: what one of them masks would hide the beginning or the end of another. */
function withoutParts(text: string, parts: Array<readonly [from: number, to: number]>): string {
  parts.sort(([one], [other]) => one - other);
  let shown = '';
  let at = -1;
  for (const [from, to] of parts) {
    if (from >= at) shown += `${text.slice(Math.max(at, 0), from)}${MASK}`;
    at = Math.max(at, to);
  }
  return shown + text.slice(at);
}

function finderOf(secrets: Iterable<string>): RegExp | 'none' {
  const recognised = [...secrets].filter(
    ({ length }) => length >= RECOGNISED_CHARACTERS && length <= LONGEST_RECOGNISED,
  );
  const forms = [...new Set(recognised.flatMap(formsOf))].sort((one, other) => other.length - one.length);
  return forms.length === 0 ? 'none' : new RegExp(forms.map(patternOf).join('|'), 'g');
}

/** As it stands in XML, in JSON and in an address. */
function formsOf(secret: string): readonly string[] {
  const inXml = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return [secret, inXml, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed())];
}

/** A word, such as `postgres`, is none when it is a part of another one. */
function patternOf(form: string): string {
  const pattern = form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  return /^[a-z]+$/i.test(form) ? `\\b${pattern}\\b` : pattern;
}

/** Is the value of an attribute, element or parameter of this name a secret (REQ-20)? */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** Text with the credentials inside its URLs masked (REQ-56). */
export function maskCredentials(text: string, mask: (secret: string) => string = () => '*****'): string {
  if (!MAY_HOLD_CREDENTIALS.test(text)) return text;
  const masked = (_: string, before: string, secret: string) => before + mask(secret);
  return text.replace(JDBC_PASSWORD, masked).replace(URL_PASSWORD, masked).replace(NAMED_SECRET, masked);
}
