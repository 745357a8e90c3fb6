import type { Position } from '../grammar/diagnostic.ts';
import type { ParametersOf, ParameterTypes, WrittenParameter } from '../grammar/parameters.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { Configuration } from '../message/configuration.ts';
import type { StoreServices } from '../stores/component.ts';
import type { CertificatePair } from '../transport/certificate.ts';
import type { ListenerLimits } from '../transport/http-listener.ts';
import type { MessageEntry } from './entry.ts';
import type { RunningTransports } from './running-transports.ts';

/** What the server lends to inbound endpoints and to the message transports of proxies. */
export interface InboundServices {
  /** What is served at this moment. */
  configuration(): Configuration;
  /** `SynapseConfig.ServerName`, for `pinnedServers`. */
  readonly serverName: string;
  /** Where HTTP inbound endpoints listen. */
  readonly host: string;
  readonly limits: Partial<ListenerLimits>;
  /** The server's own key and certificate. @throws TlsFilesError */
  certificate(): Promise<CertificatePair>;
  /** Brokers: deadlines, trusted certificates, STOMP addresses. */
  readonly stores: StoreServices;
  /** Starts and stops what takes messages in. */
  readonly running: RunningTransports;
}

/** The running side of one inbound endpoint: what listens, receives or polls. */
export interface InboundTransport {
  /** Begins to take messages in. Never rejects: what is not there yet is tried again, with a back-off. */
  start(): Promise<void>;
  /**
   * Takes nothing in any more, lets what is in hand end, gives back what has not ended after so many ms. Idempotent, never rejects.
   */
  stop(deadlineMs: number): Promise<void>;
}

/** What `open` may use besides its parameters. */
export interface InboundOpening<P extends ParameterTypes> {
  readonly name: string;
  readonly entry: MessageEntry;
  readonly parameters: ParametersOf<P>;
  /** All parameters as written (trimmed), also unknown ones. */
  readonly written: ReadonlyMap<string, string>;
  readonly services: InboundServices;
  /** What it replaces, if that is of the same kind. */
  readonly previous: InboundTransport | undefined;
}

/** A kind of inbound endpoint, declared in one file: its protocol, its parameters, its opening. */
export interface InboundKind {
  readonly protocol: string;
  readonly doc: string;
  readonly parameters: ParameterTypes;
  /** Takes requests that wait for an answer, and can do without a sequence. */
  readonly answers: boolean;
  /** Optional packages that it cannot work without. */
  readonly packages?: readonly string[];
  /** Looks at the parameters as a whole; reports errors and warnings. */
  review?(
    written: ReadonlyMap<string, WrittenParameter>,
    parameters: ParametersOf<ParameterTypes>,
    reader: ArtifactReader,
  ): void;
  /** Makes the transport, at rest; waits for nothing. @throws when it cannot work with these parameters */
  open(opening: InboundOpening<ParameterTypes>): InboundTransport;
}

/** Declares a kind of inbound endpoint. */
export function inboundKind<const P extends ParameterTypes>(declaration: {
  protocol: string;
  doc: string;
  parameters: P;
  answers: boolean;
  packages?: readonly string[];
  review?(written: ReadonlyMap<string, WrittenParameter>, parameters: ParametersOf<P>, reader: ArtifactReader): void;
  open(opening: InboundOpening<P>): InboundTransport;
}): InboundKind {
  return declaration as unknown as InboundKind;
}

/** An `<inboundEndpoint>` as read from its artifact (spec proxies 6.6). */
export interface InboundEndpointDefinition {
  readonly name: string;
  readonly position: Position;
  readonly kind: InboundKind;
  readonly sequence: string | undefined;
  readonly onError: string | undefined;
  /** `suspend="true"`: deployed, and takes nothing in. */
  readonly suspended: boolean;
  readonly pinnedServers: readonly string[];
  readonly parameters: ParametersOf<ParameterTypes>;
  readonly written: ReadonlyMap<string, string>;
}
