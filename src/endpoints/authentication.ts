import { type DynamicValue, parseDynamicValue } from '../expressions/value.ts';
import { ValueError } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import { resolvePlaceholders } from '../grammar/placeholders.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { HttpRequest, HttpResponse } from '../transport/http-sender.ts';
import { basicCredentials, OAuthTokens, type TokenRequest } from './oauth-tokens.ts';

/** How an http endpoint says who sends (spec proxies 5.5). */
export interface EndpointAuthentication {
  /**
   * The Authorization header for a message.
   * @param refused the one that was answered with 401, for which there may be another
   * @throws MediationError 303003 when there is none
   */
  authorization(message: MessageContext, refused?: string): Promise<string>;
  /** True when another attempt after a 401 may have another Authorization header. */
  readonly renews: boolean;
}

/** Sends a request once more, with another token, when the back end does not take the first one. */
export async function sendAs(
  authentication: EndpointAuthentication,
  message: MessageContext,
  request: HttpRequest,
): Promise<HttpResponse> {
  const { http } = message.configuration.services;
  const authorization = await authentication.authorization(message);
  const response = await http.send(withAuthorization(request, authorization));
  if (response.status !== 401 || !authentication.renews) return response;
  return http.send(withAuthorization(request, await authentication.authorization(message, authorization)));
}

/** The endpoint's takes the place of the client's. */
function withAuthorization(request: HttpRequest, authorization: string): HttpRequest {
  const others = request.headers.filter(([name]) => name.toLowerCase() !== 'authorization');
  return { ...request, headers: [...others, ['Authorization', authorization]] };
}

const GRANTS = ['clientCredentials', 'authorizationCode', 'passwordCredentials'] as const;
type Grant = (typeof GRANTS)[number];
const FIELDS = ['clientId', 'clientSecret', 'tokenUrl', 'refreshToken', 'username', 'password', 'authMode'];
const TIMEOUTS = ['connectionTimeout', 'connectionRequestTimeout', 'socketTimeout'];
const DEFAULT_TIMEOUT_MS = 30_000;
const BEARER = 'Bearer ';

/** Reads `<authentication>`; undefined after an error. */
export function readAuthentication(element: ConfigElement, reader: ArtifactReader): EndpointAuthentication | undefined {
  reader.warnUnknownChildren(element, ['basicAuth', 'oauth']);
  const basic = element.child('basicAuth');
  if (basic) return readBasic(basic, reader);
  const oauth = element.child('oauth');
  if (oauth) return readOAuth(oauth, reader);
  reader.error(element, '<authentication> has neither <basicAuth> nor <oauth>', { expected: '<basicAuth> or <oauth>' });
  return undefined;
}

function readBasic(element: ConfigElement, reader: ArtifactReader): EndpointAuthentication | undefined {
  reader.warnUnknownChildren(element, ['username', 'password']);
  const user = required(element, 'username', reader);
  const password = required(element, 'password', reader);
  if (!user || !password) return undefined;
  return {
    renews: false,
    authorization: async (message) => basicCredentials(textOf(user, message), textOf(password, message)),
  };
}

function readOAuth(element: ConfigElement, reader: ArtifactReader): EndpointAuthentication | undefined {
  reader.warnUnknownChildren(element, GRANTS);
  const [grant, another] = GRANTS.filter((name) => element.child(name));
  const definition = grant && element.child(grant);
  if (!grant || !definition || another) {
    reader.error(element, '<oauth> needs exactly one grant', { expected: `one of: ${GRANTS.join(', ')}` });
    return undefined;
  }
  const request = readGrant(grant, definition, reader);
  if (!request) return undefined;
  const tokens = new OAuthTokens();
  return {
    renews: true,
    authorization: async (message, refused) =>
      BEARER + (await tokens.token(message, request(message), refused?.slice(BEARER.length))),
  };
}

