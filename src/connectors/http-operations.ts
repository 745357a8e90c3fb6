import type { Endpoint } from '../endpoints/endpoint.ts';
import { readEndpoint } from '../endpoints/index.ts';
import { ConfigElement, SYNAPSE_NAMESPACE } from '../grammar/element.ts';
import { ArtifactReader } from '../grammar/reader.ts';
import { passesPreMediate } from '../mediation/pre-mediate.ts';
import { takeAnswer } from '../mediation/take-answer.ts';
import { answerTo } from '../mediators/calling/call.ts';
import { asElement } from '../mediators/payload/inline-content.ts';
import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { Payload } from '../message/payload.ts';
import { escapeAttribute, parseXml, type XmlElement } from '../xml/index.ts';
import { type Connection, type ConnectorOperation, isTrue, type OperationCall } from './operation.ts';

/*
 * The operations of WSO2's HTTP connector: `<http.get configKey="…">` and its siblings send a request to the base URL of a connection
 * and go on with the answer, like `call`.
 */

/** Switches of one request and the axis2 properties that they set. */
const SWITCHES: Readonly<Record<string, string>> = {
  forceScAccepted: 'FORCE_SC_ACCEPTED',
  disableChunking: 'DISABLE_CHUNKING',
  forceHttp10: 'FORCE_HTTP_1.0',
  noKeepAlive: 'NO_KEEPALIVE',
  forcePostPutNobody: 'FORCE_POST_PUT_NOBODY',
  forceHttpContentLength: 'FORCE_HTTP_CONTENT_LENGTH',
  copyContentLengthFromIncoming: 'COPY_CONTENT_LENGTH_FROM_INCOMING',
  postToUri: 'POST_TO_URI',
};

/** The media types of request bodies, by `requestBodyType`. */
const BODY_TYPES: Readonly<Record<string, string>> = {
  JSON: 'application/json',
  XML: 'application/xml',
  TEXT: 'text/plain',
};
const BODY_PARAMETERS = ['requestBodyType', 'requestBodyJson', 'requestBodyXml', 'requestBodyText', 'requestBody'];
const PARAMETERS = ['relativePath', 'headers', ...Object.keys(SWITCHES), ...BODY_PARAMETERS];
const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options'];
const WITHOUT_BODY: readonly string[] = ['get', 'head', 'options'];
const CONNECTION_PARAMETERS = [
  'connectionType',
  'baseUrl',
  'authType',
  'basicCredentialsUsername',
  'basicCredentialsPassword',
  'timeoutDuration',
  'timeoutAction',
  'retryErrorCodes',
  'retryCount',
  'retryDelay',
  'suspendErrorCodes',
  'suspendInitialDuration',
  'suspendMaximumDuration',
  'suspendProgressionFactor',
];

/** `get`, `post`, … */
export const HTTP_OPERATIONS: ReadonlyMap<string, ConnectorOperation> = new Map(
  METHODS.map((method) => [method, { parameters: PARAMETERS, run: (call: OperationCall) => request(call, method) }]),
);

export const HTTP_CONNECTION_PARAMETERS: readonly string[] = CONNECTION_PARAMETERS;

async function request(call: OperationCall, method: string): Promise<boolean> {
  const { message, connection } = call;
  if (!connection) {
    throw new MediationError(
      `http.${method} needs a connection: configKey="…", the key of a local entry with <http.init>`,
    );
  }
  const authorization = authorizationOf(connection);
  const url = urlOf(connection, call.text('relativePath') ?? '');
  const headers = headersOf(call.text('headers'), method);
  setBody(message, call, method);
  for (const [name, value] of headers) setHeader(message, name, value);
  if (authorization !== undefined) message.headers.set('Authorization', authorization);
  for (const [parameter, property] of Object.entries(SWITCHES)) {
    if (isTrue(call.text(parameter))) message.axis2.set(property, property === 'NO_KEEPALIVE' ? 'true' : true);
  }
  message.to = url;
  message.doingRest = true;
  message.axis2.delete('REST_URL_POSTFIX');
  message.axis2.set('HTTP_METHOD', method.toUpperCase());
  takeAnswer(message, await answerTo(message, { endpoint: endpointOf(connection) }));
  return passesPreMediate(message);
}

function authorizationOf(connection: Connection): string | undefined {
  const type = connection.text('authType')?.trim().toLowerCase() ?? 'none';
  if (type === 'none' || type === '') return undefined;
  if (type.startsWith('basic')) {
    const user = connection.text('basicCredentialsUsername') ?? '';
    const password = connection.text('basicCredentialsPassword') ?? '';
    return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  }
  throw new MediationError(
    `The connection '${connection.name}' asks for the authentication '${type}', which is not supported; ` +
      'there are None and Basic Auth, and the parameter headers for a token of your own',
  );
}

