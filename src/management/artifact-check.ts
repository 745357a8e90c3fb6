import { fileVersion } from '../deployment/file-version.ts';
import { codeFrame, type Diagnostic } from '../grammar/diagnostic.ts';
import { type ArtifactFileReading, claimedKeys, describeArtifact } from '../synapse/index.ts';
import type { ManagedServer } from './managed-server.ts';
import { COUNT, object, TEXT } from './schemas.ts';

/** A diagnostic as the API shows it (OP-35). */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly line: number;
  readonly column: number;
  readonly frame: string;
  readonly expected?: string;
  readonly didYouMean?: string;
  readonly at?: string;
}

export const PROBLEM = object(
  { severity: { enum: ['error', 'warning'] }, message: TEXT, line: COUNT, column: COUNT, frame: TEXT },
  { expected: TEXT, didYouMean: TEXT, at: TEXT },
);

export function problemOf(diagnostic: Diagnostic, reading: Pick<ArtifactFileReading, 'sourceAt'> | undefined): Problem {
  const { severity, message, position, expected, nearest, path } = diagnostic;
  const source = reading?.sourceAt(position);
  return {
    severity,
    message,
    line: position.line,
    column: position.column,
    frame: source ? codeFrame(source.text, position.line, position.column) : '',
    ...(expected !== undefined && { expected }),
    ...(nearest !== undefined && { didYouMean: nearest }),
    ...(path !== undefined && { at: path }),
  };
}

/** What came out of reading a file without deploying it. */
export interface Checked {
  readonly valid: boolean;
  readonly problems: readonly Problem[];
  readonly artifacts: ReadonlyArray<{ readonly kind: string; readonly name: string; readonly line: number }>;
}

/**
 * Reads a file as the deployer would, and looks whether other files have its names already.
 * @param path where it would stand in the artifact folder
 */
export async function checkFile(server: ManagedServer, path: string, bytes: Uint8Array): Promise<Checked> {
  const version = await fileVersion(path, path, Buffer.from(bytes));
  const reading = server.deployment.look(version);
  const problems = reading.diagnostics.map((diagnostic) => problemOf(diagnostic, reading));
  problems.push(...takenNames(server, path, reading));
  return {
    valid: !problems.some(({ severity }) => severity === 'error'),
    problems,
    artifacts: reading.artifacts.map(({ kind, name, position: { line } }) => ({ kind, name, line })),
  };
}

function takenNames(server: ManagedServer, path: string, reading: ArtifactFileReading): Problem[] {
  const taken = new Map<string, string>();
  for (const deployed of server.deployment.snapshot.artifacts) {
    if (deployed.path === path) continue;
    for (const key of claimedKeys(deployed.artifact))
      taken.set(key, `${describeArtifact(deployed.artifact)} of ${deployed.path}`);
  }
  return reading.artifacts.flatMap((artifact) => {
    const other = claimedKeys(artifact)
      .map((key) => taken.get(key))
      .find((found) => found !== undefined);
    if (other === undefined) return [];
    const message = `${describeArtifact(artifact)} has a name that is taken by ${other}`;
    return [problemOf({ severity: 'error', position: artifact.position, message }, reading)];
  });
}
