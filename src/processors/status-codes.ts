/** HTTP status codes, one by one and by class. */
export class StatusCodes {
  readonly #codes: ReadonlySet<number>;
  /** First digits: 4 for `4xx`. */
  readonly #classes: ReadonlySet<number>;

  constructor(codes: Iterable<number>, classes: Iterable<number>) {
    this.#codes = new Set(codes);
    this.#classes = new Set(classes);
  }

  /** Exact comparison, unlike the reference's by substring (REQ-46). */
  includes(status: number): boolean {
    return this.exactness(status) > 0;
  }

  /** 2 when the status is listed itself, 1 when its class is, 0 when neither. */
  exactness(status: number): 0 | 1 | 2 {
    if (this.#codes.has(status)) return 2;
    return this.#classes.has(Math.floor(status / 100)) ? 1 : 0;
  }
}

/** A comma list such as `404, 409, 5xx`. Entries that are neither code nor class are handed to `unreadable`. */
export function parseStatusCodes(list: string, unreadable: (entry: string) => void): StatusCodes {
  const codes: number[] = [];
  const classes: number[] = [];
  for (const part of list.split(',')) {
    const entry = part.trim();
    if (/^[1-5]\d\d$/.test(entry)) codes.push(Number(entry));
    else if (/^[1-5]xx$/i.test(entry)) classes.push(Number(entry[0]));
    else if (entry !== '') unreadable(entry);
  }
  return new StatusCodes(codes, classes);
}
