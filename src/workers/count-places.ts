import type { RunningArtifact, Snapshot } from '../deployment/snapshot.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import type { Sequence } from '../mediation/sequence.ts';
import type { SequenceReference } from '../mediation/sequence-reference.ts';
import type { StepList } from '../mediation/step.ts';
import type { EntryKind } from '../message/flow-observer.ts';
import type { LatencyHistogram } from '../observation/latency.ts';
import type { Observation } from '../observation/observation.ts';

/** Something that is counted where messages pass: plain numbers that only grow, but for `inFlight`, and maybe a histogram. */
export interface Counted {
  inFlight?: number;
  readonly latency?: LatencyHistogram;
}

/** What is counted, under a name that it has in every worker that has deployed the same. */
export type CountPlace = readonly [key: string, counted: Counted];

const ENTRY_KINDS: readonly EntryKind[] = ['proxy', 'api', 'inboundEndpoint', 'sequence'];
const MAX_DEPTH = 10;

/** The counts of what came in where; they outlive redeployments. */
export function* entryPlaces({ flows }: Pick<Observation, 'flows'>): Generator<CountPlace> {
  yield ['total', flows.total];
  for (const kind of ENTRY_KINDS) for (const [name, counts] of flows.all(kind)) yield [`entry/${kind}/${name}`, counts];
}

/** The entry that a key of {@link entryPlaces} means, made when nothing came in there yet. */
export function entryPlace({ flows }: Pick<Observation, 'flows'>, key: string): Counted | undefined {
  if (key === 'total') return flows.total;
  const [, kind, name] = /^entry\/([a-zA-Z]+)\/(.*)$/s.exec(key) ?? [];
  const known = ENTRY_KINDS.find((one) => one === kind);
  return known && name !== undefined ? flows.countsOf(known, name) : undefined;
}

/**
 * The counts of mediators, lists of them and endpoints, which live and die with their definitions: their keys say which version of an
 * artifact they belong to.
 */
export function* flowPlaces(snapshot: Snapshot): Generator<CountPlace> {
  for (const running of snapshot.artifacts) yield* artifactPlaces(running);
  for (const name of ['main', 'fault']) {
    const own = snapshot.artifacts.some(({ artifact }) => artifact.kind === 'sequence' && artifact.name === name);
    const builtIn = own ? undefined : snapshot.find('sequence', name);
    if (builtIn) yield* sequencePlaces(`built-in/${name}`, builtIn);
  }
}

function* artifactPlaces({ artifact, running }: RunningArtifact): Generator<CountPlace> {
  const key = `${artifact.kind}/${artifact.name}@${artifact.hash}`;
  if (running === undefined) return;
  switch (artifact.kind) {
    case 'proxy': {
      const { inSequence, outSequence, faultSequence, endpoint } = artifact.content;
      yield* referencePlaces(`${key}/in`, inSequence);
      yield* referencePlaces(`${key}/out`, outSequence);
      yield* referencePlaces(`${key}/fault`, faultSequence);
      if (endpoint?.kind === 'inline') yield* endpointPlaces(`${key}/endpoint`, endpoint.endpoint);
      return;
    }
    case 'api':
      for (const [index, resource] of artifact.content.resources.entries()) {
        yield* referencePlaces(`${key}/${index}/in`, resource.inSequence);
        yield* referencePlaces(`${key}/${index}/out`, resource.outSequence);
        yield* referencePlaces(`${key}/${index}/fault`, resource.faultSequence);
      }
      return;
    case 'sequence':
      return yield* sequencePlaces(key, artifact.content);
    case 'template':
      if (artifact.content.kind === 'sequence') yield* sequencePlaces(key, artifact.content.body);
      return;
    case 'endpoint':
      return yield* endpointPlaces(key, artifact.content);
    case 'localEntry':
      if (artifact.content.sequence) yield* sequencePlaces(key, artifact.content.sequence);
      if (artifact.content.endpoint) yield* endpointPlaces(key, artifact.content.endpoint);
      return;
    default:
  }
}

function referencePlaces(key: string, reference: SequenceReference | undefined): Iterable<CountPlace> {
  return reference?.kind === 'inline' ? sequencePlaces(key, reference.sequence) : [];
}

function sequencePlaces(key: string, { list }: Sequence): Generator<CountPlace> {
  return listPlaces(key, list);
}

function* listPlaces(key: string, list: StepList): Generator<CountPlace> {
  yield [key, list.counts as Counted];
  for (const [index, { counts, branches, endpoints }] of list.steps.entries()) {
    const place = `${key}/${index}`;
    yield [place, counts as Counted];
    for (const [number, branch] of branches.entries()) yield* listPlaces(`${place}/${number}`, branch);
    for (const [number, endpoint] of endpoints.entries()) yield* endpointPlaces(`${place}/endpoint${number}`, endpoint);
  }
}

/** An endpoint and those that are written inside it, not those that it names. */
function* endpointPlaces(key: string, endpoint: Endpoint, depth = 0): Generator<CountPlace> {
  if (endpoint.counts) yield [key, endpoint.counts];
  if (depth >= MAX_DEPTH || endpoint.kind === 'indirect') return;
  for (const [index, member] of (endpoint.members ?? []).entries())
    yield* endpointPlaces(`${key}/${index}`, member, depth + 1);
}
