/** Characters: what is wrong with a name may be that it has millions of them. */
const LONGEST_MESSAGE = 300;

/** Text that is not well-formed XML, or that goes beyond a limit (OP-91, OP-92). */
export class XmlSyntaxError extends Error {
  override readonly name: string = 'XmlSyntaxError';
  /** Counts from 1. */
  readonly line: number;
  /** In UTF-16 code units, counts from 1. */
  readonly column: number;

  constructor(message: string, line: number, column: number, options?: ErrorOptions) {
    super(message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message, options);
    this.line = line;
    this.column = column;
  }
}

/** Well-formed as far as it was read, but larger than a document may be: too many nodes or attributes, too deep (OP-91). */
export class XmlLimitError extends XmlSyntaxError {
  override readonly name: string = 'XmlLimitError';
}
