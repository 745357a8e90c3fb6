import { ERROR_CODES, MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';

/** What a token is asked for with; all of it evaluated. */
export interface TokenRequest {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where the client's credentials go: the Authorization header, or the form. */
  readonly authMode: 'header' | 'payload';
  /** `grant_type` and what belongs to it, and further parameters. */
  readonly form: ReadonlyArray<readonly [string, string]>;
  readonly headers: ReadonlyArray<readonly [string, string]>;
  readonly connectTimeoutMs: number | undefined;
  readonly responseTimeoutMs: number;
}

interface Token {
  readonly text: string;
  /** Epoch ms. */
  readonly expiresAt: number;
}

/** The reference's bound, `synapse.endpoint.http.oauth.cache.timeout`. */
const LONGEST_LIFE_MS = 3_000_000;
/** Tokens of different credentials, where those depend on the message; the oldest is forgotten beyond. */
const MAX_TOKENS = 100;

/**
 * The access tokens of one endpoint (spec proxies 5.5): asked for when there is none, kept until they expire, one request at a time for the
 * same credentials.
 */
export class OAuthTokens {
  readonly #tokens = new Map<string, Token>();
  readonly #asked = new Map<string, Promise<Token>>();

  /**
   * @param refused a token that a back end did not take: it is not used again
   * @throws MediationError 303003 when no token is to be had
   */
  async token(message: MessageContext, request: TokenRequest, refused?: string): Promise<string> {
    const key = JSON.stringify(request);
    const known = this.#tokens.get(key);
    if (known && known.text !== refused && known.expiresAt > Date.now()) return known.text;
    this.#tokens.delete(key);
    const asked = this.#asked.get(key) ?? this.#ask(key, message, request);
    return (await asked).text;
  }

  #ask(key: string, message: MessageContext, request: TokenRequest): Promise<Token> {
    const asked = requestToken(message, request).then(
      (token) => {
        this.#asked.delete(key);
        this.#tokens.set(key, token);
        for (const oldest of this.#tokens.keys()) {
          if (this.#tokens.size <= MAX_TOKENS) break;
          this.#tokens.delete(oldest);
        }
        return token;
      },
      (error: unknown) => {
        this.#asked.delete(key);
        throw error;
      },
    );
    this.#asked.set(key, asked);
    return asked;
  }
}

async function requestToken({ configuration }: MessageContext, request: TokenRequest): Promise<Token> {
  const { url, clientId, clientSecret, authMode } = request;
  const form = new URLSearchParams(request.form.map(([name, value]) => [name, value]));
  const headers: Array<readonly [string, string]> = [
    ['Content-Type', 'application/x-www-form-urlencoded'],
    ['Accept', 'application/json'],
    ...request.headers,
  ];
  if (authMode === 'header') headers.push(['Authorization', basicCredentials(clientId, clientSecret)]);
  else {
    form.append('client_id', clientId);
    form.append('client_secret', clientSecret);
  }
  let response: { readonly status: number; readonly body: Uint8Array };
  try {
    response = await configuration.services.http.send({
      method: 'POST',
      url,
      headers,
      body: Buffer.from(form.toString()),
      connectTimeoutMs: request.connectTimeoutMs,
      responseTimeoutMs: request.responseTimeoutMs,
    });
  } catch (cause) {
    throw noToken(url, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (response.status !== 200) throw noToken(url, `it answered ${response.status}`);
  const { access_token: text, expires_in: seconds } = readAnswer(response.body);
  if (typeof text !== 'string' || text === '') throw noToken(url, 'its answer has no access_token');
  const lifeMs = Number(seconds) > 0 ? Number(seconds) * 1_000 : LONGEST_LIFE_MS;
  return { text, expiresAt: Date.now() + Math.min(lifeMs, LONGEST_LIFE_MS) };
}

/** @returns `Basic …`, of UTF-8 text */
export function basicCredentials(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;
}

function readAnswer(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const answer: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    return typeof answer === 'object' && answer !== null ? { ...answer } : {};
  } catch {
    // What is no JSON has no token: the caller says so.
    return {};
  }
}

/** The answer itself may hold secrets: it is not quoted. */
function noToken(url: string, reason: string, cause?: unknown): MediationError {
  const where = URL.canParse(url) ? new URL(url).origin + new URL(url).pathname : 'an address that is none';
  return new MediationError(`Error while generating an access token for the endpoint at ${where}: ${reason}`, {
    code: ERROR_CODES.authenticationFailed,
    status: 502,
    cause,
  });
}
