import { readFile } from 'node:fs/promises';
import { type ConfigurationFlags, readConfiguration, type ServerConfiguration } from '../../config/config.ts';
import { ConfigurationError } from '../../config/toml-reader.ts';
import type { FileReport } from '../../deployment/artifact-set.ts';
import { ExtensionModules } from '../../extensions/extension-modules.ts';
import { counted } from '../../logging/counted.ts';
import { configureLogging } from '../../logging/index.ts';
import { SecretStore } from '../../registry/secrets.ts';
import type { StoreServices } from '../../stores/component.ts';
import { withSecretPasswords } from '../../stores/sql/data-source-secrets.ts';
import { integerFlag, parseFlags, takeArguments } from '../arguments.ts';
import { checkPath } from '../check.ts';
import { type CommandIo, EXIT, environmentOf } from '../io.ts';
import { coloured, printable, type Terminal, terminalOf } from '../show/terminal.ts';
import { DOCTOR } from '../table/server.ts';
import { type Finding, ok, reasonOf, warning, wrong } from './finding.ts';
import { checkDataFolder, checkFiles, checkNode, checkPorts } from './machine.ts';
import { checkStore } from './stores.ts';
import type { StoreSurroundings } from './surroundings.ts';

const DEFAULT_DEADLINE_S = 10;
const STATUS = { ok: 'ok     ', warning: 'warning', wrong: 'WRONG  ' } as const;
const COLOURS = { ok: 'green', warning: 'yellow', wrong: 'red' } as const;

/** `mini-synapse doctor [DIR]` (OP-19, OP-127): one line for each finding, as it is found. */
export async function doctor(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, DOCTOR.options);
  if (positionals.length > 1) takeArguments(positionals, ['DIR'], DOCTOR);
  const deadlineMs = 1000 * (integerFlag('store-deadline', values['store-deadline'], 1, 600) ?? DEFAULT_DEADLINE_S);
  // What it has to say is said in its own lines.
  configureLogging({ level: 'fatal', stream: io.stderr });
  const flags: ConfigurationFlags = { artifacts: positionals[0], config: values.config, data: values.data };
  const findings: Finding[] = [];
  const terminal = terminalOf(io);
  for await (const finding of examine(flags, deadlineMs, io)) {
    findings.push(finding);
    if (!values.json) io.stdout.write(findingText(finding, terminal));
  }
  if (values.json) io.stdout.write(`${JSON.stringify({ count: findings.length, list: findings }, undefined, 2)}\n`);
  return findings.some(({ status }) => status === 'wrong') ? EXIT.wrong : EXIT.fine;
}

function findingText({ status, subject, check, text }: Finding, terminal: Terminal): string {
  const about = check === undefined ? subject : `${subject}: ${check}`;
  return `${coloured(STATUS[status], COLOURS[status], terminal)}  ${printable(about)}: ${printable(text)}\n`;
}

async function* examine(flags: ConfigurationFlags, deadlineMs: number, io: CommandIo): AsyncGenerator<Finding> {
  yield checkNode();
  let configuration: ServerConfiguration;
  try {
    configuration = readConfiguration(flags, environmentOf(io));
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    yield wrong('configuration', error.message);
    return;
  }
  const changed = configuration.effective.filter(({ origin }) => origin !== 'default').length;
  if (configuration.unknown !== undefined) yield warning('configuration', configuration.unknown);
  yield ok('configuration', `fine; ${counted(changed, 'setting is', 'settings are')} not the default`);
  yield* checkFiles(configuration);
  yield* checkDataFolder(configuration.data);
  yield* checkPorts(configuration);
  yield* checkArtifacts(configuration, environmentOf(io), deadlineMs);
}

type Environment = Readonly<Record<string, string | undefined>>;

async function* checkArtifacts(
  configuration: ServerConfiguration,
  environment: Environment,
  deadlineMs: number,
): AsyncGenerator<Finding> {
  const subject = 'artifacts';
  const secrets = await SecretStore.open({ folder: configuration.secrets, environment });
  const secret = (alias: string) => secrets.lookup(alias);
  let reports: readonly FileReport[];
  try {
    const extensions = new ExtensionModules(configuration.extensions);
    reports = await checkPath(configuration.artifacts, extensions, { ...configuration, secret });
  } catch (error) {
    yield wrong(subject, `${configuration.artifacts} cannot be read: ${reasonOf(error)}`);
    return;
  }
  const problems = reports.flatMap(({ diagnostics }) => diagnostics);
  for (const { severity, message, position } of problems) {
    const text = `${position.file}:${position.line}:${position.column}: ${message}`;
    yield severity === 'error' ? wrong(subject, text) : warning(subject, text);
  }
  if (!problems.some(({ severity }) => severity === 'error'))
    yield ok(
      subject,
      `${counted(reports.length, 'file')} in ${configuration.artifacts} ${reports.length === 1 ? 'is' : 'are'} valid`,
    );
  const artifacts = reports.flatMap(({ reading }) => reading.artifacts);
  const stores = artifacts.flatMap((artifact) => (artifact.kind === 'messageStore' ? [artifact.content] : []));
  const surroundings: StoreSurroundings = {
    services: await storeServices(configuration, secret),
    deadlineMs,
    maxBodyBytes: configuration.limits.maxBodyBytes,
    stores: stores.map(({ name }) => name),
    processors: artifacts.flatMap((artifact) => (artifact.kind === 'messageProcessor' ? [artifact.content] : [])),
  };
  for (const definition of stores) yield* await checkStore(definition, surroundings);
}

async function storeServices(
  configuration: ServerConfiguration,
  secret: (alias: string) => string | undefined,
): Promise<StoreServices> {
  const { data, storeDeadlineMs, stompUrls, cluster, trustedCertificatesFile: file } = configuration;
  const dataSources = withSecretPasswords(configuration.dataSources, secret);
  // A file that cannot be read has a line of its own already.
  const trustedCertificates = file === undefined ? undefined : await readFile(file, 'utf8').catch(() => undefined);
  return { dataDirectory: data, putDeadlineMs: storeDeadlineMs, stompUrls, dataSources, cluster, trustedCertificates };
}
