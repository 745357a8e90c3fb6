import type { LogRecord } from './logger.ts';

/** A log event as NDJSON and the management API show it (OP-70); members that it does not have are left out. */
export interface ShownRecord {
  /** ISO 8601. */
  readonly time: string;
  readonly level: string;
  readonly logger: string;
  readonly message: string;
  readonly artifact?: { readonly kind?: string; readonly name: string };
  /** Where the mediator stands, or what the line is about. */
  readonly file?: string;
  readonly line?: number;
  readonly messageId?: string;
  readonly store?: string;
  readonly processor?: string;
  readonly attempt?: number;
  readonly endpoint?: string;
  readonly status?: number;
  readonly cause?: string;
}

/** Details that have no member of their own stand beside the others. */
export function shownRecord({ time, level, category, message, details }: LogRecord): ShownRecord {
  const { artifactKind, artifact, ...others } = details;
  return {
    time: new Date(time).toISOString(),
    level,
    logger: category,
    message,
    ...(artifact !== undefined && {
      artifact: { ...(artifactKind !== undefined && { kind: String(artifactKind) }), name: String(artifact) },
    }),
    ...(others as Partial<ShownRecord>),
  };
}
