import { isSecretName, maskCredentials } from '../logging/secrets.ts';

/** A start tag with its name, its attributes and the text that follows. */
const TAG = /<([\w.:-]+)((?:\s+[\w.:-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)(\s*\/?>)((?:<!\[CDATA\[[\s\S]*?\]\]>|[^<])*)/g;
const ATTRIBUTE = /([\w.:-]+)(\s*=\s*)("[^"]*"|'[^']*')/g;
/** What an expression says literally; in an attribute a quote may be written as an entity. */
const LITERAL = /(['"]|&quot;|&apos;)((?:(?!\1)[\s\S])*)\1/g;
/** `"name": "value"` of JSON in a payload; in an attribute the quotes are entities. */
const JSON_TEXT = /(("|&quot;)([\w.$ -]{1,200})\2\s*:\s*\2)((?:(?!\2)[^\\]|\\[\s\S])*)(?=\2)/g;

/** A secret that is none any more; of what somebody has written anew the CDATA may have stayed. */
const ASTERISKS = /^\s*(?:<!\[CDATA\[\s*)?\*[*\s]*(?:\]\]>\s*)?$/;

/** What says where a secret is to be found, as a whole value: it is none itself, and somebody who edits the artifact wants to see it. */
const LOOK_UP = new RegExp(
  `^\\s*(?:${[
    String.raw`\{?[\w-]+:vault-lookup\([^(){}]*\)\}?`,
    String.raw`\$(?:SYSTEM|FILE|CUSTOM_\w+):\w+`,
    String.raw`\$\{configs\.[\w.]+\}`,
    String.raw`\$secret\{[\w.@-]+\}`,
  ].join('|')})\\s*$`,
);

/** What stands in place of a secret. */
type Mask = (secret: string) => string;

/**
 * The text of an artifact as its code frames may show it: passwords, tokens and credentials inside URLs become asterisks (REQ-20),
 * every other character keeps its line and column.
 */
export function maskedSource(text: string): string {
  return masked(text, asterisks);
}

/** Is it, or a part of it, the text as {@link maskedSource} shows it: has it asterisks where a secret is to be? */
export function hasMaskedSecrets(text: string): boolean {
  let found = false;
  masked(text, (secret) => {
    found ||= ASTERISKS.test(secret);
    return secret;
  });
  return found;
}

function masked(text: string, maskSecret: Mask): string {
  const mask = (value: string) => (LOOK_UP.test(value) ? value : maskSecret(value));
  const tags = text.replace(TAG, (_, element: string, attributes: string, end: string, content: string) => {
    const secret = isSecretName(element) || namesOf(attributes).some(isSecretName);
    return `<${element}${maskedAttributes(attributes, secret, mask)}${end}${secret ? mask(content) : content}`;
  });
  const json = tags.replace(JSON_TEXT, (whole, before: string, _, name: string, value: string) =>
    isSecretName(name) ? before + mask(value) : whole,
  );
  return maskCredentials(json, mask);
}

/** What an element is called: the `name` of a property or parameter, the `key` of a local entry. */
function namesOf(attributes: string): string[] {
  const found = [...attributes.matchAll(ATTRIBUTE)].filter(([, name]) => name === 'name' || name === 'key');
  return found.map(([, , , value = '']) => value.slice(1, -1));
}

/**
 * Of `<property name="password" value="…"/>` the value is secret, of `expression` what is said literally, of `<account password="…"/>`
 * the attribute itself.
 */
function maskedAttributes(attributes: string, secretElement: boolean, mask: Mask): string {
  return attributes.replace(ATTRIBUTE, (whole, name: string, equals: string, quoted: string) => {
    const [quote = '"', value] = [quoted[0], quoted.slice(1, -1)];
    const within = (text: string) => `${name}${equals}${quote}${text}${quote}`;
    if (isSecretName(name) || (secretElement && name === 'value')) return within(mask(value));
    return secretElement && name === 'expression' ? within(maskedLiterals(value, mask)) : whole;
  });
}

function maskedLiterals(expression: string, mask: Mask): string {
  if (LOOK_UP.test(expression)) return expression;
  return expression.replace(LITERAL, (_, quote: string, literal: string) => quote + mask(literal) + quote);
}

/** As long as the secret, so that markers stay under their columns. */
function asterisks(secret: string): string {
  return secret.replace(/\S/g, '*');
}
