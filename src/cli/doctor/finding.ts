/** What a check has found: one line of `mini-synapse doctor`. */
export interface Finding {
  readonly status: 'ok' | 'warning' | 'wrong';
  /** What was looked at, for example `store Orders`. */
  readonly subject: string;
  /** What of it, of a store one of {@link StoreCheck}. */
  readonly check?: StoreCheck;
  readonly text: string;
}

/** What is looked at of every store (OP-19). */
export const STORE_CHECKS = [
  'reachability',
  'credentials',
  'heart-beat',
  'prefetch',
  'persistence',
  'size limits',
  'dead-letter target',
  'delivery limit',
  'clock skew',
] as const;
export type StoreCheck = (typeof STORE_CHECKS)[number];

export function ok(subject: string, text: string, check?: StoreCheck): Finding {
  return { status: 'ok', subject, ...(check && { check }), text };
}

export function warning(subject: string, text: string, check?: StoreCheck): Finding {
  return { status: 'warning', subject, ...(check && { check }), text };
}

export function wrong(subject: string, text: string, check?: StoreCheck): Finding {
  return { status: 'wrong', subject, ...(check && { check }), text };
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Was it the credentials, or did nobody answer? */
export function checkOf(error: unknown): StoreCheck {
  return (error as { readonly failure?: unknown } | null)?.failure === 'refused' ? 'credentials' : 'reachability';
}
