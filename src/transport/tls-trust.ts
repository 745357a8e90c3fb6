import { type ConnectionOptions, checkServerIdentity, createSecureContext, rootCertificates } from 'node:tls';
import type { buildConnector as Connectors } from 'undici';
import { logger } from '../logging/index.ts';

const log = logger('HttpSender');

/** Whom the sender trusts (spec proxies 2.4, REQ-19). */
export interface TlsTrust {
  /** PEM certificates that are trusted besides the usual authorities. */
  readonly ca?: readonly string[];
  /**
   * How host names are compared with certificates: `Strict` and absent verify as browsers do, `DefaultAndLocalhost` also accepts
   * any certificate for localhost, `AllowAll` does not compare.
   */
  readonly hostnameVerifier?: 'Strict' | 'DefaultAndLocalhost' | 'AllowAll';
  /** True accepts certificates that nobody vouches for. Only for experiments; said in the log. */
  readonly trustAnyCertificate?: boolean;
}

/** Verification is on unless switched off in so many words. One context for all connections: parsing the authorities costs ms. */
export function trustOptions({ ca = [], hostnameVerifier, trustAnyCertificate }: TlsTrust): Connectors.BuildOptions {
  const options: ConnectionOptions = {
    minVersion: 'TLSv1.2',
    secureContext: createSecureContext({
      minVersion: 'TLSv1.2',
      ...(ca.length > 0 && { ca: [...rootCertificates, ...ca] }),
    }),
    rejectUnauthorized: trustAnyCertificate !== true,
  };
  if (hostnameVerifier === 'AllowAll') options.checkServerIdentity = () => undefined;
  if (hostnameVerifier === 'DefaultAndLocalhost') {
    options.checkServerIdentity = (host, certificate) =>
      LOCAL_NAMES.has(host) ? undefined : checkServerIdentity(host, certificate);
  }
  if (trustAnyCertificate)
    log.warn('Certificates of back ends are not verified: anyone on the way can read and change messages');
  if (hostnameVerifier === 'AllowAll') log.warn('Host names in certificates of back ends are not verified (AllowAll)');
  return options as Connectors.BuildOptions;
}

const LOCAL_NAMES = new Set(['localhost', 'localhost.localdomain', '127.0.0.1', '::1']);