function readGrant(
  grant: Grant,
  element: ConfigElement,
  reader: ArtifactReader,
): ((message: MessageContext) => TokenRequest) | undefined {
  reader.warnUnknownChildren(element, [...FIELDS, ...TIMEOUTS, 'requestParameters', 'customHeaders', 'proxyConfigs']);
  const proxies = element.child('proxyConfigs');
  if (proxies) reader.warning(proxies, '<proxyConfigs> has no effect: tokens are asked for directly');
  const own = {
    clientCredentials: [],
    authorizationCode: ['refreshToken'],
    passwordCredentials: ['username', 'password'],
  }[grant];
  const values = new Map(
    ['clientId', 'clientSecret', 'tokenUrl', ...own].map((name) => [name, required(element, name, reader)]),
  );
  const authMode = readAuthMode(element, reader);
  const [parameters, headers] = [
    readPairs(element.child('requestParameters'), 'parameter', reader),
    readPairs(element.child('customHeaders'), 'header', reader),
  ];
  const [connect, , socket] = TIMEOUTS.map((name) => readTimeout(element.child(name), reader));
  if ([...values.values()].includes(undefined) || !authMode || !parameters || !headers) return undefined;
  return (message) => {
    const value = (name: string) => textOf(values.get(name), message);
    const pairs = (all: ReadonlyArray<readonly [string, DynamicValue]>) =>
      all.map(([name, written]) => [name, textOf(written, message)] as const);
    return {
      url: value('tokenUrl'),
      clientId: value('clientId'),
      clientSecret: value('clientSecret'),
      authMode,
      form: [...grantForm(grant, value), ...pairs(parameters)],
      headers: pairs(headers),
      connectTimeoutMs: connect,
      responseTimeoutMs: socket ?? DEFAULT_TIMEOUT_MS,
    };
  };
}

function grantForm(grant: Grant, value: (name: string) => string): Array<readonly [string, string]> {
  switch (grant) {
    case 'clientCredentials':
      return [['grant_type', 'client_credentials']];
    case 'authorizationCode':
      return [
        ['grant_type', 'refresh_token'],
        ['refresh_token', value('refreshToken')],
      ];
    case 'passwordCredentials':
      return [
        ['grant_type', 'password'],
        ['username', value('username')],
        ['password', value('password')],
      ];
  }
}

function readAuthMode(element: ConfigElement, reader: ArtifactReader): 'header' | 'payload' | undefined {
  const child = element.child('authMode');
  const mode = child?.text.trim().toLowerCase() || 'header';
  if (mode === 'header' || mode === 'payload') return mode;
  reader.error(child ?? element, `<authMode> is '${mode}'`, { expected: 'header or payload' });
  return undefined;
}

function readTimeout(element: ConfigElement | undefined, reader: ArtifactReader): number | undefined {
  const written = element?.text.trim();
  // The reference writes -1 for none of its own.
  if (!element || !written || written === '-1') return undefined;
  if (/^\d{1,7}$/.test(written)) return Number(written);
  reader.error(element, `<${element.name}> is '${written}'`, { expected: 'milliseconds' });
  return undefined;
}

/** `<parameter name="…">value</parameter>`, of which there may be any number; undefined after an error. */
function readPairs(
  element: ConfigElement | undefined,
  child: string,
  reader: ArtifactReader,
): Array<readonly [string, DynamicValue]> | undefined {
  if (!element) return [];
  reader.warnUnknownChildren(element, [child]);
  const pairs = element.childrenNamed(child).map((written) => {
    const name = written.attribute('name')?.trim();
    if (!name) reader.error(written, `The 'name' attribute is required for <${child}>`, { expected: 'name="…"' });
    const value = dynamicText(written, reader);
    return name && value ? ([name, value] as const) : undefined;
  });
  return pairs.includes(undefined) ? undefined : pairs.filter((pair) => pair !== undefined);
}

/** A child that must hold something; undefined after an error. */
function required(parent: ConfigElement, name: string, reader: ArtifactReader): DynamicValue | undefined {
  const element = parent.child(name);
  if (element && element.text.trim() !== '') return dynamicText(element, reader);
  reader.error(element ?? parent, `<${name}> is required inside <${parent.name}>`, {
    expected: `<${name}>…</${name}>`,
  });
  return undefined;
}

/** Text, `{expression}`, or a look-up of a secret (spec proxies 7.7, 7.8). */
function dynamicText(element: ConfigElement, reader: ArtifactReader): DynamicValue | undefined {
  const text = resolvePlaceholders(element.text.trim(), element, reader);
  if (text === undefined) return undefined;
  try {
    return parseDynamicValue(text, element.prefixes());
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(element, error.message, { expected: 'a text or {expression}' });
    return undefined;
  }
}

function textOf(value: DynamicValue | undefined, message: MessageContext): string {
  return value?.static ?? value?.evaluate(message) ?? '';
}
