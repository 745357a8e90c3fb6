import { nearestName } from './diagnostic.ts';
import type { ConfigElement } from './element.ts';
import type { ArtifactReader } from './reader.ts';

/** Thrown by a value type for text that it cannot read; becomes a diagnostic at the attribute or parameter. */
export class ValueError extends Error {
  override readonly name = 'ValueError';
  readonly expected: string | undefined;
  readonly nearest: string | undefined;

  constructor(message: string, expected?: string, nearest?: string, options?: ErrorOptions) {
    super(message, options);
    this.expected = expected;
    this.nearest = nearest;
  }
}

/** What a value stands in: needed by types that look at namespaces or record references. */
export interface ValueContext {
  readonly element: ConfigElement;
  /** The attribute's or parameter's name. */
  readonly name: string;
  readonly reader: ArtifactReader;
}

/**
 * How the text of an attribute or a parameter becomes a value. What is declared here is validated, documented and shown by every
 * part of the product.
 */
export interface ValueType<T> {
  /** In the reader's words, for docs and for "expected …". */
  readonly expected: string;
  readonly doc: string;
  readonly required?: boolean;
  /** The reference's own words for a missing required value; of a parameter, `{artifact}` stands for the name of its artifact. */
  readonly missing?: string;
  /** The reference's own words for a value that cannot be read; the value and the reason follow them. */
  readonly invalid?: string;
  readonly default?: T | ((element: ConfigElement) => T);
  parse(text: string, context: ValueContext): T;
}

export type ValueTypes = Readonly<Record<string, ValueType<unknown>>>;

/** The values read for a table of types: undefined where a value is neither written, required nor defaulted. */
export type ValuesOf<T extends ValueTypes> = {
  readonly [K in keyof T]: T[K] extends ValueType<infer V>
    ? T[K] extends { readonly required: true } | { readonly default: V | ((element: ConfigElement) => V) }
      ? V
      : V | undefined
    : never;
};

/** Options shared by all value types. */
export interface TypeOptions<T> {
  readonly doc?: string;
  readonly required?: boolean;
  readonly missing?: string;
  readonly invalid?: string;
  readonly default?: T | ((element: ConfigElement) => T);
}

/** Makes a value type, keeping in its static type whether it is required or has a default. */
export function valueType<T, const O extends TypeOptions<T>>(
  expected: string,
  parse: (text: string, context: ValueContext) => T,
  options: O,
): ValueType<T> & O {
  return { expected, parse, ...options, doc: options.doc ?? '' } as ValueType<T> & O;
}

/** Any text, untouched. */
export function text<const O extends TypeOptions<string>>(options: O) {
  return valueType<string, O>('text', (value) => value, options);
}

/** Text that must not be empty or blank. */
export function nonEmptyText<const O extends TypeOptions<string>>(options: O) {
  return valueType<string, O>(
    'text that is not empty',
    (value) => {
      if (value.trim() === '') throw new ValueError('must not be empty', 'text that is not empty');
      return value;
    },
    options,
  );
}

/** One of a few exact words. */
export function oneOf<const W extends readonly string[], const O extends TypeOptions<W[number]>>(words: W, options: O) {
  const expected = `one of: ${words.join(', ')}`;
  return valueType<W[number], O>(
    expected,
    (value) => {
      if (!words.includes(value))
        throw new ValueError(`'${value}' is not allowed`, expected, nearestName(value, words));
      return value;
    },
    options,
  );
}

/** A decimal integer in Java's int range, blanks around it allowed (REQ-60). */
export function integer<const O extends TypeOptions<number> & { minimum?: number; maximum?: number }>(options: O) {
  const { minimum = -2_147_483_648, maximum = 2_147_483_647 } = options;
  const expected =
    options.minimum !== undefined ? `an integer from ${minimum} to ${maximum}` : 'an integer (at most 2147483647)';
  return valueType<number, O>(
    expected,
    (value) => {
      const trimmed = value.trim();
      const number = /^[+-]?\d{1,11}$/.test(trimmed) ? Number(trimmed) : Number.NaN;
      if (!(number >= minimum && number <= maximum)) throw new ValueError(`'${value}' is not a valid number`, expected);
      return number;
    },
    options,
  );
}

