import type { Configuration } from '../message/configuration.ts';

declare module '../message/configuration.ts' {
  interface Services {
    /** Absent: {@link DEFAULT_LIMITS}. */
    isolation?: IsolationLimits;
  }
}

/** What one run of user code may use up. */
export interface IsolationLimits {
  /** ms that a script or a mapping may run. */
  readonly scriptMs: number;
  /** ms that a stylesheet or a query may run. */
  readonly transformMs: number;
}

export const DEFAULT_LIMITS: IsolationLimits = { scriptMs: 5_000, transformMs: 10_000 };

export function limitsOf({ services }: Configuration): IsolationLimits {
  return services.isolation ?? DEFAULT_LIMITS;
}
