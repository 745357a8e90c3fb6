import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readConfiguration, type ServerConfiguration } from '../config/config.ts';
import { ConfigurationError } from '../config/toml-reader.ts';
import { listArtifactFiles } from '../deployment/artifact-files.ts';
import { ArtifactSet, type FileReport } from '../deployment/artifact-set.ts';
import { forEachBounded } from '../deployment/bounded.ts';
import { danglingReferences } from '../deployment/dangling-references.ts';
import { type FileVersion, fileVersion } from '../deployment/file-version.ts';
import { ResourceTexts } from '../deployment/resources.ts';
import { ExtensionModules } from '../extensions/extension-modules.ts';
import { codeFrame, type Diagnostic, formatDiagnostic } from '../grammar/diagnostic.ts';
import type { ArtifactFileReading } from '../synapse/index.ts';
import { parseFlags } from './arguments.ts';
import { type CommandIo, EXIT, UsageError } from './io.ts';
import { CHECK } from './table/server.ts';

const READS_AT_ONCE = 8;
/** Sequences that exist without an artifact. */
const BUILT_IN = ['main', 'fault'];

/**
 * `mini-synapse check PATH... [--json]`; returns the exit code. The text of a problem is that of the server's log (OP-35).
 * @throws UsageError
 */
export async function check(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, CHECK.options);
  if (positionals.length === 0) throw new UsageError(`a file or a directory is needed: ${CHECK.name} ${CHECK.usage}`);
  const reports: FileReport[] = [];
  try {
    const configuration = readConfiguration({ config: values.config });
    const extensions = new ExtensionModules(configuration.extensions);
    for (const path of positionals) reports.push(...(await checkGiven(path, extensions, configuration)));
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    io.stderr.write(`mini-synapse check: ${error.message}\n`);
    return EXIT.wrong;
  }
  io.stdout.write(values.json ? jsonReport(reports) : textReport(reports));
  return reports.some(isRefused) ? EXIT.wrong : EXIT.fine;
}

/** What `${configs.name}` and `$FILE:KEY` in artifacts stand for. */
type ConfiguredValues = Pick<ServerConfiguration, 'configs' | 'fileProperties'>;
const NOTHING_CONFIGURED: ConfiguredValues = { configs: new Map(), fileProperties: new Map() };

async function checkGiven(
  path: string,
  extensions: ExtensionModules,
  configured: ConfiguredValues,
): Promise<readonly FileReport[]> {
  try {
    return await checkPath(path, extensions, configured);
  } catch (cause) {
    throw new UsageError(`'${path}' cannot be checked: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Checks a file by itself, or a directory as one deployment. Classes that are mapped to modules are taken for what they should be.
 * @throws when the path cannot be read
 */
export async function checkPath(
  path: string,
  extensions?: ExtensionModules,
  configured: ConfiguredValues = NOTHING_CONFIGURED,
): Promise<readonly FileReport[]> {
  if ((await stat(path)).isDirectory()) return checkDirectory(path, extensions, configured);
  const set = artifactSet([dirname(path)], extensions, configured);
  const version = await readVersion(basename(path), path);
  return reportsOf(await settle(set, [version]));
}

async function checkDirectory(
  directory: string,
  extensions: ExtensionModules | undefined,
  configured: ConfiguredValues,
): Promise<readonly FileReport[]> {
  const { files } = await listArtifactFiles(directory);
  const versions: FileVersion[] = [];
  await forEachBounded(files.keys(), READS_AT_ONCE, async (path) => {
    versions.push(await readVersion(path, join(directory, path)));
  });
  const resolution = await settle(artifactSet([directory], extensions, configured), versions);
  const dangling = Map.groupBy(danglingReferences(resolution.served, BUILT_IN), (reference) => reference.path);
  return reportsOf(resolution).map((report) => {
    const warnings = dangling.get(report.path)?.map((reference) => reference.diagnostic) ?? [];
    return { ...report, diagnostics: [...report.diagnostics, ...warnings] };
  });
}

interface CheckedSet {
  readonly set: ArtifactSet;
  readonly resources: ResourceTexts;
}

function artifactSet(
  resourceDirectories: readonly string[],
  extensions: ExtensionModules | undefined,
  { configs, fileProperties }: ConfiguredValues,
): CheckedSet {
  const resources = new ResourceTexts({ directories: [...resourceDirectories, process.cwd()], online: false });
  const set = new ArtifactSet({
    environment: (name) => process.env[name],
    fileProperty: (key) => fileProperties.get(key),
    configuration: (name) => configs.get(name),
    localEntry: () => undefined,
    resource: (url) => resources.ask(url),
    extension: (className) => extensions?.ask(className),
  });
  return { set, resources };
}

async function settle({ set, resources }: CheckedSet, changed: readonly FileVersion[]) {
  set.take({ changed, removed: [], leaving: [] });
  while (await resources.fetch()) set.reread();
  return set.resolve();
}

function reportsOf({ files }: { files: ReadonlyMap<string, FileReport> }): FileReport[] {
  return [...files.values()].sort((left, right) => (left.path < right.path ? -1 : 1));
}

async function readVersion(path: string, file: string): Promise<FileVersion> {
  try {
    return await fileVersion(path, file, await readFile(file));
  } catch (error) {
    return { path, source: { file, text: '' }, unreadable: messageOf(error) };
  }
}

function isError({ severity }: Diagnostic): boolean {
  return severity === 'error';
}

function isRefused({ diagnostics }: FileReport): boolean {
  return diagnostics.some(isError);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
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

function textReport(reports: readonly FileReport[]): string {
  const problems = reports.flatMap(({ diagnostics, reading }) =>
    diagnostics.map((diagnostic) => `${formatDiagnostic(diagnostic, reading.sourceAt(diagnostic.position))}\n\n`),
  );
  const { files, refused, errors, warnings } = summarize(reports);
  const verdict = refused === 0 ? 'all fine' : `${refused} refused`;
  const counts = `${count(errors, 'error')}, ${count(warnings, 'warning')}`;
  return `${problems.join('')}${count(files, 'file')} checked, ${verdict}: ${counts}\n`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function jsonReport(reports: readonly FileReport[]): string {
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
