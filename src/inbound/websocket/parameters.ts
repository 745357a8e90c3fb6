import { integer, javaBoolean, nonEmptyText, oneOf, text, ValueError, valueType } from '../../grammar/attributes.ts';
import { HTTP_PARAMETERS, HTTPS_PARAMETERS } from '../http/parameters.ts';

const NO_EFFECT = 'Has no effect: there are no threads to be set up.';
const DEFAULT_CLIENTS = 1_000;
const DEFAULT_PING_MS = 30_000;
const DEFAULT_CONCURRENCY = 5;
const MAX_CONCURRENCY = 64;
/** A server that goes away (RFC 6455, 7.4.1). */
const GOING_AWAY = 1001;
const MAX_REASON_BYTES = 123;

const javaHandlers = (doc: string) =>
  valueType(
    'nothing',
    (value) => {
      if (value.trim() === '') return undefined;
      throw new ValueError('Java classes are not run', 'sub-protocols by their names, in x.subprotocols');
    },
    { doc },
  );

/** A status that an application may close with (RFC 6455, 7.4.2). */
const closeStatus = valueType(
  'a status to close with',
  (value) => {
    const status = Number(value.trim());
    const allowed =
      /^\d{4}$/.test(value.trim()) && (status >= 3_000 ? status < 5_000 : [1000, 1001, 1011, 1012].includes(status));
    if (allowed) return status;
    throw new ValueError(
      `'${value}' is no status that a server may close with`,
      '1000, 1001, 1011, 1012 or 3000 to 4999',
    );
  },
  { default: GOING_AWAY, doc: 'The status that clients are told when the endpoint is closed.' },
);

/** What frames and clients have in common, whichever port they come in by. */
export const CLIENT_PARAMETERS = {
  'ws.client.side.broadcast.level': oneOf(['0', '1', '2'], {
    default: '0',
    doc: 'Who is sent a frame: the client (0), all clients on its path (1), all of them but the client (2).',
  }),
  'ws.default.content.type': text({
    doc: 'The media type of frames; default: what their first characters look like, application/octet-stream for binary ones.',
  }),
  'ws.shutdown.status.code': closeStatus,
  'ws.shutdown.status.message': valueType(
    `text of at most ${MAX_REASON_BYTES} bytes`,
    (value) => {
      if (Buffer.byteLength(value) <= MAX_REASON_BYTES) return value;
      throw new ValueError('is too long', `at most ${MAX_REASON_BYTES} bytes`);
    },
    { default: 'the endpoint was closed', doc: 'The reason that clients are told then.' },
  ),
  'ws.subprotocol.handler.class': javaHandlers('Not supported: see x.subprotocols.'),
  'ws.pipeline.handler.class': javaHandlers('Not supported.'),
  'ws.handshake.handler.class': javaHandlers('Not supported.'),
  'ws.boss.thread.pool.size': text({ doc: NO_EFFECT }),
  'ws.worker.thread.pool.size': text({ doc: NO_EFFECT }),
  'ws.use.port.offset': javaBoolean({ default: false, doc: 'The offset of the server is never added here.' }),
  sequential: javaBoolean({
    default: true,
    doc: '`true`: the frames of a client go through their flows one after another.',
  }),
  coordination: javaBoolean({ default: true, doc: 'Has no effect: every node listens.' }),
  'x.concurrency': integer({
    minimum: 1,
    maximum: MAX_CONCURRENCY,
    default: DEFAULT_CONCURRENCY,
    doc: 'How many frames of a client are in flows at once when it is not sequential.',
  }),
  'x.subprotocols': text({
    doc: 'Sub-protocols that clients may ask for, separated by commas.',
  }),
  'x.max.connections': integer({
    minimum: 1,
    default: DEFAULT_CLIENTS,
    doc: 'Clients at one time; more are answered 503.',
  }),
  'x.ping.interval': integer({
    minimum: 100,
    default: DEFAULT_PING_MS,
    doc: 'ms between pings; a client that has not answered one by the next is disconnected.',
  }),
} as const;

