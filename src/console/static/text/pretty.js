/** A body as it is read best; what cannot be read as its language stays what it is. @param {string} text @param {string} language */
export function pretty(text, language) {
  if (language === 'json') return prettyJson(text);
  if (language === 'xml') return prettyXml(text);
  return text;
}

function prettyJson(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

const PART =
  /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<![^>]*>|<\/[^>]*>|<(?:[^>"']|"[^"]*"|'[^']*')*>|[^<]+|</g;

/** One element a line; text stays beside its tags. Works on pieces, too, as previews are cut off anywhere. */
function prettyXml(text) {
  const parts = text.match(PART) ?? [];
  const lines = [];
  let depth = 0;
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index];
    if (part.trim() === '') continue;
    const next = parts[index + 1] ?? '';
    const afterNext = parts[index + 2] ?? '';
    if (part.startsWith('</')) {
      depth = Math.max(0, depth - 1);
      lines.push(indented(depth, part));
    } else if (opens(part) && next.startsWith('</')) {
      lines.push(indented(depth, part + next));
      index += 1;
    } else if (opens(part) && !next.startsWith('<') && afterNext.startsWith('</')) {
      lines.push(indented(depth, part + next.trim() + afterNext));
      index += 2;
    } else {
      lines.push(indented(depth, part.trim()));
      if (opens(part)) depth += 1;
    }
  }
  return lines.join('\n');
}

function opens(part) {
  return /^<[^!?/]/.test(part) && !part.endsWith('/>') && part.endsWith('>');
}

function indented(depth, text) {
  return '  '.repeat(Math.min(depth, 40)) + text;
}

/** Bytes as hexadecimal digits and characters, 16 a line. @param {Uint8Array} bytes */
export function hexDump(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const digits = row.map((byte) => byte.toString(16).padStart(2, '0'));
    const left = digits.slice(0, 8).join(' ').padEnd(23);
    const right = digits.slice(8).join(' ').padEnd(23);
    const characters = row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${left}  ${right}  ${characters}`);
  }
  return lines.join('\n');
}

/** @param {string} base64 */
export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
