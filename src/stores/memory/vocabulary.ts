/** Longer texts are no words: they hardly ever come again, and would make the vocabulary large. */
const LONGEST_WORD = 128;
const MOST_WORDS = 4096;
const MOST_CANDIDATES = 4096;

/**
 * Texts that come again in message after message (names of headers and properties, media types, addresses), each kept once. A text
 * becomes a word when it is seen for the second time, so that what differs in every message never gets in. It only grows, up to a
 * bound of some hundred KB; what comes later stays text.
 */
export class Vocabulary {
  readonly #indexes = new Map<string, number>();
  /** From 1 on. */
  readonly #words: string[] = [''];
  /** Seen once; forgotten all at once when there are too many. */
  readonly #candidates = new Set<string>();

  /** The number of a word, from 1 on; undefined for a text that is none (yet). */
  indexOf(text: string): number | undefined {
    const known = this.#indexes.get(text);
    if (known !== undefined || text.length > LONGEST_WORD || this.#words.length > MOST_WORDS) return known;
    if (this.#candidates.delete(text)) return this.#add(text);
    if (this.#candidates.size >= MOST_CANDIDATES) this.#candidates.clear();
    this.#candidates.add(text);
    return undefined;
  }

  /** @throws Error for a number that was never given */
  wordAt(index: number): string {
    const word = this.#words[index];
    if (word === undefined) throw new Error(`the vocabulary has no word ${index}`);
    return word;
  }

  #add(text: string): number {
    const index = this.#words.length;
    this.#words.push(text);
    this.#indexes.set(text, index);
    return index;
  }
}
