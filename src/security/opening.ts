import type { X509Certificate } from 'node:crypto';
import type { XmlElement } from '../xml/index.ts';
import type { Decrypted } from './encryption.ts';
import type { MessageKeys } from './message-keys.ts';
import type { SecurityPolicy } from './policy.ts';
import type { ReplayCache } from './replay-cache.ts';
import type { Timestamp } from './timestamp.ts';
import type { UsernameToken } from './username-token.ts';
import type { Users } from './users.ts';

/** Who sends a message: the initiator requests, the recipient responds. */
export type Sender = 'initiator' | 'recipient';

/** What the request of an exchange said, as far as its response depends on it. */
export interface RequestFacts {
  /** Of the request's signatures, which responses may have to confirm. */
  readonly signatureValues: readonly string[];
  /** Who signed it. */
  readonly signer: X509Certificate | undefined;
  /** For whom this side encrypted it: nobody else may sign the response. */
  readonly encryptedFor: X509Certificate | undefined;
  /** The secret that the request's EncryptedKey brought, and the digest by which the response names it. */
  readonly secret: { readonly sha1: string; readonly secret: Buffer } | undefined;
}

/** Of a message that nothing was done to. */
export const NO_FACTS: RequestFacts = {
  signatureValues: [],
  signer: undefined,
  encryptedFor: undefined,
  secret: undefined,
};

/** What it takes to open a message. */
export interface Opening {
  readonly policy: SecurityPolicy;
  /** Who sent the message. */
  readonly sender: Sender;
  readonly keys: MessageKeys;
  readonly users: Users;
  readonly replay: ReplayCache;
  /** Epoch ms. */
  readonly now: number;
  /** It came over TLS. */
  readonly secureTransport: boolean;
  /** Of a response: what this side's request said. */
  readonly request?: RequestFacts;
}

/** By whom an element is signed: a trusted certificate, or a secret that one of the two sides made for this exchange. */
export type SignedBy = 'certificate' | 'received secret' | 'sent secret';

/** What was found out about a message. */
export interface OpenedParts {
  readonly signed: ReadonlyMap<XmlElement, SignedBy>;
  readonly signer: X509Certificate | undefined;
  readonly decrypted: readonly Decrypted[];
  readonly timestamp: Timestamp | undefined;
  readonly usernameToken: UsernameToken | undefined;
  readonly confirmations: readonly XmlElement[];
}
