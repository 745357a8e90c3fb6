import { compileWholeMatch, type WholeMatch } from '../../expressions/regex.ts';
import { integer, javaBoolean, nonEmptyText, text, valueType } from '../../grammar/attributes.ts';

const pattern = valueType<WholeMatch, { doc: string }>(
  'a Java regular expression',
  (written) => compileWholeMatch(written),
  { doc: 'Requests whose whole path matches go to REST APIs and proxy services; all others to the sequence.' },
);

const NO_EFFECT = 'Has no effect: there are no threads to be set up.';

/** The parameters of HTTP inbound endpoints (spec proxies 2.1, 6.6). */
export const HTTP_PARAMETERS = {
  'inbound.http.port': integer({
    required: true,
    minimum: 0,
    maximum: 65_535,
    missing: "Inbound endpoint '{artifact}': parameter 'inbound.http.port' is required",
    doc: 'The port it listens on; 0 takes any free one.',
  }),
  'dispatch.filter.pattern': pattern,
  'api.dispatching.enabled': javaBoolean({
    default: false,
    doc: 'Requests for REST APIs that are bound to no inbound endpoint are served here, too.',
  }),
  'inbound.port.offset.enable': javaBoolean({ default: false, doc: 'The offset of the server is never added here.' }),
  'inbound.worker.pool.size.core': text({ doc: NO_EFFECT }),
  'inbound.worker.pool.size.max': text({ doc: NO_EFFECT }),
  'inbound.worker.pool.queue.length': text({ doc: NO_EFFECT }),
  'inbound.worker.thread.keep.alive.sec': text({ doc: NO_EFFECT }),
  'inbound.thread.group.id': text({ doc: NO_EFFECT }),
  'inbound.thread.id': text({ doc: NO_EFFECT }),
  'client.authentication': text({ doc: 'Accepted for compatibility.' }),
} as const;

/** Those of HTTPS inbound endpoints. */
export const HTTPS_PARAMETERS = {
  ...HTTP_PARAMETERS,
  'x.tls.key': nonEmptyText({ doc: 'The PEM file with the key; default: the key of the server.' }),
  'x.tls.certificate': nonEmptyText({ doc: 'The PEM file with its certificate.' }),
  keystore: text({ doc: 'Cannot be read here: see x.tls.key and x.tls.certificate.' }),
  truststore: text({ doc: 'Cannot be read here: clients are not asked for certificates.' }),
  SSLVerifyClient: text({ doc: 'Clients are not asked for certificates.' }),
  CertificateRevocationVerifier: text({ doc: 'Clients are not asked for certificates.' }),
  SSLProtocol: text({ doc: 'TLS 1.2 and 1.3 are spoken.' }),
  HttpsProtocols: text({ doc: 'TLS 1.2 and 1.3 are spoken.' }),
  PreferredCiphers: text({ doc: 'The ciphers are chosen here.' }),
} as const;

export type HttpParameters = typeof HTTP_PARAMETERS;
export type HttpsParameters = typeof HTTPS_PARAMETERS;
