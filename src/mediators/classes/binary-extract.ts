import { decodeText } from '../../message/charset.ts';
import { formatPayload } from '../../message/formatter.ts';
import { type BuiltInClass, integerProperty } from './built-in-class.ts';

/**
 * The class of sample 381 (stockquote-samples 3.1): takes `length` bytes of a binary payload, the first one being number `offset`
 * counted from 1, and keeps them as text in the property `variableName`.
 */
export const binaryExtract: BuiltInClass = {
  className: 'samples.mediators.BinaryExtractMediator',
  properties: ['offset', 'length', 'variableName', 'binaryEncoding'],
  open: () => (message, properties) => {
    const start = Math.max(0, integerProperty(properties, 'offset', 0) - 1);
    const length = integerProperty(properties, 'length', 0);
    const name = properties.get('variableName')?.trim();
    if (!name) throw new Error("property 'variableName' is missing");
    const bytes = formatPayload(message.payload).bytes ?? new Uint8Array(0);
    if (bytes.length <= start) throw new Error(`the payload has ${bytes.length} bytes, none at offset ${start + 1}`);
    const part = bytes.subarray(start, start + length);
    message.properties.set(name, decodeText(part, properties.get('binaryEncoding') || 'utf-8', { lenient: true }));
    return true;
  },
};
