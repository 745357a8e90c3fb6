/**
 * What somebody may want to be told of (OP-24): a processor's change of state, one that is stuck or is so no more, a store that is out of
 * reach or back, an artifact that could not be deployed or is right again.
 */
export const ALERT_KINDS = ['processor', 'stuck', 'store', 'artifact'] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

export interface Alert {
  /** `test`: somebody tries a web hook. */
  readonly kind: AlertKind | 'test';
  /** Of the processor or store, or the artifact's file. */
  readonly name: string;
  readonly state: string;
  /** Undefined: it was not known before. */
  readonly before?: string | undefined;
  /** Why, without secrets. */
  readonly reason?: string | undefined;
  /** Is it something to look after, and not the end of that? */
  readonly bad: boolean;
  /** Epoch ms. */
  readonly time: number;
}

/** One sentence, for people. */
export function alertText({ kind, name, state, reason }: Alert): string {
  const why = reason === undefined ? '' : `: ${reason}`;
  const what = state.toLowerCase().replaceAll('_', ' ');
  switch (kind) {
    case 'processor':
      return `Message processor ${name} is ${what}${why}`;
    case 'stuck':
      return state === 'STUCK'
        ? `Message processor ${name} is stuck${why}`
        : `Message processor ${name} is not stuck any more`;
    case 'store':
      return `Message store ${name} is ${what}${why}`;
    case 'artifact':
      return state === 'FAULTY' ? `${name} could not be deployed${why}` : `${name} is right again`;
    case 'test':
      return 'This is a test: alerts of mini-synapse arrive here';
  }
}

/** The JSON that web hooks are sent; `text` is what chat systems show. */
export function alertBody(alert: Alert, server: string): string {
  const { kind, name, state, before, reason, bad, time } = alert;
  return JSON.stringify({
    text: `[${server}] ${alertText(alert)}`,
    event: kind,
    name,
    state,
    ...(before !== undefined && { before }),
    ...(reason !== undefined && { reason }),
    severity: bad ? 'problem' : 'resolved',
    server,
    time: new Date(time).toISOString(),
  });
}