/** A duration in milliseconds. */
export function milliseconds<const O extends TypeOptions<number>>(options: O) {
  return integer({ minimum: 0, ...options });
}

/** `true` in any letter case is true, everything else false; other words than true and false are warned about (REQ-15). */
export function javaBoolean<const O extends TypeOptions<boolean>>(options: O) {
  return valueType<boolean, O>(
    'true or false',
    (value, { element, name, reader }) => {
      const word = value.trim().toLowerCase();
      if (word !== 'true' && word !== 'false') {
        reader.warning(element, `'${value}' is read as false for '${name}'`, {
          attribute: name,
          expected: 'true or false',
        });
      }
      return word === 'true';
    },
    options,
  );
}

/** A regular switch such as `trace="enable"`: only that exact word switches it on. */
export function enableSwitch(doc: string) {
  return valueType<boolean, { doc: string }>('enable', (value) => value === 'enable', { doc });
}

/** Documentation only; accepted everywhere. */
export const DESCRIPTION = text({ doc: 'Documentation only.' });

/**
 * Reads the attributes of an element against a table: unknown ones are warned about, wrong and missing ones reported as errors.
 * Undefined when at least one could not be read.
 */
export function readAttributes<T extends ValueTypes>(
  element: ConfigElement,
  types: T,
  reader: ArtifactReader,
): ValuesOf<T> | undefined {
  const { names, entries } = listed(types);
  reader.warnUnknownAttributes(element, names);
  const values: Record<string, unknown> = {};
  let complete = true;
  for (const [name, type] of entries) {
    const written = element.attribute(name);
    if (written === undefined) {
      if (type.required) {
        reader.error(element, type.missing ?? `The '${name}' attribute is required for the element '${element.name}'`, {
          expected: `${name}="…" (${type.expected})`,
        });
        complete = false;
      }
      values[name] = defaultOf(type, element);
      continue;
    }
    const outcome = readValue(written, type, { element, name, reader });
    if (outcome === FAILED) complete = false;
    else values[name] = outcome;
  }
  return complete ? (values as ValuesOf<T>) : undefined;
}

const FAILED = Symbol('failed');

interface ListedTypes {
  readonly names: readonly string[];
  readonly entries: ReadonlyArray<readonly [string, ValueType<unknown>]>;
}

const listings = new WeakMap<ValueTypes, ListedTypes>();

/** A table as a list, made once: it is read for every element of its kind. */
function listed(types: ValueTypes): ListedTypes {
  let listing = listings.get(types);
  if (!listing) {
    listing = { names: Object.keys(types), entries: Object.entries(types) };
    listings.set(types, listing);
  }
  return listing;
}

function readValue(written: string, type: ValueType<unknown>, context: ValueContext): unknown {
  try {
    return type.parse(written, context);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const lead = type.invalid
      ? `${type.invalid} : ${written}`
      : `attribute '${context.name}' of <${context.element.name}>`;
    context.reader.error(context.element, `${lead}: ${error.message}`, {
      attribute: context.name,
      ...(error.expected && { expected: error.expected }),
      ...(error.nearest && { nearest: error.nearest }),
    });
    return FAILED;
  }
}

export function defaultOf(type: ValueType<unknown>, element: ConfigElement): unknown {
  return typeof type.default === 'function' ? type.default(element) : type.default;
}

/**
 * One of a few words; undefined after an error in the reference's own words, which name neither the value nor what it may be.
 * @param problem those words
 */
export function knownWord<W extends string>(
  element: ConfigElement,
  attribute: string,
  written: string,
  words: readonly W[],
  problem: string,
  reader: ArtifactReader,
): W | undefined {
  const word = words.find((known) => known === written);
  if (word !== undefined) return word;
  const nearest = nearestName(written, words);
  reader.error(element, problem, { attribute, expected: `one of: ${words.join(', ')}`, ...(nearest && { nearest }) });
  return undefined;
}
