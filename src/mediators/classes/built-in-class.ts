import type { Rest } from '../../mediation/continuation.ts';
import type { MessageContext } from '../../message/message-context.ts';

/** What an opened class is told about its place. */
export interface ClassPlace {
  /** What comes after the class mediator, for classes that run sequences. */
  readonly rest: Rest;
}

/**
 * One use of a class.
 * @param properties all of them; those with an `expression` evaluated on this message, '' when that finds nothing
 * @returns false: the flow stops here
 * @throws MediationError, which the fault stack gets as it is; any other error becomes the fault of a class mediator
 */
export type ClassMediate = (
  message: MessageContext,
  properties: ReadonlyMap<string, string>,
) => boolean | Promise<boolean>;

/** A Java class of the reference, its samples or its EIP library that is built in; a mapping in the configuration wins. */
export interface BuiltInClass {
  readonly className: string;
  /** Its properties; others are errors, as in the reference, which has no setter for them. */
  readonly properties: readonly string[];
  /** Called once for each `<class>`. */
  open(place: ClassPlace): ClassMediate;
}

/** A property that must be a whole number. @throws Error for anything else */
export function integerProperty(properties: ReadonlyMap<string, string>, name: string, fallback: number): number {
  const written = properties.get(name)?.trim();
  if (written === undefined || written === '') return fallback;
  if (/^[+-]?\d{1,9}$/.test(written)) return Number(written);
  throw new Error(`property '${name}' is '${written}', expected a whole number`);
}
