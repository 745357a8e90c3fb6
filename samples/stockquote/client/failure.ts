/**
 * A call that failed. `fault` and `transport` are what Axis2 calls an AxisFault: the service said no, or could not be
 * reached or understood; `unexpected` is an answer in which the client does not find what it asked for.
 */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  readonly kind: 'fault' | 'transport' | 'unexpected';
  /** HTTP status of the answer, if there was one. */
  readonly status: number | undefined;

  constructor(
    kind: CallFailure['kind'],
    reason: string,
    options: { readonly status?: number | undefined; readonly cause?: unknown } = {},
  ) {
    super(reason, options.cause === undefined ? {} : { cause: options.cause });
    this.kind = kind;
    this.status = options.status;
  }
}
