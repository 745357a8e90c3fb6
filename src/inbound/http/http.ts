import { existsSync } from 'node:fs';
import type { WrittenParameter } from '../../grammar/parameters.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { logger } from '../../logging/index.ts';
import { listenerCertificate } from '../../transport/tls.ts';
import { type InboundOpening, type InboundServices, type InboundTransport, inboundKind } from '../component.ts';
import { InboundDispatcher } from './dispatch.ts';
import { ListeningInbound, type Tls } from './listening-inbound.ts';
import { HTTP_PARAMETERS, HTTPS_PARAMETERS, type HttpParameters, type HttpsParameters } from './parameters.ts';

const log = logger('InboundHttpListener');

/** `protocol="http"`: a listener of its own. */
export const httpInbound = inboundKind({
  protocol: 'http',
  doc: 'Listens on a port of its own.',
  parameters: HTTP_PARAMETERS,
  answers: true,
  open: (opening) => httpTransport(opening, undefined),
});

/** `protocol="https"`. */
export const httpsInbound = inboundKind({
  protocol: 'https',
  doc: 'Listens on a port of its own, with TLS.',
  parameters: HTTPS_PARAMETERS,
  answers: true,
  review: (written, parameters, reader) => reviewTls(written, parameters, reader),
  open(opening) {
    return httpTransport(opening, tlsOf(opening.parameters, opening.services));
  },
});

interface OwnCertificate {
  readonly 'x.tls.key'?: string | undefined;
  readonly 'x.tls.certificate'?: string | undefined;
}

const JAVA_STORES = ['keystore', 'truststore', 'SSLVerifyClient', 'CertificateRevocationVerifier'];

/** Of the artifact's own files, else the server's. */
export function tlsOf(
  { 'x.tls.key': keyFile, 'x.tls.certificate': certificateFile }: OwnCertificate,
  services: InboundServices,
): Tls {
  const files = keyFile !== undefined && certificateFile !== undefined ? { keyFile, certificateFile } : undefined;
  return {
    key: JSON.stringify(files ?? 'server'),
    pair: () => (files ? listenerCertificate(files, '') : services.certificate()),
  };
}

/** Reports what cannot be done about certificates. */
export function reviewTls(
  written: ReadonlyMap<string, WrittenParameter>,
  { 'x.tls.key': key, 'x.tls.certificate': certificate }: OwnCertificate,
  reader: ArtifactReader,
): void {
  const own = written.get('x.tls.key') ?? written.get('x.tls.certificate');
  if (own && (key === undefined || certificate === undefined)) {
    reader.error(own.element, "parameters 'x.tls.key' and 'x.tls.certificate' belong together", {
      expected: 'the PEM files of a key and of its certificate',
    });
  }
  for (const file of [key, certificate]) {
    if (own && file !== undefined && !existsSync(file))
      reader.warning(own.element, `the file ${file} is not there yet`);
  }
  for (const name of JAVA_STORES) {
    const parameter = written.get(name);
    if (!parameter) continue;
    const serves = own ? '' : ': the certificate of the server is used';
    const what =
      name === 'keystore'
        ? `Java key stores are not read${serves}`
        : `'${name}' has no effect: clients are not asked for certificates`;
    reader.warning(parameter.element, what, {
      expected: 'x.tls.key and x.tls.certificate, PEM files',
    });
  }
}

/** A listener whose requests go to APIs, proxies and the endpoint's sequence. */
function httpTransport(
  opening: InboundOpening<HttpParameters | HttpsParameters>,
  tls: Tls | undefined,
): InboundTransport {
  const { name, entry, parameters, services, previous, written } = opening;
  if (written.get('inbound.port.offset.enable') === 'true')
    log.warn(`Inbound endpoint [${name}]: the offset of the server is not added to inbound.http.port`);
  const dispatcher = new InboundDispatcher({
    name,
    entry,
    hasSequence: entry.hasSequence,
    pattern: parameters['dispatch.filter.pattern'],
    servesApis: parameters['api.dispatching.enabled'],
    configuration: () => services.configuration(),
  });
  return new ListeningInbound({ name, port: parameters['inbound.http.port'], tls, services, previous, dispatcher });
}
