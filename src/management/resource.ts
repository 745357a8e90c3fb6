import type { Readable } from 'node:stream';
import type { AuditEntry } from './audit/audit-entry.ts';
import type { BodyDeclaration } from './bodies.ts';
import type { ManagedServer } from './managed-server.ts';
import type { Caller, Role } from './security/caller.ts';

/** A JSON schema (draft 2020-12, as OpenAPI 3.1 uses it). */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** One query parameter: a JSON schema of a single value. `required: true` makes it one that must be given. */
export interface QueryField {
  readonly type: 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly required?: boolean;
  readonly default?: string | number | boolean;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
}

export type QueryFields = Readonly<Record<string, QueryField>>;

type QueryValue<F extends QueryField> = F extends { type: 'integer' | 'number' }
  ? number
  : F extends { type: 'boolean' }
    ? boolean
    : F extends { enum: readonly (infer E)[] }
      ? E
      : string;

type QueryValues<Q extends QueryFields> = {
  readonly [N in keyof Q]: Q[N] extends { default: string | number | boolean } | { required: true }
    ? QueryValue<Q[N]>
    : QueryValue<Q[N]> | undefined;
};

/** `{name}` is one segment of a path, `{path+}` the rest of it. */
type ParameterNames<P extends string> = P extends `${string}{${infer N}}${infer R}`
  ? (N extends `${infer M}+` ? M : N) | ParameterNames<R>
  : never;

/** What a resource is asked. */
export interface ResourceRequest<P extends string = string, Q extends QueryFields = QueryFields, B = unknown> {
  /** Decoded values of the path's places. */
  readonly parameters: { readonly [N in ParameterNames<P>]: string };
  readonly query: QueryValues<Q>;
  /** Of a resource that declares a body: its value, valid by the schema. */
  readonly body: B;
  readonly caller: Caller;
  /** Aborts when the client is gone or the server stops. */
  readonly signal: AbortSignal;
  /** A header of the request, by its name in lower case. */
  header(name: string): string | undefined;
  /**
   * Says what is written to the audit log about this request; what is not said is filled in. Every request that is not a GET is
   * written there, with what it declares or by its method and path, after it was answered; one that only reads, when it says something.
   */
  audit(entry: Partial<AuditEntry>): void;
}

/** What a resource answers: JSON, or a text, or bytes as they come. */
export type Answer = JsonAnswer | TextAnswer | StreamAnswer;

interface AnswerHead {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface JsonAnswer extends AnswerHead {
  /** Written as JSON; undefined: no body at all. */
  readonly body: unknown;
}

export interface TextAnswer extends AnswerHead {
  readonly type: string;
  readonly text: string | Uint8Array;
}

export interface StreamAnswer extends AnswerHead {
  /** `text/event-stream` for events. */
  readonly type: string;
  /** Destroyed when the client is gone. */
  readonly stream: Readable;
}

/** Of an answer that is not JSON, in {@link ResourceDefinition.answers}. */
export interface MediaAnswer {
  readonly media: string;
  readonly description?: string;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface ResourceDefinition<P extends string, Q extends QueryFields, B> {
  readonly method: Method;
  readonly path: P;
  /** The least role that may ask; `public`: anybody, without credentials. */
  readonly role: Role | 'public';
  /** One line, for the OpenAPI document. */
  readonly summary: string;
  /** The subject it is listed under. */
  readonly tag: string;
  readonly query?: Q;
  readonly body?: BodyDeclaration<B>;
  /** Status -> schema of the JSON body, {@link MediaAnswer}, or null for an answer without body. The usual refusals need not be named. */
  readonly answers: Readonly<Record<number, JsonSchema | MediaAnswer | null>>;
  /** It only reads, and stands in the audit log all the same, refusals included. */
  readonly audited?: boolean;
  /**
   * Answers one request. What it throws as a ManagementError is answered so; everything else is logged and 500.
   * Must honour `signal` when it may take long.
   */
  answer(request: ResourceRequest<P, Q, B>, server: ManagedServer): Answer | Promise<Answer>;
}

/** One path and method of the management API: routing, checks, validation and the OpenAPI document follow from it. */
export interface Resource {
  readonly method: Method;
  readonly path: string;
  readonly role: Role | 'public';
  readonly summary: string;
  readonly tag: string;
  readonly query: QueryFields;
  readonly body: BodyDeclaration<unknown> | undefined;
  readonly answers: Readonly<Record<number, JsonSchema | MediaAnswer | null>>;
  readonly audited: boolean;
  answer(request: ResourceRequest, server: ManagedServer): Answer | Promise<Answer>;
}

/** Declares a resource; its values arrive typed as declared. List it in `resources/index.ts`. */
export function resource<const P extends string, const Q extends QueryFields = Record<never, never>, B = undefined>(
  definition: ResourceDefinition<P, Q, B>,
): Resource {
  // The router hands every resource what its own declaration says; the compiler cannot see that over a list of them.
  const erased = definition as unknown as ResourceDefinition<string, QueryFields, unknown>;
  return {
    method: erased.method,
    path: erased.path,
    role: erased.role,
    summary: erased.summary,
    tag: erased.tag,
    query: erased.query ?? {},
    body: erased.body,
    answers: erased.answers,
    audited: erased.audited ?? false,
    answer: (request, server) => erased.answer(request, server),
  };
}

export function isMediaAnswer(answer: JsonSchema | MediaAnswer): answer is MediaAnswer {
  return typeof answer.media === 'string';
}
