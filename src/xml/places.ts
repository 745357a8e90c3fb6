import { XmlLimitError, XmlSyntaxError } from './syntax-error.ts';

/** Lines and columns of a text, both from 1; columns in UTF-16 code units. */
export class Places {
  readonly #text: string;
  #lineStart = 0;
  #nextLineFeed: number;
  /** Of the offset that {@link moveTo} was told last. */
  line = 1;
  column = 1;

  constructor(text: string) {
    this.#text = text;
    this.#nextLineFeed = text.indexOf('\n');
  }

  /** Sets {@link line} and {@link column}; offsets must not descend, so that a whole document costs one pass. */
  moveTo(offset: number): void {
    while (this.#nextLineFeed !== -1 && this.#nextLineFeed < offset) {
      this.line += 1;
      this.#lineStart = this.#nextLineFeed + 1;
      this.#nextLineFeed = this.#text.indexOf('\n', this.#lineStart);
    }
    this.column = offset - this.#lineStart + 1;
  }

  /** What is wrong at an offset. */
  error(message: string, offset: number): XmlSyntaxError {
    return new XmlSyntaxError(message, ...this.#placeOf(offset));
  }

  /** What is too much at an offset. */
  limitError(message: string, offset: number): XmlLimitError {
    return new XmlLimitError(message, ...this.#placeOf(offset));
  }

  #placeOf(offset: number): [line: number, column: number] {
    const before = this.#text.slice(0, offset);
    return [before.split('\n').length, offset - before.lastIndexOf('\n')];
  }
}