/** The parameters of `ws` inbound endpoints. */
export const WS_PARAMETERS = {
  ...CLIENT_PARAMETERS,
  'inbound.ws.port': integer({
    required: true,
    minimum: 0,
    maximum: 65_535,
    missing: "Inbound endpoint '{artifact}': parameter 'inbound.ws.port' is required",
    doc: 'The port it listens on; 0 takes any free one.',
  }),
  'ws.outflow.dispatch.sequence': nonEmptyText({
    doc: 'The sequence for frames that back ends send; default: they go to the client as they are.',
  }),
  'ws.outflow.dispatch.fault.sequence': nonEmptyText({ doc: 'The sequence that handles faults of those.' }),
} as const;

const JAVA_KEYS = 'Java key stores are not read here: see x.tls.key and x.tls.certificate.';

/** Those of `wss`. */
export const WSS_PARAMETERS = {
  ...WS_PARAMETERS,
  'x.tls.key': HTTPS_PARAMETERS['x.tls.key'],
  'x.tls.certificate': HTTPS_PARAMETERS['x.tls.certificate'],
  'wss.ssl.key.store.file': text({ doc: JAVA_KEYS }),
  'wss.ssl.key.store.pass': text({ doc: JAVA_KEYS }),
  'wss.ssl.trust.store.file': text({ doc: 'Has no effect: clients are not asked for certificates.' }),
  'wss.ssl.trust.store.pass': text({ doc: 'Has no effect: clients are not asked for certificates.' }),
  'wss.ssl.cert.pass': text({ doc: JAVA_KEYS }),
  'wss.ssl.protocols': text({ doc: 'TLS 1.2 and 1.3 are spoken.' }),
  'wss.ssl.cipher.suites': text({ doc: 'The ciphers are chosen here.' }),
} as const;

/** The parameters of `httpws` inbound endpoints: HTTP and WebSocket on one port. */
export const HTTP_WS_PARAMETERS = {
  ...CLIENT_PARAMETERS,
  port: integer({
    required: true,
    minimum: 0,
    maximum: 65_535,
    missing: "Inbound endpoint '{artifact}': parameter 'port' is required",
    doc: 'The port it listens on; 0 takes any free one.',
  }),
  'dispatch.filter.pattern': HTTP_PARAMETERS['dispatch.filter.pattern'],
  'api.dispatching.enabled': HTTP_PARAMETERS['api.dispatching.enabled'],
  protocolVersion: text({ doc: 'HTTP/1.1 is spoken, whatever is written here.' }),
  SessionTimeout: text({ doc: 'Accepted for compatibility.' }),
  HandshakeTimeout: text({ doc: 'Accepted for compatibility.' }),
} as const;

/** Those of `httpswss`. */
export const HTTPS_WSS_PARAMETERS = {
  ...HTTP_WS_PARAMETERS,
  'x.tls.key': HTTPS_PARAMETERS['x.tls.key'],
  'x.tls.certificate': HTTPS_PARAMETERS['x.tls.certificate'],
  keystore: HTTPS_PARAMETERS.keystore,
  truststore: HTTPS_PARAMETERS.truststore,
  SSLVerifyClient: HTTPS_PARAMETERS.SSLVerifyClient,
  CertificateRevocationVerifier: HTTPS_PARAMETERS.CertificateRevocationVerifier,
  certificateRevocationVerifier: HTTPS_PARAMETERS.CertificateRevocationVerifier,
  SSLProtocol: HTTPS_PARAMETERS.SSLProtocol,
  HttpsProtocols: HTTPS_PARAMETERS.HttpsProtocols,
  PreferredCiphers: HTTPS_PARAMETERS.PreferredCiphers,
  HostnameVerifier: text({ doc: 'Accepted for compatibility.' }),
} as const;
