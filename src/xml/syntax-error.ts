/** Text that is not well-formed XML, or that goes beyond a limit (OP-91, OP-92). */
export class XmlSyntaxError extends Error {
  override readonly name = 'XmlSyntaxError';
  /** Counts from 1. */
  readonly line: number;
  /** In UTF-16 code units, counts from 1. */
  readonly column: number;

  constructor(message: string, line: number, column: number, options?: ErrorOptions) {
    super(message, options);
    this.line = line;
    this.column = column;
  }
}
