import type { FileReport } from '../deployment/artifact-set.ts';
import { codeFrame, type Diagnostic, formatDiagnostic } from '../grammar/diagnostic.ts';
import { counted } from '../logging/counted.ts';
import type { ArtifactFileReading } from '../synapse/index.ts';

function isError({ severity }: Diagnostic): boolean {
  return severity === 'error';
}

/** Would the file not be deployed? */
export function isRefused({ diagnostics }: FileReport): boolean {
  return diagnostics.some(isError);
}

interface Summary {
  readonly files: number;
  readonly accepted: number;
  readonly refused: number;
  readonly errors: number;
  readonly warnings: number;
}

function summarize(reports: readonly FileReport[]): Summary {
  const refused = reports.filter(isRefused).length;
  const diagnostics = reports.flatMap((report) => report.diagnostics);
  const errors = diagnostics.filter(isError).length;
  return {
    files: reports.length,
    accepted: reports.length - refused,
    refused,
    errors,
    warnings: diagnostics.length - errors,
  };
}

/** For people: every problem with its code frame, as the log of the server has it, and a sum. */
export function textReport(reports: readonly FileReport[]): string {
  const problems = reports.flatMap(({ diagnostics, reading }) =>
    diagnostics.map((diagnostic) => `${formatDiagnostic(diagnostic, reading.sourceAt(diagnostic.position))}\n\n`),
  );
  const { files, refused, errors, warnings } = summarize(reports);
  const verdict = refused === 0 ? 'all fine' : `${refused} refused`;
  const counts = `${counted(errors, 'error')}, ${counted(warnings, 'warning')}`;
  return `${problems.join('')}${counted(files, 'file')} checked, ${verdict}: ${counts}\n`;
}

/** For scripts: `{files: [{file, root, accepted, artifacts, diagnostics}], summary}`. */
export function jsonReport(reports: readonly FileReport[]): string {
  const files = reports.map((report) => ({
    file: report.reading.source.file,
    root: report.reading.root ?? null,
    accepted: !isRefused(report),
    artifacts: report.reading.artifacts.map(({ kind, name, position: { line, column } }) => ({
      kind,
      name,
      line,
      column,
    })),
    diagnostics: report.diagnostics.map((diagnostic) => jsonDiagnostic(diagnostic, report.reading)),
  }));
  return `${JSON.stringify({ files, summary: summarize(reports) }, undefined, 2)}\n`;
}

function jsonDiagnostic({ position, ...rest }: Diagnostic, reading: ArtifactFileReading) {
  const text = reading.sourceAt(position)?.text ?? '';
  return { ...rest, ...position, frame: codeFrame(text, position.line, position.column) };
}
