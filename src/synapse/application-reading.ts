import type { CompositeApplication } from '../composite/composite-application.ts';
import type { ArtifactSource, Diagnostic, Position } from '../grammar/diagnostic.ts';
import { type Artifact, claimedKeys, describeArtifact } from './artifact.ts';
import { type ArtifactFileReading, readArtifactFile } from './artifact-file.ts';
import type { ArtifactLookup } from './lookup.ts';

/**
 * The reading of a composite application: that of all its artifact files together. Where anything is wrong with one of them, nothing
 * of the application is deployed (spec proxies 7.6).
 * @param source the archive's name; it has no text of its own
 */
export function readApplication(
  source: ArtifactSource,
  application: CompositeApplication,
  lookup: ArtifactLookup,
): ArtifactFileReading {
  const readings = application.sources.map((part) => readPart(part, lookup));
  const diagnostics = [...application.diagnostics, ...readings.flatMap((reading) => reading.diagnostics)];
  const artifacts = readings.flatMap((reading) => reading.artifacts);
  diagnostics.push(...duplicates(artifacts));
  const good = !diagnostics.some(({ severity }) => severity === 'error');
  const sources = new Map(application.sources.map((part) => [part.file, part]));
  return {
    source,
    root: 'carbon application',
    artifacts: good ? artifacts : [],
    diagnostics,
    whole: good,
    outdated: () => readings.some((reading) => reading.outdated()),
    sourceAt: ({ file }: Position) => sources.get(file),
  };
}

/** An operation of a connector that cannot be had, as it is made of Java code, leaves the others alone. */
function readPart(part: ArtifactSource, lookup: ArtifactLookup): ArtifactFileReading {
  const reading = readArtifactFile(part, lookup);
  const { library } = part;
  if (!library || !reading.diagnostics.some(({ severity }) => severity === 'error')) return reading;
  const diagnostics = reading.diagnostics.map((diagnostic) =>
    diagnostic.severity === 'warning'
      ? diagnostic
      : {
          ...diagnostic,
          severity: 'warning' as const,
          message: `an operation of the connector '${library.name}' cannot be used: ${diagnostic.message}`,
        },
  );
  return { ...reading, diagnostics };
}

function duplicates(artifacts: readonly Artifact[]): Diagnostic[] {
  const places = new Map<string, Artifact>();
  const found: Diagnostic[] = [];
  for (const artifact of artifacts) {
    for (const key of claimedKeys(artifact)) {
      const first = places.get(key);
      if (!first) places.set(key, artifact);
      else {
        const message = `${describeArtifact(artifact)} is in this application twice, first in ${first.position.file}`;
        found.push({ severity: 'error', position: artifact.position, message });
      }
    }
  }
  return found;
}
