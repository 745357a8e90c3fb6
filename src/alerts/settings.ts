import type { AlertKind } from './alert.ts';

/** A web hook as `[[alerts.webhook]]` says it. */
export interface HookSettings {
  readonly name: string;
  readonly url: string | undefined;
  /** The alias of the secret that is the URL: those of chat systems let everybody write who knows them. */
  readonly urlSecret: string | undefined;
  readonly kinds: readonly AlertKind[];
  /** A header that proves who calls; `secret` is the alias of its value. */
  readonly header: { readonly name: string; readonly secret: string } | undefined;
}

export interface AlertSettings {
  readonly hooks: readonly HookSettings[];
  /** What one attempt may take, ms. */
  readonly deadlineMs: number;
  /** Attempts for one alert. */
  readonly attempts: number;
  /** Alerts that wait for one hook at most. */
  readonly queue: number;
}
