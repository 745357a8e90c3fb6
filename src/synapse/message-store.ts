import { customStoreKind } from '../extensions/custom-store.ts';
import { CLASS_NOT_MAPPED, mappedModule } from '../extensions/mapped-module.ts';
import { DESCRIPTION, nonEmptyText, readAttributes, text } from '../grammar/attributes.ts';
import { nearestName, type Position } from '../grammar/diagnostic.ts';
import type { ConfigElement } from '../grammar/element.ts';
import {
  type ParametersOf,
  type ParameterTypes,
  readParameters,
  type WrittenParameter,
  writtenParameters,
} from '../grammar/parameters.ts';
import { resolvePlaceholders } from '../grammar/placeholders.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { StoreKind } from '../stores/component.ts';
import { findStoreKind, storeClasses } from '../stores/index.ts';
import { customKind, ownParameters } from './custom-kind.ts';
import type { ArtifactLookup } from './lookup.ts';

/** A `<messageStore>` as read from its artifact: everything that opening it needs. */
export interface MessageStoreDefinition {
  readonly name: string;
  readonly position: Position;
  readonly kind: StoreKind;
  readonly parameters: ParametersOf<ParameterTypes>;
  /** All parameters as written (trimmed, placeholders and keys resolved), also unknown ones. */
  readonly written: ReadonlyMap<string, string>;
}

const ATTRIBUTES = {
  name: nonEmptyText({ required: true, missing: 'Message Store name not specified', doc: 'Its name.' }),
  class: text({ doc: 'The kind of store; absent: in memory.' }),
  description: DESCRIPTION,
} as const;

/** Parameters whose value is a path that is evaluated per message. */
const EXPRESSION_PARAMETERS: readonly string[] = ['store.resequence.id.path', 'x.dedup.id'];

/** Reads a `<messageStore>` (spec stores 1.1); undefined after an error. */
export function readMessageStore(
  element: ConfigElement,
  reader: ArtifactReader,
  lookup: ArtifactLookup,
): MessageStoreDefinition | undefined {
  const attributes = readAttributes(element, ATTRIBUTES, reader);
  reader.warnUnknownChildren(element, ['description', 'parameter']);
  const kind = readKind(element, attributes?.class, reader);
  const written = resolvedParameters(element, reader, lookup);
  if (!written) return undefined;
  const parameters = kind && readParameters(element, kind.parameters, ownParameters(kind, written), reader);
  if (!attributes || !kind || !parameters) return undefined;
  const { name } = attributes;
  const values = new Map([...written.values()].map((parameter) => [parameter.name, parameter.value]));
  const misfit = kind.misfit?.({ name, parameters, written: values });
  if (misfit) {
    reader.error(written.get(misfit.parameter)?.element ?? element, misfit.message);
    return undefined;
  }
  return { name, position: element.position, kind, parameters, written: values };
}

function readKind(
  element: ConfigElement,
  className: string | undefined,
  reader: ArtifactReader,
): StoreKind | undefined {
  const kind = className === '' ? undefined : findStoreKind(className);
  if (kind) return kind;
  const mapped = mappedModule(className ?? '', reader);
  if (mapped !== 'not-mapped') return customKind(element, mapped, reader, customStoreKind);
  const classes = storeClasses();
  const nearest = nearestName(className ?? '', classes);
  reader.error(element, `Error while instantiating the message store: unknown class '${className}'`, {
    attribute: 'class',
    expected: `one of: ${classes.join(', ')}. ${CLASS_NOT_MAPPED('openStore')}`,
    ...(nearest && { nearest }),
  });
  return undefined;
}

/** The parameters with their final text. Of one parameter, `expression` beats `key` beats text. Undefined after an error. */
function resolvedParameters(
  element: ConfigElement,
  reader: ArtifactReader,
  lookup: ArtifactLookup,
): Map<string, WrittenParameter> | undefined {
  const resolved = new Map<string, WrittenParameter>();
  let complete = true;
  for (const [name, parameter] of writtenParameters(element, reader)) {
    reader.warnUnknownAttributes(parameter.element, ['name', 'key', 'expression', 'description']);
    const value = resolvedValue(parameter, reader, lookup);
    if (value === undefined) complete = false;
    else resolved.set(name, { ...parameter, value });
  }
  return complete ? resolved : undefined;
}

function resolvedValue(
  parameter: WrittenParameter,
  reader: ArtifactReader,
  lookup: ArtifactLookup,
): string | undefined {
  const { element, name, value } = parameter;
  const expression = element.attribute('expression');
  if (expression !== undefined) return expressionText(name, expression, element, reader);
  const key = element.attribute('key');
  if (key === undefined) return resolvePlaceholders(value, element, reader);
  const entry = lookup.localEntry(key);
  if (entry === undefined) {
    reader.error(element, `Registry entry defined with key: ${key} not found.`, {
      attribute: 'key',
      expected: 'the key of a local entry that holds text',
    });
  }
  return entry?.trim();
}

function expressionText(
  name: string,
  expression: string,
  element: ConfigElement,
  reader: ArtifactReader,
): string | undefined {
  if (EXPRESSION_PARAMETERS.includes(name)) return expression.trim();
  reader.error(element, `parameter '${name}' takes a text, not an expression`, {
    attribute: 'expression',
    expected: `<parameter name="${name}">value</parameter>`,
  });
  return undefined;
}
