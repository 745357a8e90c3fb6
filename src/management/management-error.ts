import { nearestName } from '../grammar/diagnostic.ts';
import type { JsonAnswer, JsonSchema } from './resource.ts';

/** What can be said besides the text of an error. */
export interface ErrorMore {
  readonly didYouMean?: string | undefined;
  readonly details?: readonly string[] | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the body. */
  readonly also?: Readonly<Record<string, unknown>>;
}

/** A request that is refused, with the status and text that its sender is told. */
export class ManagementError extends Error {
  override readonly name = 'ManagementError';
  readonly status: number;
  readonly more: ErrorMore;

  constructor(status: number, message: string, more: ErrorMore = {}, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.more = more;
  }

  /** `{"Error":"…"}` (spec proxies 8.1) with what helps to do it right; without a text no body. */
  toAnswer(): JsonAnswer {
    const { didYouMean, details, headers, also } = this.more;
    const body = this.message !== '' && {
      Error: this.message,
      ...(didYouMean !== undefined && { didYouMean }),
      ...(details !== undefined && details.length > 0 && { details }),
      ...also,
    };
    return { status: this.status, body: body || undefined, ...(headers && { headers }) };
  }
}

/** 404 for a name that nothing has, with the nearest one that there is. */
export function notFound(message: string, name: string, known: Iterable<string>): ManagementError {
  return new ManagementError(404, message, { didYouMean: nearestName(name, known) });
}

/** The schema of every error's body. */
export const ERROR = {
  type: 'object',
  required: ['Error'],
  properties: {
    Error: { type: 'string' },
    didYouMean: { type: 'string' },
    details: { type: 'array', items: { type: 'string' } },
  },
} as const satisfies JsonSchema;
