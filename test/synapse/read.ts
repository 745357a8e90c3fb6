import { formatDiagnostic } from '../../src/grammar/diagnostic.ts';
import { type ArtifactFileReading, type ArtifactLookup, readArtifactFile } from '../../src/synapse/index.ts';

export const SYN = 'xmlns="http://ws.apache.org/ns/synapse"';

/** Knows nothing; tests say what is known. */
export const NOTHING: ArtifactLookup = {
  environment: () => undefined,
  fileProperty: () => undefined,
  configuration: () => undefined,
  localEntry: () => undefined,
  resource: () => ({ pending: true }),
};

export function read(text: string, lookup: Partial<ArtifactLookup> = {}): ArtifactFileReading {
  return readArtifactFile({ file: 'test.xml', text }, { ...NOTHING, ...lookup });
}

/** `line:column severity message` of every problem. */
export function problems(reading: ArtifactFileReading): string[] {
  return reading.diagnostics.map(
    ({ position: { line, column }, severity, message }) => `${line}:${column} ${severity} ${message}`,
  );
}

export function printed(reading: ArtifactFileReading): string {
  return reading.diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, reading.source)).join('\n');
}

/** The content of the only artifact, which must be of that kind. */
export function only<K extends ArtifactFileReading['artifacts'][number]['kind']>(
  reading: ArtifactFileReading,
  kind: K,
) {
  const [artifact, ...others] = reading.artifacts;
  if (artifact?.kind !== kind || others.length > 0) {
    throw new Error(`expected one ${kind}, got ${JSON.stringify(problems(reading))}`);
  }
  return artifact as Extract<typeof artifact, { kind: K }>;
}
