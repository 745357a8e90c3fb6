/** What a check has found: one line of `mini-synapse doctor`. */
export interface Finding {
  readonly status: 'ok' | 'warning' | 'wrong';
  /** What was looked at, for example `store Orders`. */
  readonly subject: string;
  readonly text: string;
}

export function ok(subject: string, text: string): Finding {
  return { status: 'ok', subject, text };
}

export function warning(subject: string, text: string): Finding {
  return { status: 'warning', subject, text };
}

export function wrong(subject: string, text: string): Finding {
  return { status: 'wrong', subject, text };
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
