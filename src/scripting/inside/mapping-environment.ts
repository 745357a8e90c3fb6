/*
 * Runs inside the sandbox, see `xml-tree.ts`: self-contained. What a generated mapping finds (spec mediators 3.33): the input in the
 * global variables that it names, and `DM_PROPERTIES`.
 */

export interface MappingRun {
  /** Runs the mapping; its result as JSON. */
  finish(): string;
}

/** What the host hands in. */
export interface MappingInput {
  readonly input: unknown;
  readonly properties: unknown;
  /** Global variables that hold the input. */
  readonly names: readonly string[];
  /** The function to call, and the global variable that holds the output if it returns none. */
  readonly call: string;
  readonly output: string;
}

export function mappingEnvironment(_host: unknown, given: string): MappingRun {
  const { stringify, parse } = JSON;
  const { input, properties, names, call, output } = parse(given) as MappingInput;
  const scope = globalThis as unknown as Record<string, unknown>;
  scope.DM_PROPERTIES = properties;
  for (const name of names) scope[name] = input;
  return {
    finish() {
      const mapping = scope[call];
      if (typeof mapping !== 'function') throw new TypeError(`the mapping has no function ${call}`);
      const result: unknown = mapping(input);
      return stringify(result ?? scope[output] ?? null);
    },
  };
}
