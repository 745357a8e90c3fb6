const NAME_START =
  /[A-Za-z_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd]/;
const NAME_PART =
  /[A-Za-z0-9_.\-\u00b7\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u037d\u037f-\u1fff\u203f\u2040\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd]/;
const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const DIGIT_PREFIX = '_JsonReader_PD_';
const DOLLAR_PREFIX = '_JsonReader_PS_';
const CODE_PREFIX = '_JsonReader_';

/**
 * The element name for a JSON key or form field: a leading digit or `$` gets its prefix, any other character that a name cannot hold
 * becomes `_JsonReader_<decimal code>_` (spec mediators 5.3).
 */
export function xmlNameOf(key: string): string {
  if (PLAIN_NAME.test(key) && !key.startsWith(CODE_PREFIX) && !/^xmlns/i.test(key)) return key;
  if (/^[0-9]/.test(key)) return DIGIT_PREFIX + encodedName(key, false);
  if (key.startsWith('$')) return DOLLAR_PREFIX + encodedName(key.slice(1), false);
  return key === '' ? CODE_PREFIX : encodedName(key, true);
}

function encodedName(key: string, atStart: boolean): string {
  let name = '';
  for (let index = 0; index < key.length; index += 1) {
    const character = key[index] as string;
    const first = atStart && index === 0;
    const misleading = key.startsWith(CODE_PREFIX, index) || (first && /^xmlns/i.test(key));
    const legal = (first ? NAME_START : NAME_PART).test(character) && !misleading;
    name += legal ? character : `${CODE_PREFIX}${character.charCodeAt(0)}_`;
  }
  return name;
}

/** The JSON key or form field of an element name; the reverse of {@link xmlNameOf}. */
export function keyOfXmlName(name: string): string {
  if (!name.includes(CODE_PREFIX)) return name;
  if (name === CODE_PREFIX) return '';
  let rest = name;
  let key = '';
  if (rest.startsWith(DIGIT_PREFIX)) rest = rest.slice(DIGIT_PREFIX.length);
  else if (rest.startsWith(DOLLAR_PREFIX)) {
    rest = rest.slice(DOLLAR_PREFIX.length);
    key = '$';
  }
  return key + rest.replace(/_JsonReader_(\d{1,5})_/g, (_, code: string) => String.fromCharCode(Number(code)));
}
