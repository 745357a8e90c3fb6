/** An evaluation that failed. */
export class XPathError extends Error {
  override readonly name = 'XPathError';
}

/** An expression that is not XPath 1.0. */
export class XPathSyntaxError extends Error {
  override readonly name = 'XPathSyntaxError';
  /** Where in the expression it stops making sense, from 1; undefined where that is not known. */
  readonly column: number | undefined;

  constructor(message: string, column?: number, options?: ErrorOptions) {
    super(column === undefined ? message : `${message} at column ${column}`, options);
    this.column = column;
  }
}
