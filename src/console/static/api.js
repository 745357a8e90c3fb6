/** What the management API refused, or nobody answered. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {{status: number, body?: any, missing?: boolean}} answer status 0: no answer at all
   */
  constructor(message, { status, body, missing = false }) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.body = body;
    /** The server has no such resource: an older one, or a part of it that is switched off. */
    this.missing = missing;
  }
}

const DEADLINE_MS = 20_000;
let csrf = '';
let onLoginNeeded = () => {};
/** Heard by what lies over the page: it makes room for the login. */
export const LOGIN_NEEDED = 'loginneeded';

/** @param {string} token what changing requests of a session carry */
export function useCsrf(token) {
  csrf = token;
}

/** What changing requests of a session carry; empty where there is none. */
export function csrfToken() {
  return csrf;
}

/** @param {() => void} callback called when the API wants a login */
export function whenLoginNeeded(callback) {
  onLoginNeeded = callback;
}

/** The server has said that nobody is logged in. */
export function loginNeeded() {
  onLoginNeeded();
  dispatchEvent(new Event(LOGIN_NEEDED));
}

/**
 * @param {string} path below `/management`, or absolute
 * @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<any>} the JSON body
 * @throws {ApiError}
 */
export function get(path, options) {
  return call('GET', path, options);
}

/**
 * A request that changes something.
 * @param {'POST'|'PUT'|'PATCH'|'DELETE'} method
 * @param {string} path
 * @param {any} [body] sent as JSON
 */
export function change(method, path, body) {
  return call(method, path, { body });
}

/** @param {Record<string, unknown>} values undefined and empty ones are left out */
export function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== '');
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : '';
}

/** One segment of a path. */
export const segment = encodeURIComponent;

/** The address of a resource, for links and event streams. */
export function address(path) {
  return path.startsWith('/') ? path : `/management/${path}`;
}

async function call(method, path, { body, signal } = {}) {
  const headers = { 'X-Requested-By': 'console', Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (csrf && method !== 'GET') headers['X-CSRF-Token'] = csrf;
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const response = await sent(address(path), {
    method,
    headers,
    credentials: 'same-origin',
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
  });
  const answer = await read(response);
  if (response.ok) return answer;
  if (response.status === 401 && path !== 'session') loginNeeded();
  throw new ApiError(textOf(answer, response), {
    status: response.status,
    body: answer,
    missing: response.status === 404 && /^There is no management resource/.test(answer?.Error ?? ''),
  });
}

async function sent(url, options) {
  try {
    return await fetch(url, options);
  } catch (error) {
    if (options.signal.aborted && options.signal.reason?.name === 'AbortError') throw error;
    const text = error.name === 'TimeoutError' ? 'The server did not answer in time' : 'The server cannot be reached';
    throw new ApiError(text, { status: 0 });
  }
}

async function read(response) {
  const text = await response.text();
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function textOf(answer, { status }) {
  const told = answer?.Error ?? answer?.message;
  const hint = answer?.didYouMean ? ` Did you mean “${answer.didYouMean}”?` : '';
  if (told) return `${told}${hint}`;
  if (status === 401) return 'Log in first';
  if (status === 403) return 'Your role does not allow this';
  return `The server answered ${status}`;
}
