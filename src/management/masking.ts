import { maskedSource } from '../grammar/masked-source.ts';
import { isSecret, isSecretName, maskSecrets } from '../logging/secrets.ts';

const MASK = '*****';
/** `name=value` and `name: value` of property files and YAML, one a line. */
const LINE = /^([^\S\n]*(?:-[^\S\n]+)?["']?([\w.$-]{1,200})["']?[^\S\n]*[=:][^\S\n]*)(\S.*)$/gm;
const KEY_BEGIN = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const KEY_END = '-----END';

/** A parameter's value as operators may see it: secrets by name, what was looked up, and credentials inside URLs, are masked (REQ-20, REQ-56). */
export function maskedParameter(name: string, value: string): string {
  return isSecret(name, value) ? MASK : maskSecrets(value);
}

/** Any text that was put under a name, as those may see it who are not to change it: XML, JSON, property files, keys in PEM. */
export function maskedContent(name: string, text: string): string {
  if (isSecretName(name)) return MASK;
  const lines = maskedSource(text).replace(LINE, (whole, before: string, key: string) =>
    isSecretName(key) ? before + MASK : whole,
  );
  return withoutPrivateKeys(lines);
}

/** One pass; a key that has no end goes on to the end of the text. */
function withoutPrivateKeys(text: string): string {
  let shown = '';
  let from = 0;
  for (const { index, 0: begin } of text.matchAll(KEY_BEGIN)) {
    if (index < from) continue;
    const end = text.indexOf(KEY_END, index);
    shown += `${text.slice(from, index) + begin}\n${MASK}\n`;
    from = end < 0 ? text.length : end;
  }
  return shown + text.slice(from);
}

/** All parameters, masked. */
export function maskedParameters(parameters: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...parameters].map(([name, value]) => [name, maskedParameter(name, value)]));
}
