import type { ArtifactFileReading } from './artifact-file.ts';

/**
 * The reading of a file where nothing is let pass (MREQ-3, `[mini_synapse] strict_artifacts`, `check --strict`): what is usually warned
 * about, such as an unknown attribute, is wrong, and nothing of the file is used.
 */
export function strictly(reading: ArtifactFileReading): ArtifactFileReading {
  if (!reading.diagnostics.some(({ severity }) => severity === 'warning')) return reading;
  const diagnostics = reading.diagnostics.map((diagnostic) => ({ ...diagnostic, severity: 'error' as const }));
  return { ...reading, artifacts: [], diagnostics, whole: false };
}
