import { randomUUID } from 'node:crypto';

const TIME_DIGITS = 12;
/** Of a random UUID: what comes behind its version. */
const RANDOM_FROM = 15;

let beginsAt = Number.NaN;
let begin = '';

/**
 * The id of a message that is stored now (epoch ms): a UUID that begins with the time (version 7 of RFC 9562). Messages that are stored one after the other
 * are neighbours in a table's index over the ids; of random ones each is written into a page of its own.
 */
export function newStoredId(now: number): string {
  if (now !== beginsAt) {
    const time = now.toString(16).padStart(TIME_DIGITS, '0');
    begin = `urn:uuid:${time.slice(0, 8)}-${time.slice(8)}-7`;
    beginsAt = now;
  }
  return begin + randomUUID().slice(RANDOM_FROM);
}
