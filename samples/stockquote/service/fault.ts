/** What an operation or the dispatcher answers instead of a result (stockquote-samples 1.9). */
export interface FaultOptions {
  /** `client`: the request is to blame (unknown service or operation); `server` for everything else. */
  readonly code?: 'client' | 'server';
  /** XML of the one element in the fault's detail; none by default. */
  readonly detail?: string;
  /** The WS-Addressing action of the fault, when the operation declares one. */
  readonly action?: string;
  readonly cause?: unknown;
}

/** A fault on its way to the client. The message is the reason that the client reads. */
export class ServiceFault extends Error {
  readonly code: 'client' | 'server';
  readonly detail: string;
  readonly action: string | undefined;

  constructor(reason: string, options: FaultOptions = {}) {
    super(reason, { cause: options.cause });
    this.name = 'ServiceFault';
    this.code = options.code ?? 'server';
    this.detail = options.detail ?? '';
    this.action = options.action;
  }
}

/** The fault of Java's reflective call when the service method died without a message of its own. */
export function invocationFault(operation: string): ServiceFault {
  return new ServiceFault(`Exception occurred while trying to invoke service method ${operation}`);
}
