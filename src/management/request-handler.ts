import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { logger } from '../logging/index.ts';
import { type AuditEntry, entryBy } from './audit/audit-entry.ts';
import type { ManagedServer } from './managed-server.ts';
import { ManagementError } from './management-error.ts';
import { readQuery } from './query.ts';
import { withoutTrailingSlashes } from './request-path.ts';
import type { Answer, Resource, ResourceRequest } from './resource.ts';
import { type Route, Router } from './router.ts';
import { AttemptLimit } from './security/attempt-limit.ts';
import type { Caller } from './security/caller.ts';
import { Gate } from './security/gate.ts';
import { isSafe } from './security/origin.ts';

const log = logger('ManagementApi');
const UNAUTHORISED = 401;
const FORBIDDEN = 403;
const TOO_MANY = 429;
/** Of one caller in the audit log, within a minute: it is short, and nobody is to push out what others did. */
const AUDITED_REFUSALS = 20;
/** Of a path that nobody knows, characters. */
const LOGGED_PATH_CHARS = 200;

/** What was told about one request. */
type Told = Partial<AuditEntry>;

/**
 * One request of the management API:
 *
 *     route (404, 405) -> gate (401, 403, 429) -> query (400) -> body (400, 413, 415) -> resource -> audit
 */
export class RequestHandler {
  readonly #server: ManagedServer;
  readonly #router: Router;
  readonly #gate: Gate;
  /** Failed logins by address: the log has them all, the audit log, which is short, one a minute. */
  readonly #failedLogins = new AttemptLimit(1);
  readonly #refusals = new AttemptLimit(AUDITED_REFUSALS);

  constructor(server: ManagedServer, resources: readonly Resource[]) {
    this.#server = server;
    this.#router = new Router(resources);
    this.#gate = new Gate(server.security);
  }

  /** Never rejects: what goes wrong is an answer, too. */
  async handle(request: IncomingMessage, response: ServerResponse, rawPath: string): Promise<Answer> {
    const path = withoutTrailingSlashes(rawPath);
    try {
      return await this.#handle(request, response, path);
    } catch (error) {
      return failure(error, `${request.method} ${path}`);
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse, path: string): Promise<Answer> {
    const route = this.#route(request.method ?? 'GET', path);
    const { resource, parameters } = route;
    const caller = await this.#gate.recognise(request, resource.role);
    const audited = resource.audited || !isSafe(request);
    try {
      this.#gate.permit(caller, resource.role);
    } catch (error) {
      if (audited) await this.#audit(route, caller, {}, failure(error, path));
      throw error;
    }
    const query = await readQuery(resource.query, searchOf(request.url ?? ''));
    const body = await resource.body?.read(request);
    const told: Told = {};
    const asked: ResourceRequest = {
      parameters,
      query: query as ResourceRequest['query'],
      body,
      caller,
      signal: abortedWith(response),
      header: (name) => oneHeader(request, name),
      audit: (entry) => void Object.assign(told, entry),
    };
    const answer = await this.#answered(resource, asked);
    // Who only looked is only told of where the resource tells.
    if (audited || Object.keys(told).length > 0) await this.#audit(route, caller, told, answer);
    if ('stream' in answer) endWith(answer.stream, caller.end?.());
    return answer;
  }

  async #answered(resource: Resource, asked: ResourceRequest): Promise<Answer> {
    try {
      return await resource.answer(asked, this.#server);
    } catch (error) {
      return failure(error, `${resource.method} ${resource.path}`);
    }
  }

  async #audit({ resource, parameters }: Route, caller: Caller, told: Told, { status }: Answer): Promise<void> {
    if (this.#isFlood(resource, caller, status)) return;
    const done = status < 400;
    const request = {
      action: resource.method.toLowerCase(),
      type: resource.tag.replaceAll('-', '_'),
      name: parameters.name ?? '',
      // What a resource has a word for needs no path.
      detail: told.action === undefined ? `${resource.method} ${resource.path}` : '',
      count: 1,
      result: 'done',
    };
    await this.#server.audit.record({
      ...entryBy(caller, request),
      ...told,
      ...(!done && { count: 0, result: `${status < 500 ? 'refused' : 'failed'} (${status})` }),
    });
  }

  #isFlood({ role }: Resource, caller: Caller, status: number): boolean {
    if (role === 'public' && status === TOO_MANY) return true;
    if (status === UNAUTHORISED) return this.#failedLogins.begin(caller.from) > 0;
    if (status !== FORBIDDEN || this.#refusals.begin(`${caller.from} ${caller.name}`) === 0) return false;
    log.warn(`More requests of ${caller.name} from ${caller.from} are refused than the audit log takes`);
    return true;
  }

  #route(method: string, path: string): Route {
    try {
      return this.#router.find(method, path);
    } catch (error) {
      if (error instanceof ManagementError && error.status === 404)
        log.warn(`No Internal API found to dispatch the message to : ${path.slice(0, LOGGED_PATH_CHARS)}`);
      throw error;
    }
  }
}

function failure(error: unknown, request: string): Answer {
  if (error instanceof ManagementError) return error.toAnswer();
  log.error(`${request} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return { status: 500, body: { Error: 'The request could not be carried out; the log has the reason' } };
}

/** What is streamed ends with the credentials that it was asked for with. */
function endWith(stream: Readable, end: AbortSignal | undefined): void {
  if (!end) return;
  const stop = () => void stream.destroy();
  if (end.aborted) stop();
  end.addEventListener('abort', stop, { once: true });
  stream.once('close', () => end.removeEventListener('abort', stop));
}

function searchOf(url: string): URLSearchParams {
  const start = url.indexOf('?');
  return new URLSearchParams(start < 0 ? '' : url.slice(start + 1));
}

function abortedWith(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => controller.abort());
  return controller.signal;
}

function oneHeader(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
