/** One value of a DER encoding. */
export interface DerValue {
  readonly tag: number;
  /** What stands in it. */
  readonly content: Buffer;
  /** Tag, length and content. */
  readonly whole: Buffer;
}

export const DER_TAGS = { octetString: 0x04, objectIdentifier: 0x06, sequence: 0x30 } as const;

/** What is no DER, or not what was looked for in it. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/**
 * The values that stand one after the other in a text of bytes.
 * @throws DerError
 */
export function readDer(bytes: Buffer): DerValue[] {
  const values: DerValue[] = [];
  let at = 0;
  while (at < bytes.length) {
    const value = readValue(bytes.subarray(at));
    values.push(value);
    at += value.whole.length;
  }
  return values;
}

function readValue(bytes: Buffer): DerValue {
  const tag = bytes[0];
  const first = bytes[1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f)
    throw new DerError('truncated or unknown DER tag');
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 4 || bytes.length < 2 + lengthBytes)
    throw new DerError('DER length not understood');
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes);
  const start = 2 + lengthBytes;
  if (bytes.length < start + length) throw new DerError('truncated DER value');
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(0, start + length) };
}