function urlOf(connection: Connection, relativePath: string): string {
  const base = connection.text('baseUrl');
  if (base === undefined) throw new MediationError(`The connection '${connection.name}' has no baseUrl`);
  const path = relativePath.trim();
  const url =
    path === '' || path.startsWith('?') ? base + path : `${base.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`;
  if (!URL.canParse(url)) throw new MediationError(`'${url}', of the connection '${connection.name}', is no URL`);
  return url;
}

/** `[["name","value"],]` as the tooling writes it, with its comma at the end; or an object. */
function headersOf(written: string | undefined, method: string): ReadonlyArray<readonly [string, string]> {
  if (written === undefined) return [];
  let list: unknown;
  try {
    list = JSON.parse(written.replace(/,\s*([\]}])/g, '$1'));
  } catch (cause) {
    throw new MediationError(`The headers of http.${method} are no JSON: ${written}`, { cause });
  }
  const entries = Array.isArray(list) ? list.flatMap(pairsOf) : pairsOf(list);
  return entries.filter(([name]) => name !== '');
}

function pairsOf(entry: unknown): Array<readonly [string, string]> {
  if (Array.isArray(entry)) return [[String(entry[0] ?? ''), String(entry[1] ?? '')]];
  if (typeof entry !== 'object' || entry === null) return [];
  return Object.entries(entry).map(([name, value]) => [name, String(value)]);
}

function setHeader(message: MessageContext, name: string, value: string): void {
  if (name.toLowerCase() !== 'content-type') message.headers.set(name, value);
  else {
    message.axis2.set('messageType', value);
    message.axis2.set('ContentType', value);
  }
}

/** What `requestBodyType` says; without it, POST, PUT, PATCH and DELETE send the payload as it is. */
function setBody(message: MessageContext, call: OperationCall, method: string): void {
  if (WITHOUT_BODY.includes(method)) {
    message.payload = Payload.empty();
    message.axis2.set('NO_ENTITY_BODY', true);
    return;
  }
  const type = call.text('requestBodyType')?.toUpperCase();
  const mediaType = type === undefined ? undefined : BODY_TYPES[type];
  if (type === undefined || mediaType === undefined) return;
  const parameter = `requestBody${type.charAt(0)}${type.slice(1).toLowerCase()}`;
  const body = call.text(parameter) ?? call.text('requestBody');
  if (body === undefined) return;
  message.payload = message.payload.clone();
  message.axis2.delete('NO_ENTITY_BODY');
  message.axis2.set('messageType', mediaType);
  message.axis2.set('ContentType', mediaType);
  if (type === 'JSON') message.payload.setJson(body);
  else if (type === 'TEXT') message.payload.setText(body);
  else message.payload.replaceBody(xmlOf(body));
}

function xmlOf(body: string): XmlElement {
  const element = asElement(body);
  if (!element) throw new MediationError(`The parameter requestBodyXml is no XML: ${body.slice(0, 100)}`);
  return element;
}

const endpoints = new WeakMap<object, Endpoint>();

/** The connection's endpoint, with its time-out and its suspension; the address is that of the message. */
function endpointOf(connection: Connection): Endpoint {
  let endpoint = endpoints.get(connection.identity);
  if (endpoint) return endpoint;
  const text = `<endpoint xmlns="${SYNAPSE_NAMESPACE}"><default>${settings(connection)}</default></endpoint>`;
  const reader = new ArtifactReader();
  const root = new ConfigElement(parseXml(text).documentElement as XmlElement, { file: connection.name, text });
  endpoint = readEndpoint(root, reader, { named: false });
  if (!endpoint || reader.failed) {
    const problem = reader.diagnostics.find(({ severity }) => severity === 'error');
    throw new MediationError(
      `The connection '${connection.name}' cannot be used: ${problem?.message ?? 'it is wrong'}`,
    );
  }
  endpoints.set(connection.identity, endpoint);
  return endpoint;
}

function settings(connection: Connection): string {
  const element = (name: string, parameter: string) => {
    const value = connection.text(parameter)?.trim();
    return value ? `<${name}>${escapeAttribute(value)}</${name}>` : '';
  };
  const action = connection.text('timeoutAction')?.trim().toLowerCase();
  const known = action === 'discard' || action === 'fault' ? `<responseAction>${action}</responseAction>` : '';
  const timeout = element('duration', 'timeoutDuration') + known;
  const suspend =
    element('errorCodes', 'suspendErrorCodes') +
    element('initialDuration', 'suspendInitialDuration') +
    element('progressionFactor', 'suspendProgressionFactor') +
    element('maximumDuration', 'suspendMaximumDuration');
  const mark =
    element('errorCodes', 'retryErrorCodes') +
    element('retriesBeforeSuspension', 'retryCount') +
    element('retryDelay', 'retryDelay');
  return (
    (timeout && `<timeout>${timeout}</timeout>`) +
    (suspend && `<suspendOnFailure>${suspend}</suspendOnFailure>`) +
    (mark && `<markForSuspension>${mark}</markForSuspension>`)
  );
}
