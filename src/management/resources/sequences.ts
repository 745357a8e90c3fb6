import type { Sequence } from '../../mediation/sequence.ts';
import { configurationNamed, containerOf, deployedArtifact, placeNamed } from '../artifact-places.ts';
import { LIST_QUERY, listing, named, partOf, partsOf, searched } from '../list.ts';
import type { ManagedServer } from '../managed-server.ts';
import { ManagementError } from '../management-error.ts';
import { resource } from '../resource.ts';
import { COUNT, object, TEXT, TEXTS } from '../schemas.ts';
import { artifactChangeBody } from '../status-change.ts';
import { SWITCHED, switchTracing, tracingWord } from '../tracing-switch.ts';

const ROW = object(
  { name: TEXT, container: TEXT, stats: TEXT, tracing: TEXT },
  { mediators: TEXTS, configuration: TEXT, file: TEXT, line: COUNT },
);

/** `GET /management/sequences` (spec proxies 8.2, 8.3). */
export const readSequences = resource({
  method: 'GET',
  path: '/management/sequences',
  role: 'viewer',
  summary: 'Sequences, or one of them in detail',
  tag: 'sequences',
  query: { sequenceName: { type: 'string' }, ...LIST_QUERY },
  answers: { 200: { anyOf: [partsOf(ROW), ROW] }, 404: { type: 'object' } },
  answer({ query: { sequenceName: name, searchKey, ...wanted } }, server) {
    const configuration = server.configuration();
    if (name === undefined) {
      const { part, beside } = partOf(searched(configuration, 'sequence', searchKey), wanted);
      return {
        status: 200,
        body: listing(
          part.map((sequence) => listed(sequence, server)),
          beside,
        ),
      };
    }
    const sequence = named(configuration, 'sequence', name, `Specified sequence ('${name}') not found`);
    const mediators = sequence.list.steps.map(({ mediator }) => mediator);
    const details = { mediators, ...configurationNamed(server, 'sequence', name) };
    return { status: 200, body: { ...listed(sequence, server), ...details } };
  },
});

/** `POST /management/sequences`: the tracing switch. */
export const changeSequence = resource({
  method: 'POST',
  path: '/management/sequences',
  role: 'operator',
  summary: 'Switches the tracing of a sequence',
  tag: 'sequences',
  body: artifactChangeBody('sequenceName'),
  answers: { 200: SWITCHED, 404: { type: 'object' } },
  answer({ body, audit }, server) {
    const name = body.name ?? body.sequenceName ?? '';
    audit({ type: 'sequence', name, action: body.trace ?? body.statistics ?? '', detail: 'tracing' });
    named(server.configuration(), 'sequence', name, `Specified sequence ('${name}') not found`);
    const done = switchTracing(server, body, { kind: 'sequence', name });
    if (!done) throw new ManagementError(400, 'Missing parameters in payload');
    return { status: 200, body: done };
  },
});

function listed({ name = '' }: Sequence, server: ManagedServer) {
  const deployed = deployedArtifact(server, 'sequence', name);
  const container = deployed && containerOf(server, deployed);
  return {
    name,
    container: container ?? '',
    stats: 'enabled',
    tracing: tracingWord(server, 'sequence', name),
    ...placeNamed(server, 'sequence', name),
  };
}
