import { fileVersion } from '../deployment/file-version.ts';
import { type ArtifactSource, codeFrame, type Diagnostic, formatDiagnostic } from '../grammar/diagnostic.ts';
import { type ArtifactFileReading, claimedKeys, describeArtifact } from '../synapse/index.ts';
import type { ManagedServer } from './managed-server.ts';
import { COUNT, object, TEXT } from './schemas.ts';

/** Problems of one file that the API shows; the log has all. */
const MAX_PROBLEMS = 100;

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

/** The first hundred of a file, and one that says how many more there are. */
export function problemsOf(
  diagnostics: readonly Diagnostic[],
  reading: Pick<ArtifactFileReading, 'sourceAt'> | undefined,
): Problem[] {
  const problems = diagnostics.slice(0, MAX_PROBLEMS).map((diagnostic) => problemOf(diagnostic, reading));
  const others = furtherProblems(diagnostics);
  if (others) problems.push(problemOf(others, undefined));
  return problems;
}

/** What {@link formatDiagnostic} says of the first hundred of a file, and how many more there are. */
export function problemTexts(diagnostics: readonly Diagnostic[], source: ArtifactSource): string[] {
  const texts = diagnostics.slice(0, MAX_PROBLEMS).map((diagnostic) => formatDiagnostic(diagnostic, source));
  const others = furtherProblems(diagnostics);
  if (others) texts.push(formatDiagnostic(others));
  return texts;
}

/** Stands for those that are not shown, where the first of them is; as severe as the worst of them. */
function furtherProblems(diagnostics: readonly Diagnostic[]): Diagnostic | undefined {
  const others = diagnostics.slice(MAX_PROBLEMS);
  const [first] = others;
  if (!first) return undefined;
  const severity = others.some((other) => other.severity === 'error') ? 'error' : 'warning';
  return { severity, position: first.position, message: `${others.length} more problems are not shown here` };
}

function problemOf(diagnostic: Diagnostic, reading: Pick<ArtifactFileReading, 'sourceAt'> | undefined): Problem {
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
  const problems = problemsOf([...reading.diagnostics, ...takenNames(server, path, reading)], reading);
  return {
    valid: !problems.some(({ severity }) => severity === 'error'),
    problems,
    artifacts: reading.artifacts.map(({ kind, name, position: { line } }) => ({ kind, name, line })),
  };
}

function takenNames(server: ManagedServer, path: string, reading: ArtifactFileReading): Diagnostic[] {
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
    return [{ severity: 'error', position: artifact.position, message }];
  });
}
