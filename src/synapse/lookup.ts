import { createHash } from 'node:crypto';
import type { ModuleAnswer } from '../extensions/loaded-module.ts';
import type { PlaceholderValues } from '../grammar/reader.ts';

/**
 * What reading an artifact may ask for beyond its own text. The language does no I/O: whoever reads files answers from what is
 * already there.
 */
export interface ArtifactLookup extends PlaceholderValues {
  /** The text of a local entry, for `<parameter key="…"/>`. */
  localEntry(key: string): string | undefined;
  /** The text behind a `src="…"`. */
  resource(url: string): ResourceAnswer;
}

/** The text of a resource, or why there is none; `pending` when it is only known once it has been fetched. */
export type ResourceAnswer = { readonly text: string } | { readonly error: string } | { readonly pending: true };

/** Knows nothing but the environment; for reading a single file. */
export const ENVIRONMENT_ONLY: ArtifactLookup = {
  environment: (name) => process.env[name],
  fileProperty: () => undefined,
  configuration: () => undefined,
  localEntry: () => undefined,
  resource: () => ({ pending: true }),
};

/**
 * Passes questions on and remembers question and answer, so that it can be seen later whether the same artifact would be read
 * differently now.
 */
export class RecordingLookup implements ArtifactLookup {
  readonly #lookup: ArtifactLookup;
  readonly #answers = new Map<string, { ask: () => string; answer: string }>();

  constructor(lookup: ArtifactLookup) {
    this.#lookup = lookup;
  }

  environment(name: string): string | undefined {
    return this.#recorded(`environment ${name}`, () => this.#lookup.environment(name));
  }

  fileProperty(key: string): string | undefined {
    return this.#recorded(`fileProperty ${key}`, () => this.#lookup.fileProperty(key));
  }

  configuration(name: string): string | undefined {
    return this.#recorded(`configuration ${name}`, () => this.#lookup.configuration(name));
  }

  /** Of a secret only a digest is remembered. */
  secret(alias: string): string | undefined {
    const digest = () => digestOf(this.#lookup.secret?.(alias));
    this.#recorded(`secret ${alias}`, digest);
    return this.#lookup.secret?.(alias);
  }

  localEntry(key: string): string | undefined {
    return this.#recorded(`localEntry ${key}`, () => this.#lookup.localEntry(key));
  }

  resource(url: string): ResourceAnswer {
    return this.#recorded(`resource ${url}`, () => this.#lookup.resource(url));
  }

  extension(className: string): ModuleAnswer | undefined {
    return this.#recorded(`extension ${className}`, () => this.#lookup.extension?.(className));
  }

  /** Would any question be answered differently now? */
  get outdated(): boolean {
    for (const { ask, answer } of this.#answers.values()) if (ask() !== answer) return true;
    return false;
  }

  /** All questions and answers as one text, for the hash of an artifact. */
  get transcript(): string {
    return JSON.stringify([...this.#answers].map(([question, { answer }]) => [question, answer]));
  }

  #recorded<T>(question: string, ask: () => T): T {
    const answer = ask();
    this.#answers.set(question, { ask: () => fingerprint(ask()), answer: fingerprint(answer) });
    return answer;
  }
}

function digestOf(secret: string | undefined): string | undefined {
  return secret === undefined ? undefined : createHash('sha256').update(secret).digest('base64');
}

function fingerprint(answer: unknown): string {
  return JSON.stringify(answer) ?? 'nothing';
}
