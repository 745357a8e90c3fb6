import { JobError } from '../isolation/jobs.ts';

/** A schema of the data mapper: JSON Schema with the names that XML needs (spec mediators 3.33). */
export interface MappingSchema {
  readonly title?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, MappingSchema>>;
  readonly attributes?: Readonly<Record<string, MappingSchema>>;
  readonly items?: MappingSchema | readonly MappingSchema[];
  readonly namespaces?: ReadonlyArray<{ readonly prefix: string; readonly url: string }>;
  readonly inputType?: string;
  readonly outputType?: string;
}

/** @throws JobError */
export function readSchema(text: string, which: string): MappingSchema {
  try {
    const schema: unknown = JSON.parse(text);
    if (typeof schema === 'object' && schema !== null && !Array.isArray(schema)) return schema;
  } catch (cause) {
    throw new JobError(`the ${which} schema is no JSON: ${(cause as Error).message}`, { cause });
  }
  throw new JobError(`the ${which} schema is no JSON object`);
}

/** The one kind of a schema; null beside another kind does not count. */
export function kindOf({ type, properties, items }: MappingSchema): string {
  const kind = typeof type === 'string' ? type : type?.find((candidate) => candidate !== 'null');
  return kind ?? (properties ? 'object' : items ? 'array' : 'string');
}

export function itemsOf({ items }: MappingSchema): MappingSchema {
  if (Array.isArray(items)) return (items[0] as MappingSchema | undefined) ?? {};
  return (items as MappingSchema | undefined) ?? {};
}

/** A name of a schema as scripts write it: `ns:name` is `ns_name`. */
export function identifierOf(name: string): string {
  return name.replace(/[^\w$]/g, '_');
}

/** Attributes go by this in front of their name. */
export const ATTRIBUTE_PREFIX = 'attr_';
/** The text of an element that has attributes or children, too. */
export const TEXT_MEMBER = '_ELEMVAL';

export function namespacesOf({ namespaces = [] }: MappingSchema): ReadonlyMap<string, string> {
  return new Map(namespaces.map(({ prefix, url }) => [prefix, url]));
}
