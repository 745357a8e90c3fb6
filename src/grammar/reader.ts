import type { Endpoint } from '../endpoints/endpoint.ts';
import type { ModuleAnswer } from '../extensions/loaded-module.ts';
import { noteSecret } from '../logging/secrets.ts';
import { type Diagnostic, nearestName, type Position } from './diagnostic.ts';
import type { ConfigElement } from './element.ts';

/** The kinds of artifact that others refer to by name. */
export type ReferenceKind =
  | 'sequence'
  | 'endpoint'
  | 'messageStore'
  | 'messageProcessor'
  | 'localEntry'
  | 'template'
  /** Of a connector, as `library.operation`. */
  | 'operation'
  /** A connector library by its name. */
  | 'library'
  | 'eventSource';

/** A static reference by name, resolved per message; a dangling one is warned about at deployment (REQ-12, OP-33). */
export interface Reference {
  readonly kind: ReferenceKind;
  readonly name: string;
  readonly position: Position;
  /** The attribute that names it, where it is one. */
  readonly attribute?: string;
}

/** What `$SYSTEM:NAME`, `$FILE:KEY` and `${configs.name}` in an artifact stand for (spec proxies 7.7). */
export interface PlaceholderValues {
  environment(name: string): string | undefined;
  fileProperty(key: string): string | undefined;
  configuration(name: string): string | undefined;
  /** What `{wso2:vault-lookup('alias')}` stands for (spec proxies 7.8); absent where no secrets are known. */
  secret?(alias: string): string | undefined;
  /** The module that the configuration maps a class name to; undefined when it maps it to none. */
  extension?(className: string): ModuleAnswer | undefined;
}

const ENVIRONMENT: PlaceholderValues = {
  environment: (name) => process.env[name],
  fileProperty: () => undefined,
  configuration: () => undefined,
};

/**
 * Collects what the reading of one artifact file finds: all of its problems at once (OP-35) and the names it refers to.
 */
export class ArtifactReader {
  readonly diagnostics: Diagnostic[] = [];
  readonly references: Reference[] = [];
  /** The endpoints that are written inside mediators, in the order in which they were read. */
  readonly endpoints: Endpoint[] = [];
  readonly values: PlaceholderValues;
  /** What no problem may show, as it is and as it is quoted. */
  readonly #secrets = new Set<string>();

  constructor(values: PlaceholderValues = ENVIRONMENT) {
    this.values = values;
  }

  get failed(): boolean {
    return this.diagnostics.some((diagnostic) => diagnostic.severity === 'error');
  }

  error(element: ConfigElement, message: string, details: ProblemDetails = {}): void {
    this.#report('error', element, message, details);
  }

  warning(element: ConfigElement, message: string, details: ProblemDetails = {}): void {
    this.#report('warning', element, message, details);
  }

  /** From now on neither problems nor parameters show this value: whoever may see those may not see secrets (REQ-20). */
  conceal(secret: string): void {
    noteSecret(secret);
    if (secret !== '') this.#secrets.add(secret).add(JSON.stringify(secret).slice(1, -1));
  }

  refer(kind: ReferenceKind, name: string, element: ConfigElement, attribute?: string): void {
    const position = attribute ? element.attributePosition(attribute) : element.position;
    this.references.push({ kind, name, position, ...(attribute !== undefined && { attribute }) });
  }

  /** Warns about attributes that nobody reads (REQ-14, MREQ-3). */
  warnUnknownAttributes(element: ConfigElement, known: readonly string[]): void {
    for (const name of element.attributeNames()) {
      if (known.includes(name)) continue;
      const nearest = nearestName(name, known);
      const details = { attribute: name, expected: `one of: ${known.join(', ')}`, ...(nearest && { nearest }) };
      this.warning(element, `unknown attribute '${name}' of <${element.name}> is ignored`, details);
    }
  }

  /** Warns about child elements that nobody reads (MREQ-3). */
  warnUnknownChildren(element: ConfigElement, known: readonly string[]): void {
    for (const child of element.children) {
      if (known.includes(child.name)) continue;
      const nearest = nearestName(child.name, known);
      const expected = known.length > 0 ? `one of: ${known.join(', ')}` : 'no child elements';
      const details = { expected, ...(nearest && { nearest }) };
      this.warning(child, `unknown element <${child.name}> inside <${element.name}> is ignored`, details);
    }
  }

  #report(severity: Diagnostic['severity'], element: ConfigElement, message: string, details: ProblemDetails): void {
    const { attribute, position, expected, nearest } = details;
    const at = position ?? (attribute ? element.attributePosition(attribute) : element.position);
    const told = this.#withoutSecrets(message);
    this.diagnostics.push({
      severity,
      position: at,
      message: told,
      path: element.path,
      ...(expected !== undefined && { expected: this.#withoutSecrets(expected) }),
      // What is near to a secret tells of it, too.
      ...(nearest !== undefined && told === message && { nearest }),
    });
  }

  /** The longest first, as one may be a part of another. */
  #withoutSecrets(text: string): string {
    if (this.#secrets.size === 0) return text;
    const longestFirst = [...this.#secrets].sort((one, other) => other.length - one.length);
    return longestFirst.reduce((left, secret) => left.replaceAll(secret, '*****'), text);
  }
}

export interface ProblemDetails {
  /** Points at this attribute instead of the element. */
  readonly attribute?: string;
  /** Points exactly here. */
  readonly position?: Position;
  readonly expected?: string;
  readonly nearest?: string;
}
