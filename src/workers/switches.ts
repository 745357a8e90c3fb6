import type { Endpoint } from '../endpoints/endpoint.ts';
import {
  artifactLogLevels,
  type LogLevel,
  logCategories,
  logLevel,
  setArtifactLogLevel,
  setLogLevel,
} from '../logging/index.ts';
import type { Configuration } from '../message/configuration.ts';

/*
 * What operators change in the running flow, as the owner's management API has left it. The owner tells all of it whenever something is
 * different, and takers make it theirs: so a taker that starts later, or deploys something anew, has it as well.
 */

/** The state of all switches. */
export interface Switches {
  readonly proxies: ReadonlyArray<readonly [name: string, active: boolean]>;
  /** Keys of {@link switchable}. */
  readonly endpointsOff: readonly string[];
  readonly log: {
    readonly general: LogLevel;
    /** Categories with another level than the general one. */
    readonly categories: ReadonlyArray<readonly [category: string, level: LogLevel]>;
    readonly artifacts: ReadonlyArray<{ readonly kind: string; readonly name: string; readonly level: LogLevel }>;
  };
}

const MAX_DEPTH = 10;

/** How they stand in this process. */
export function readSwitches(configuration: Configuration): Switches {
  const general = logLevel();
  const off = [...switchable(configuration)].filter(([, endpoint]) => endpoint.describe().state === 'OFF');
  return {
    proxies: configuration.names('proxy').map((name) => [name, configuration.find('proxy', name)?.active !== false]),
    endpointsOff: off.map(([key]) => key),
    log: {
      general,
      categories: logCategories().flatMap((category) => {
        const level = logLevel(category);
        return level === general ? [] : [[category, level] as const];
      }),
      artifacts: artifactLogLevels(),
    },
  };
}

/** The endpoints that an operator can switch: named ones, and what is written inside of named groups. */
function* switchable(configuration: Configuration): Generator<readonly [key: string, endpoint: Endpoint]> {
  for (const name of configuration.names('endpoint')) {
    const endpoint = configuration.find('endpoint', name);
    if (endpoint) yield* withMembers(name, endpoint, 0);
  }
}

function* withMembers(key: string, endpoint: Endpoint, depth: number): Generator<readonly [string, Endpoint]> {
  if (endpoint.switchTo) yield [key, endpoint];
  else if (depth < MAX_DEPTH && endpoint.kind !== 'indirect')
    for (const [index, member] of (endpoint.members ?? []).entries())
      yield* withMembers(`${key}/${index}`, member, depth + 1);
}

/** Makes the owner's switches those of this process. */
export class FollowedSwitches {
  /** Categories whose lines the owner has already written for all: their level here is WARN, unless somebody wants to see more. */
  readonly #quiet: readonly string[];
  #last: Switches | undefined;
  #categories: ReadonlySet<string> = new Set();

  constructor(quiet: readonly string[]) {
    this.#quiet = quiet;
    for (const category of quiet) setLogLevel(category, quieter(logLevel(category)));
  }

  follow(switches: Switches, configuration: Configuration): void {
    this.#last = switches;
    this.deployed(configuration);
    this.#setLevels(switches.log);
  }

  /** There are other artifacts, which know of no switches. */
  deployed(configuration: Configuration): void {
    if (!this.#last) return;
    // One that the owner has not deployed yet stays as its artifact says.
    for (const [name, active] of this.#last.proxies) {
      const proxy = configuration.find('proxy', name);
      if (proxy) proxy.active = active;
    }
    const off = new Set(this.#last.endpointsOff);
    for (const [key, endpoint] of switchable(configuration)) {
      const isOff = endpoint.describe().state === 'OFF';
      if (isOff !== off.has(key)) endpoint.switchTo?.(isOff);
    }
  }

  #setLevels({ general, categories, artifacts }: Switches['log']): void {
    setLogLevel(undefined, general);
    const own = new Map(categories);
    for (const category of this.#categories) if (!own.has(category)) setLogLevel(category, undefined);
    this.#categories = new Set(own.keys());
    for (const category of this.#quiet) if (!own.has(category)) setLogLevel(category, quieter(general));
    for (const [category, level] of own) setLogLevel(category, level);
    const wanted = new Set(artifacts.map(({ kind, name }) => `${kind}/${name}`));
    for (const artifact of artifactLogLevels())
      if (!wanted.has(`${artifact.kind}/${artifact.name}`)) setArtifactLogLevel(artifact, undefined);
    for (const { kind, name, level } of artifacts) setArtifactLogLevel({ kind, name }, level);
  }
}

function quieter(level: LogLevel): LogLevel {
  return level === 'info' ? 'warn' : level;
}
