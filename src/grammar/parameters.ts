import { defaultOf, ValueError, type ValuesOf, type ValueType, type ValueTypes } from './attributes.ts';
import { nearestName } from './diagnostic.ts';
import type { ConfigElement } from './element.ts';
import type { ArtifactReader } from './reader.ts';

/** `<parameter name="…">` values of stores and processors; types as for attributes. */
export type ParameterTypes = ValueTypes;
export type ParametersOf<P extends ParameterTypes> = ValuesOf<P>;

/** One `<parameter>` as written. */
export interface WrittenParameter {
  readonly name: string;
  /** Trimmed (REQ-60). */
  readonly value: string;
  readonly element: ConfigElement;
}

/**
 * The `<parameter>` children of an element. Of duplicate names the last one wins; a nameless one is an error with the reference's
 * words (spec stores 1.1, 1.2).
 */
export function writtenParameters(element: ConfigElement, reader: ArtifactReader): Map<string, WrittenParameter> {
  const found = new Map<string, WrittenParameter>();
  for (const child of element.childrenNamed('parameter')) {
    const name = child.attribute('name')?.trim();
    if (!name) {
      reader.error(child, 'Invalid MessageStore parameter - Parameter must have a name ', {
        expected: '<parameter name="…">value</parameter>',
      });
      continue;
    }
    if (found.has(name)) reader.warning(child, `parameter '${name}' is given twice; the last one is used`);
    found.set(name, { name, value: child.text.trim(), element: child });
  }
  return found;
}

/**
 * Reads parameters against a table of types (REQ-03: wrong values are deployment errors that name the parameter and the value).
 * Unknown parameters are accepted with a warning when their name is near to a known one; `x.` parameters must be known.
 */
export function readParameters<P extends ParameterTypes>(
  element: ConfigElement,
  types: P,
  written: ReadonlyMap<string, WrittenParameter>,
  reader: ArtifactReader,
): ParametersOf<P> | undefined {
  const values: Record<string, unknown> = {};
  let complete = true;
  for (const [name, type] of Object.entries(types)) {
    const parameter = written.get(name);
    const outcome = parameter ? readParameter(parameter, type, reader) : absent(element, name, type, reader);
    if (outcome.failed) complete = false;
    else values[name] = outcome.value;
  }
  warnMisspelt(types, written, reader);
  return complete ? (values as ParametersOf<P>) : undefined;
}

type Outcome = { failed: true } | { failed: false; value: unknown };

function readParameter(parameter: WrittenParameter, type: ValueType<unknown>, reader: ArtifactReader): Outcome {
  const { name, value, element } = parameter;
  try {
    return { failed: false, value: type.parse(value, { element, name, reader }) };
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(element, `parameter '${name}': ${error.message}`, {
      ...(error.expected && { expected: error.expected }),
      ...(error.nearest && { nearest: error.nearest }),
    });
    return { failed: true };
  }
}

function absent(element: ConfigElement, name: string, type: ValueType<unknown>, reader: ArtifactReader): Outcome {
  if (!type.required) return { failed: false, value: defaultOf(type, element) };
  const artifact = element.attribute('name') ?? '';
  reader.error(element, type.missing?.replace('{artifact}', artifact) ?? `parameter '${name}' is required`, {
    expected: `<parameter name="${name}">${type.expected}</parameter>`,
  });
  return { failed: true };
}

function warnMisspelt(
  types: ParameterTypes,
  written: ReadonlyMap<string, WrittenParameter>,
  reader: ArtifactReader,
): void {
  const known = Object.keys(types);
  for (const { name, element } of written.values()) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    if (name.startsWith('x.')) {
      reader.error(element, `unknown extension parameter '${name}'`, nearest ? { nearest } : {});
    } else if (nearest) {
      reader.warning(element, `unknown parameter '${name}' is ignored`, { nearest });
    }
  }
}
