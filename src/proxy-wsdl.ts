import type { ProxyService } from './mediation/proxy-service.ts';
import type { Configuration } from './message/configuration.ts';
import { MediationError } from './message/errors.ts';
import { readResource } from './registry/resource-files.ts';
import { parseXml, type XmlElement, XmlSyntaxError } from './xml/index.ts';

/** How long `?wsdl` waits for a WSDL that stands elsewhere. */
const FETCH_TIMEOUT_MS = 20_000;
const fetched = new WeakMap<ProxyService, XmlElement>();

/**
 * The WSDL that a proxy publishes (spec proxies 1.1, 1.2); undefined when it has none and one is to be generated. A WSDL behind a
 * URI or an endpoint is fetched when it is first asked for, so that no deployment waits for another server.
 * @throws MediationError when it cannot be had
 */
export async function proxyWsdl(proxy: ProxyService, configuration: Configuration): Promise<XmlElement | undefined> {
  const source = proxy.definition.publishWsdl?.source;
  if (!source) return undefined;
  if (source.kind === 'inline') return source.wsdl;
  if (source.kind === 'key') return wsdlOfEntry(source.value, configuration);
  const known = fetched.get(proxy);
  if (known) return known;
  const uri = source.kind === 'uri' ? source.value : endpointWsdl(source.value, configuration);
  const wsdl = await fetchWsdl(uri, configuration);
  fetched.set(proxy, wsdl);
  return wsdl;
}

function wsdlOfEntry(key: string, configuration: Configuration): XmlElement {
  const xml = configuration.find('localEntry', key)?.xml;
  if (!xml) throw new MediationError(`The WSDL with the key ${key} is no local entry with XML`);
  return xml;
}

/** An address endpoint's WSDL is asked for at `<address>?wsdl`; a WSDL endpoint's address is its WSDL's. */
function endpointWsdl(key: string, configuration: Configuration): string {
  const endpoint = configuration.find('endpoint', key);
  const address = endpoint?.describe().address;
  if (!endpoint || address === undefined)
    throw new MediationError(`The endpoint ${key} has no address to get a WSDL from`);
  return endpoint.kind === 'wsdl' ? address : `${address}?wsdl`;
}

async function fetchWsdl(uri: string, configuration: Configuration): Promise<XmlElement> {
  const body = /^file:/i.test(uri) ? await readWsdl(uri, configuration) : await download(uri, configuration);
  try {
    return parseXml(body).documentElement as XmlElement;
  } catch (cause) {
    if (!(cause instanceof XmlSyntaxError)) throw cause;
    throw unreadable(uri, cause.message, cause);
  }
}

async function readWsdl(uri: string, { services }: Configuration): Promise<Uint8Array> {
  try {
    return await readResource(uri, services.resourceDirectories ?? []);
  } catch (cause) {
    throw unreadable(uri, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

async function download(uri: string, { services }: Configuration): Promise<Uint8Array> {
  const answer = await services.http.send({
    method: 'GET',
    url: uri,
    headers: [],
    responseTimeoutMs: FETCH_TIMEOUT_MS,
  });
  if (answer.status !== 200) throw unreadable(uri, `status ${answer.status}`);
  return answer.body;
}

/** The URI without credentials: a client reads this. */
function unreadable(uri: string, reason: string, cause?: unknown): MediationError {
  const shown = uri.replace(/\/\/[^/@]*@/, '//');
  return new MediationError(`Error reading from wsdl URI ${shown}: ${reason}`, { cause });
}
