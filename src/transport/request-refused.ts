/** A request that is refused before anyone sees it, with the status that says why. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
  readonly status: number;
  /** The client sends nothing more: it is silent, or has said all it had to say. */
  readonly nothingMoreComes: boolean;

  constructor(status: number, reason: string, nothingMoreComes = false) {
    super(reason);
    this.status = status;
    this.nothingMoreComes = nothingMoreComes;
  }
}

/** The client closed the connection in the middle of its request. */
export class RequestCutOff extends Error {
  override readonly name = 'RequestCutOff';
}

export function bodyTooLarge(maxBytes: number): RequestRefused {
  return new RequestRefused(413, `The request body is larger than ${maxBytes} bytes`);
}

export function bodyTooSlow(what: string): RequestRefused {
  return new RequestRefused(408, `The request was not complete in time: ${what}`, true);
}

export function tooMuchHeld(): RequestRefused {
  return new RequestRefused(503, 'The server holds as many requests as it can; try again');
}
