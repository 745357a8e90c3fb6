import type { Configuration } from '../message/configuration.ts';

/** What the management API sees of the server. */
export interface ManagedServer {
  /** The configuration that is served now. */
  configuration(): Configuration;
  /** Artifacts that could not be deployed, with the text of their diagnostics. */
  faultyArtifacts(): ReadonlyArray<{ readonly file: string; readonly problems: readonly string[] }>;
  /** Where messages are taken in. */
  listening(): ReadonlyArray<{ readonly scheme: 'http' | 'https'; readonly host: string; readonly port: number }>;
}

export interface ManagementRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
  readonly crossOrigin: boolean;
}

/** What a resource answers; the body is written as JSON. */
export interface ManagementAnswer {
  readonly status: number;
  readonly body: unknown;
}
