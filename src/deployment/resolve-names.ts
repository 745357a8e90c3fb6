import type { Diagnostic } from '../grammar/diagnostic.ts';
import {
  type Artifact,
  type ArtifactFileReading,
  type ArtifactKind,
  artifactKey,
  claimedKeys,
  describeArtifact,
} from '../synapse/index.ts';

/** A file that claims names. */
export interface Claimant {
  readonly path: string;
  readonly reading: ArtifactFileReading;
  /** What is served from it so far, by artifact key. */
  readonly incumbent: ReadonlyMap<string, Artifact>;
  /** Is that its last good version, to be replaced as a whole or not at all? */
  readonly wasWhole: boolean;
  /** On its way out: gives way to every other file. */
  readonly leaving: boolean;
}

/** An artifact that is served, with the file that it comes from. */
export interface ServedArtifact {
  readonly key: string;
  readonly path: string;
  readonly artifact: Artifact;
}

export interface NameResolution {
  /** By artifact key. */
  readonly served: ReadonlyMap<string, ServedArtifact>;
  /** By path: the names that a file does not get. */
  readonly refusals: ReadonlyMap<string, readonly Diagnostic[]>;
  /** The files that get all that they claim with their present version, and that is good as a whole. */
  readonly fulfilled: ReadonlySet<string>;
}

/** What a file is to serve; changed only towards less until no name is claimed twice. */
interface Choice {
  readonly claimant: Claimant;
  artifacts: Map<string, Artifact>;
  /** Serves its present version, not its last good one. */
  present: boolean;
  /** Names that it has lost; they never come back. */
  readonly lost: Set<string>;
  readonly refusals: Diagnostic[];
}

/**
 * Gives every name to one file. All files begin with their present version (so two files can swap names in one batch); while two
 * claim the same name, the one that has no right to it is taken back to what it served before, or loses that artifact.
 *
 * This ends: every step takes a name from a file for good. Where a winner is itself taken back later, its loser may claim the name
 * again the next time; see {@link ArtifactSet.resolve}.
 * @param claimants in the order in which they win where nobody serves the name yet
 */
export function resolveNames(claimants: readonly Claimant[]): NameResolution {
  const choices = claimants.map(firstChoice);
  for (let contested = contestedKeys(choices); contested.size > 0; contested = contestedKeys(choices)) {
    for (const key of contested) settle(key, choices);
  }
  return outcomeOf(choices);
}

function firstChoice(claimant: Claimant): Choice {
  const { reading, incumbent, wasWhole } = claimant;
  const present = reading.whole || !wasWhole;
  const artifacts = new Map(present && reading.whole ? [] : claimsOf(incumbent));
  if (present)
    for (const artifact of reading.artifacts) for (const key of claimedKeys(artifact)) artifacts.set(key, artifact);
  return { claimant, artifacts, present, lost: new Set(), refusals: [] };
}

/** What was served so far, by everything that it claims. */
function* claimsOf(incumbent: ReadonlyMap<string, Artifact>): Iterable<readonly [string, Artifact]> {
  for (const artifact of incumbent.values()) for (const key of claimedKeys(artifact)) yield [key, artifact];
}

function contestedKeys(choices: readonly Choice[]): Set<string> {
  const claimed = new Set<string>();
  const contested = new Set<string>();
  for (const { artifacts } of choices) {
    for (const key of artifacts.keys()) {
      if (claimed.has(key)) contested.add(key);
      claimed.add(key);
    }
  }
  return contested;
}

function settle(key: string, choices: readonly Choice[]): void {
  const rivals = choices.filter((choice) => choice.artifacts.has(key));
  if (rivals.length < 2) return;
  const winner = rivals.reduce((best, rival) => (hasPriority(rival, best, key) ? rival : best));
  for (const rival of rivals) if (rival !== winner) giveWay(rival, key, winner);
}

/** Does `rival` win against `best`, which stands before it in the order? */
function hasPriority(rival: Choice, best: Choice, key: string): boolean {
  if (rival.claimant.leaving !== best.claimant.leaving) return best.claimant.leaving;
  return holds(rival, key) && !holds(best, key);
}

function holds({ claimant }: Choice, key: string): boolean {
  return [...claimsOf(claimant.incumbent)].some(([held]) => held === key);
}

function giveWay(loser: Choice, key: string, winner: Choice): void {
  const { claimant } = loser;
  const artifact = loser.artifacts.get(key);
  const taken = winner.artifacts.get(key);
  if (artifact && taken && !claimant.leaving) loser.refusals.push(nameTaken(artifact, taken));
  for (const claimed of artifact ? claimedKeys(artifact) : [key]) {
    loser.lost.add(claimed);
    loser.artifacts.delete(claimed);
  }
  if (claimant.leaving || !loser.present) return;
  if (claimant.wasWhole) loser.artifacts.clear();
  loser.present = false;
  for (const former of claimant.incumbent.values()) {
    const keys = claimedKeys(former);
    if (keys.some((claimed) => loser.lost.has(claimed) || loser.artifacts.has(claimed))) continue;
    for (const claimed of keys) loser.artifacts.set(claimed, former);
  }
}

/** The reference's words where it has some (spec proxies 7.4, spec stores 1.4). */
const DUPLICATE: Readonly<Record<ArtifactKind, (name: string) => string>> = {
  proxy: (name) => `ProxyService named : ${name} already exists`,
  task: (name) => `Duplicate task definition : ${name}`,
  api: (name) => `API named : ${name} already exists`,
  inboundEndpoint: (name) => `Inbound Endpoint named : ${name} already exists`,
  sequence: (name) => `Sequence named : ${name} already exists.`,
  template: (name) => `Template named : ${name} already exists`,
  endpoint: (name) => `Endpoint named : ${name} already exists`,
  registry: (name) => `Registry named : ${name} already exists`,
  localEntry: (name) => `Local entry named : ${name} already exists`,
  priorityExecutor: (name) => `Executor named : ${name} already exists`,
  import: (name) => `Import named : ${name} already exists`,
  eventSource: (name) => `Event source named : ${name} already exists`,
  messageStore: (name) => `Duplicate message store : ${name}`,
  messageProcessor: (name) => `Duplicate Message Processor ${name}`,
};

function nameTaken(artifact: Artifact, taken: Artifact): Diagnostic {
  const { file, line, column } = taken.position;
  const shared =
    taken.kind === artifact.kind ? '' : '; sequences, endpoints, templates and local entries share one space of names';
  return {
    severity: 'error',
    position: artifact.position,
    message: `${wordsFor(artifact, taken)} (${describeArtifact(taken)} of ${file}:${line}:${column})`,
    expected: `a name of its own${shared}`,
  };
}

function wordsFor(artifact: Artifact, taken: Artifact): string {
  if (artifact.kind === 'api' && taken.kind === 'api' && artifact.name !== taken.name)
    return `URL context: ${artifact.content.context} is already registered with the API: ${taken.name}`;
  return DUPLICATE[artifact.kind](artifact.name);
}

function outcomeOf(choices: readonly Choice[]): NameResolution {
  const served = new Map<string, ServedArtifact>();
  const refusals = new Map<string, readonly Diagnostic[]>();
  const fulfilled = new Set<string>();
  for (const { claimant, artifacts, present, refusals: own } of choices) {
    const { path } = claimant;
    for (const artifact of new Set(artifacts.values())) {
      const key = artifactKey(artifact.kind, artifact.name);
      served.set(key, { key, path, artifact });
    }
    if (own.length > 0) refusals.set(path, own);
    else if (present && claimant.reading.whole) fulfilled.add(path);
  }
  return { served, refusals, fulfilled };
}
