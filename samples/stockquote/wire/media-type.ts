/** A Content-Type header taken apart: the lower-case media type and its parameters by lower-case name. */
export interface MediaType {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const PARAMETER = /;\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/g;

/** Reads a Content-Type; an absent header gives the empty type. */
export function parseMediaType(header: string | undefined): MediaType {
  const text = header ?? '';
  const parameters = new Map<string, string>();
  for (const [, name = '', quoted, plain = ''] of text.matchAll(PARAMETER)) {
    parameters.set(name.toLowerCase(), quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1'));
  }
  return { type: (text.split(';', 1)[0] ?? '').trim().toLowerCase(), parameters };
}
