import { javaDouble } from '../../message/property-value.ts';

/** Column types whose values Java prints in a way of its own. */
export type JavaType = 'boolean' | 'double' | 'timestamp' | 'bits';

/**
 * A column's value as the text that the reference's `toString()` of what JDBC gives would be (spec mediators 3.31): `200.0` for a double,
 * `true` for a flag, `2024-05-01 10:00:00.0` for a timestamp. Null stays null.
 */
export function javaText(value: unknown, type: JavaType | undefined): string | null {
  if (value === null || value === undefined) return null;
  switch (type) {
    case 'boolean':
      return String(isTrue(value));
    case 'double':
      return javaDouble(Number(value));
    case 'timestamp':
      return String(value).includes('.') ? String(value) : `${String(value)}.0`;
    case 'bits':
      return value instanceof Uint8Array
        ? String(BigInt(`0x${Buffer.from(value).toString('hex') || '0'}`))
        : String(value);
    default:
      return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : String(value);
  }
}

function isTrue(value: unknown): boolean {
  if (value instanceof Uint8Array) return value.some((byte) => byte !== 0);
  return value === true || value === 't' || value === 'true' || Number(value) === 1;
}
