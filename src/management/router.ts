import { nearestName } from '../grammar/diagnostic.ts';
import { ManagementError } from './management-error.ts';
import type { Method, Resource } from './resource.ts';

/** A resource with the values of its path's places. */
export interface Route {
  readonly resource: Resource;
  readonly parameters: Readonly<Record<string, string>>;
}

interface PathEntry {
  readonly path: string;
  readonly segments: readonly string[];
  readonly byMethod: ReadonlyMap<string, Resource>;
}

/** Finds the resource of a request. Of several paths that match, the one with the earlier fixed segment wins. */
export class Router {
  readonly #entries: readonly PathEntry[];

  constructor(resources: readonly Resource[]) {
    const byPath = Map.groupBy(resources, ({ path }) => path);
    this.#entries = [...byPath].map(([path, group]) => {
      const byMethod = new Map<string, Resource>(group.map((resource) => [resource.method, resource]));
      if (byMethod.size < group.length) throw new Error(`Two resources are declared for one method of ${path}`);
      return { path, segments: segmentsOf(path), byMethod };
    });
    this.#entries = [...this.#entries].sort((left, right) => rank(left).localeCompare(rank(right)));
  }

  /** @throws ManagementError 400 for a path that cannot be decoded, 404 with the nearest path, 405 with `Allow` */
  find(method: string, path: string): Route {
    const segments = decoded(path);
    for (const entry of this.#entries) {
      const parameters = match(entry.segments, segments);
      if (!parameters) continue;
      const resource = entry.byMethod.get(method === 'HEAD' ? 'GET' : method);
      if (resource) return { resource, parameters };
      throw methodNotAllowed([...entry.byMethod.keys()] as Method[]);
    }
    const known = this.#entries.map((entry) => entry.path).filter((candidate) => !candidate.includes('{'));
    throw new ManagementError(404, `There is no management resource ${path}`, { didYouMean: nearestName(path, known) });
  }
}

function methodNotAllowed(methods: readonly Method[]): ManagementError {
  const named =
    methods.length > 1 ? `${methods.slice(0, -1).join(', ')} and ${methods.at(-1)} are` : `${methods[0]} is`;
  const allow = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
  return new ManagementError(405, `Only ${named} allowed here`, { headers: { Allow: allow.join(', ') } });
}

function segmentsOf(path: string): string[] {
  return path.split('/').slice(1);
}

function decoded(path: string): string[] {
  try {
    return segmentsOf(path).map(decodeURIComponent);
  } catch (cause) {
    throw new ManagementError(400, 'The path is not percent-encoded as it should be', {}, { cause });
  }
}

function match(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  const parameters: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index];
    if (segment === undefined) return undefined;
    const [, name, rest] = /^\{(\w+)(\+?)\}$/.exec(part) ?? [];
    if (name === undefined) {
      if (part !== segment) return undefined;
    } else if (segment === '') {
      return undefined;
    } else if (rest === '+') {
      parameters[name] = segments.slice(index).join('/');
      return parameters;
    } else parameters[name] = segment;
  }
  return segments.length === pattern.length ? parameters : undefined;
}

/** Sorts fixed segments before places, and places of one segment before those that take the rest. */
function rank({ segments }: PathEntry): string {
  return segments.map((part) => (part.endsWith('+}') ? '~~' : part.startsWith('{') ? '~' : `!${part}`)).join('/');
}
