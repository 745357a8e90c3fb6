import { isSecretName, maskCredentials } from '../logging/secrets.ts';

/** A start tag with its name, its attributes and the text that follows. */
const TAG = /<([\w.:-]+)((?:\s+[\w.:-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)(\s*\/?>)((?:<!\[CDATA\[[\s\S]*?\]\]>|[^<])*)/g;
const ATTRIBUTE = /([\w.:-]+)(\s*=\s*)("[^"]*"|'[^']*')/g;

/**
 * The text of an artifact as its code frames may show it: passwords, tokens and credentials inside URLs become asterisks (REQ-20),
 * every other character keeps its line and column.
 */
export function maskedSource(text: string): string {
  const tags = text.replace(TAG, (_, element: string, attributes: string, end: string, content: string) => {
    const secret = isSecretName(element) || namesOf(attributes).some(isSecretName);
    return `<${element}${maskedAttributes(attributes, secret)}${end}${secret ? asterisks(content) : content}`;
  });
  return maskCredentials(tags, asterisks);
}

/** What an element is called: the `name` of a property or parameter, the `key` of a local entry. */
function namesOf(attributes: string): string[] {
  const found = [...attributes.matchAll(ATTRIBUTE)].filter(([, name]) => name === 'name' || name === 'key');
  return found.map(([, , , value = '']) => value.slice(1, -1));
}

/** Of `<property name="password" value="…"/>` the value is secret, of `<account password="…"/>` the attribute itself. */
function maskedAttributes(attributes: string, secretElement: boolean): string {
  return attributes.replace(ATTRIBUTE, (whole, name: string, equals: string, quoted: string) => {
    const secret = isSecretName(name) || (secretElement && name === 'value');
    if (!secret) return whole;
    const quote = quoted[0] ?? '"';
    return `${name}${equals}${quote}${asterisks(quoted.slice(1, -1))}${quote}`;
  });
}

/** As long as the secret, so that markers stay under their columns. */
function asterisks(secret: string): string {
  return secret.replace(/\S/g, '*');
}
