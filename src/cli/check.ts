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
import { configureLogging } from '../logging/index.ts';
import { SecretStore } from '../registry/secrets.ts';
import type { ArtifactLookup } from '../synapse/index.ts';
import { parseFlags, wordFlag } from './arguments.ts';
import { isRefused, jsonReport, textReport } from './check-report.ts';
import { type CommandIo, EXIT, UsageError } from './io.ts';
import { CHECK } from './table/server.ts';
import { version } from './version.ts';

const READS_AT_ONCE = 8;
/** Sequences that exist without an artifact. */
const BUILT_IN = ['main', 'fault'];

const FORMATS = ['text', 'json', 'sarif'] as const;

/**
 * `mini-synapse check PATH... [--format text|json|sarif]` (OP-124); returns the exit code. The text of a problem is that of the
 * server's log (OP-35).
 * @throws UsageError
 */
export async function check(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, CHECK.options);
  if (positionals.length === 0) throw new UsageError(`a file or a directory is needed: ${CHECK.name} ${CHECK.usage}`);
  const format = formatOf(values);
  const reports: FileReport[] = [];
  try {
    const configuration = readConfiguration({ config: values.config });
    const strictArtifacts = values.strict === true || configuration.strictArtifacts;
    const extensions = new ExtensionModules(configuration.extensions);
    const secrets = await secretsOf(configuration, io);
    for (const path of positionals)
      reports.push(...(await checkGiven(path, extensions, { ...configuration, strictArtifacts, secret: secrets })));
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    io.stderr.write(`mini-synapse check: ${error.message}\n`);
    return EXIT.wrong;
  }
  io.stdout.write(await reportText(reports, format));
  return reports.some(isRefused) ? EXIT.wrong : EXIT.fine;
}

type Format = (typeof FORMATS)[number];

/** @throws UsageError */
function formatOf(flags: { readonly format?: string | undefined; readonly json?: boolean | undefined }): Format {
  const format = wordFlag('format', flags.format, FORMATS);
  if (flags.json && format !== undefined && format !== 'json') throw new UsageError('only one of --json and --format');
  return format ?? (flags.json ? 'json' : 'text');
}

async function reportText(reports: readonly FileReport[], format: Format): Promise<string> {
  if (format === 'text') return textReport(reports);
  if (format === 'json') return jsonReport(reports);
  const { sarifLog } = await import('./sarif/sarif-log.ts');
  return `${JSON.stringify(sarifLog(reports, version()), undefined, 2)}\n`;
}

/** What `${configs.name}`, `$FILE:KEY` and look-ups of secrets in artifacts stand for, and how much is let pass. */
interface ConfiguredValues extends Pick<ServerConfiguration, 'configs' | 'fileProperties' | 'strictArtifacts'> {
  readonly secret?: (alias: string) => string | undefined;
}
const NOTHING_CONFIGURED: ConfiguredValues = { configs: new Map(), fileProperties: new Map(), strictArtifacts: false };

/** What looks up secrets as the server does; a folder that cannot be read is told of beside the report. */
async function secretsOf(
  { secrets: folder }: ServerConfiguration,
  io: CommandIo,
): Promise<(alias: string) => string | undefined> {
  if (folder !== undefined) configureLogging({ level: 'warn', stream: io.stderr });
  const secrets = await SecretStore.open({ folder, environment: process.env });
  return (alias) => secrets.lookup(alias);
}

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
    const found = dangling.get(report.path)?.map((reference) => reference.diagnostic) ?? [];
    const warnings = configured.strictArtifacts ? found.map((one) => ({ ...one, severity: 'error' as const })) : found;
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
  { configs, fileProperties, strictArtifacts, secret }: ConfiguredValues,
): CheckedSet {
  const resources = new ResourceTexts({ directories: [...resourceDirectories, process.cwd()], online: false });
  const lookup: ArtifactLookup = {
    environment: (name) => process.env[name],
    fileProperty: (key) => fileProperties.get(key),
    configuration: (name) => configs.get(name),
    secret: (alias) => secret?.(alias),
    localEntry: () => undefined,
    resource: (url) => resources.ask(url),
    extension: (className) => extensions?.ask(className),
  };
  return { set: new ArtifactSet(lookup, { strict: strictArtifacts }), resources };
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
