import type { CompositeApplication } from '../composite/composite-application.ts';
import { formatDiagnostic } from '../grammar/diagnostic.ts';
import { type Logger, logger } from '../logging/index.ts';
import type { Artifact, ArtifactKind } from '../synapse/index.ts';
import { isArchive } from './artifact-files.ts';
import type { FileReport } from './artifact-set.ts';
import type { DanglingReference } from './dangling-references.ts';

/** What happened to one artifact. */
export type DeploymentEvent = 'deployed' | 'updated' | 'renamed' | 'undeployed';

interface KindTexts {
  /** The reference's short class name. */
  readonly category: string;
  readonly deployed: (name: string, file: string) => string;
  readonly updated: (name: string, file: string) => readonly string[];
  /** Its file has another artifact now. */
  readonly renamed: (name: string) => string;
  readonly undeployed: (name: string) => string;
  /** `Proxy` in `Proxy configuration cannot be built from : <file>`. */
  readonly title: string;
}

/** The reference's lines, byte for byte, oddities included (spec proxies 7.3, 7.4, spec stores 8): monitoring matches on them. */
const TEXTS: Readonly<Record<ArtifactKind, KindTexts>> = {
  proxy: {
    category: 'ProxyServiceDeployer',
    deployed: (name, file) => `ProxyService named '${name}' has been deployed from file : ${file}`,
    updated: (name, file) => [`ProxyService named '${name}' has been update from file : ${file}`],
    renamed: (name) => `ProxyService named ${name} has been Undeployed`,
    undeployed: (name) => `ProxyService named '${name}' has been undeployed`,
    title: 'Proxy',
  },
  api: {
    category: 'APIDeployer',
    deployed: (name, file) => `API named '${name}' has been deployed from file : ${file}`,
    updated: (name, file) => [`API: ${name} has been updated from the file: ${file}`],
    renamed: (name) => `API: ${name} has been undeployed`,
    undeployed: (name) => `API named '${name}' has been undeployed`,
    title: 'API',
  },
  task: {
    category: 'TaskDeployer',
    deployed: (name, file) => `StartupTask named '${name}' has been deployed from file : ${file}`,
    updated: (name, file) => [`StartupTask: ${name} has been updated from the file: ${file}`],
    renamed: (name) => `StartupTask: ${name} has been undeployed`,
    undeployed: (name) => `StartupTask named '${name}' has been undeployed`,
    title: 'Task',
  },
  inboundEndpoint: {
    category: 'InboundEndpointDeployer',
    deployed: (name, file) => `Inbound Endpoint named '${name}' has been deployed from file : ${file}`,
    updated: (name, file) => [`Inbound Endpoint: ${name} has been updated from the file: ${file}`],
    renamed: (name) => `Inbound Endpoint: ${name} has been undeployed`,
    undeployed: (name) => `Inbound Endpoint named '${name}' has been undeployed`,
    title: 'Inbound Endpoint',
  },
  sequence: {
    category: 'SequenceDeployer',
    deployed: (name, file) => `Sequence named '${name}' has been deployed from file : ${file}`,
    updated: (name, file) => [`Sequence: ${name} has been updated from the file: ${file}`],
    renamed: (name) => `Sequence: ${name} has been undeployed`,
    undeployed: (name) => `Sequence named '${name}' has been undeployed`,
    title: 'Sequence',
  },
  template: {
    category: 'TemplateDeployer',
    deployed: (name, file) => `Endpoint Template named '${name}' has been deployed from file : ${file}`,
    updated: (name, file) => [`Template: ${name} has been updated from the file: ${file}`],
    renamed: (name) => `Template: ${name} has been undeployed`,
    undeployed: (name) => `Template named '${name}' has been undeployed`,
    title: 'Template',
  },
  endpoint: {
    category: 'EndpointDeployer',
    deployed: (name, file) => `Endpoint named '${name}' has been deployed from file : ${file}`,
    updated: (name, file) => [`Endpoint: ${name} has been updated from the file: ${file}`],
    renamed: (name) => `Endpoint: ${name} has been undeployed`,
    undeployed: (name) => `Endpoint named '${name}' has been undeployed`,
    title: 'Endpoint',
  },
  registry: {
    category: 'RegistryDeployer',
    deployed: (name, file) => `Registry named '${name}' has been deployed from file : ${file}`,
    updated: (name, file) => [`Registry: ${name} has been updated from the file: ${file}`],
    renamed: (name) => `Registry: ${name} has been undeployed`,
    undeployed: (name) => `Registry named '${name}' has been undeployed`,
    title: 'Registry',
  },
  localEntry: {
    category: 'LocalEntryDeployer',
    deployed: (name, file) => `LocalEntry named '${name}' has been deployed from file : ${file}`,
    updated: (name, file) => [`Endpoint: ${name} has been updated from the file: ${file}`],
    renamed: (name) => `Local entry: ${name} has been undeployed`,
    undeployed: (name) => `LocalEntry named '${name}' has been undeployed`,
    title: 'Local Entry',
  },
  import: {
    category: 'ImportDeployer',
    deployed: (name, file) => `Synapse Import named '${name}' has been deployed from file : ${file}`,
    updated: (name, file) => [`Synapse Import: ${name} has been updated from the file: ${file}`],
    renamed: (name) => `Synapse Import: ${name} has been undeployed`,
    undeployed: (name) => `Synapse Import named '${name}' has been undeployed`,
    title: 'Import',
  },
  eventSource: {
    category: 'EventSourceDeployer',
    deployed: (name, file) => `EventSource named '${name}' has been deployed from file : ${file}`,
    updated: (name, file) => [`EventSource: ${name} has been updated from the file: ${file}`],
    renamed: (name) => `EventSource: ${name} has been undeployed`,
    undeployed: (name) => `EventSource named '${name}' has been undeployed`,
    title: 'Event source',
  },
  priorityExecutor: {
    category: 'PriorityExecutorDeployer',
    deployed: (name, file) => `PriorityExecutor named '${name}' has been deployed from file : ${file}`,
    updated: (name, file) => [`PriorityExecutor: ${name} has been updated from the file: ${file}`],
    renamed: (name) => `PriorityExecutor: ${name} has been undeployed`,
    undeployed: (name) => `PriorityExecutor named '${name}' has been undeployed`,
    title: 'Priority executor',
  },
  messageStore: {
    category: 'MessageStoreDeployer',
    deployed: (name, file) => `Message Store named '${name}' has been deployed from file : ${file}`,
    updated: (name, file) => [
      `MessageStore: ${name} has been undeployed`,
      `MessageStore: ${name} has been updated from the file: ${file}`,
    ],
    renamed: (name) => `MessageStore: ${name} has been undeployed`,
    undeployed: (name) => `MessageStore named '${name}' has been undeployed`,
    title: 'Message store',
  },
  messageProcessor: {
    category: 'MessageProcessorDeployer',
    deployed: (name, file) => `Message Processor named '${name}' has been deployed from file : ${file}`,
    updated: (name, file) => [
      `MessageProcessor: ${name} has been undeployed`,
      `MessageProcessor: ${name} has been updated from the file: ${file}`,
    ],
    renamed: (name) => `MessageProcessor: ${name} has been undeployed`,
    undeployed: (name) => `MessageProcessor named '${name}' has been undeployed`,
    title: 'Message processor',
  },
};

const loggers = new Map<string, Logger>();

function loggerOf(category: string): Logger {
  const known = loggers.get(category) ?? logger(category);
  loggers.set(category, known);
  return known;
}

/**
 * Tells of one artifact. At the first deployment the reference says so of proxies only; everything else that it prints then is not
 * about single artifacts.
 */
export function logEvent(event: DeploymentEvent, artifact: Artifact, options: { file: string; boot: boolean }): void {
  const { kind, name } = artifact;
  const texts = TEXTS[kind];
  const log = loggerOf(texts.category);
  if (options.boot) {
    if (kind === 'proxy') log.info(`Deployed Proxy service : ${name}`);
    return;
  }
  if (event === 'updated') for (const line of texts.updated(name, options.file)) log.info(line);
  else if (event === 'deployed') log.info(texts.deployed(name, options.file));
  else log.info(texts[event](name));
  if (artifact.kind === 'proxy' && !artifact.content.startOnLoad && (event === 'deployed' || event === 'updated')) {
    log.info(`ProxyService named '${name}' has been stopped as startOnLoad parameter is set to false`);
  }
}

const carLog = loggerOf('CappDeployer');
const libraryLog = loggerOf('LibraryArtifactDeployer');

/** Tells of composite applications that came, changed or went (spec proxies 7.6); returns those that are there now. */
export function logApplications(
  before: ReadonlyMap<string, CompositeApplication>,
  now: ReadonlyMap<string, CompositeApplication>,
): ReadonlyMap<string, CompositeApplication> {
  const title = ({ name, version }: CompositeApplication) => `${name}_${version}`;
  for (const [path, application] of before) {
    if (now.get(path) === application) continue;
    if (application.library) {
      libraryLog.info(`Synapse Library named '${application.name}' has been undeployed`);
      continue;
    }
    carLog.info(`Undeploying Carbon Application : ${title(application)}...`);
    carLog.info(`Successfully undeployed Carbon Application : ${title(application)}{super tenant}`);
  }
  for (const [path, application] of now) {
    if (before.get(path) === application) continue;
    if (application.library) {
      libraryLog.info(`Synapse Library named '${application.name}' has been deployed from file : ${path}`);
      continue;
    }
    carLog.info(`Successfully Deployed Carbon Application : ${title(application)}{super tenant}`);
  }
  return new Map(now);
}

const log = loggerOf('ArtifactDeployer');

/** Everything that is wrong or doubtful, once: the same problem of the same file is not told again while it stays. */
export class ProblemLog {
  #told = new Map<string, ReadonlySet<string>>();
  #dangling: ReadonlySet<string> = new Set();

  /**
   * Tells of the problems of all files that have any. Of a file that has just changed, its errors are told again even when they are
   * the same, because somebody is waiting for the outcome of that change.
   */
  tell(files: ReadonlyMap<string, FileReport>, changed: ReadonlySet<string>, boot: boolean): void {
    const told = new Map<string, ReadonlySet<string>>();
    for (const [path, report] of files) {
      if (report.diagnostics.length === 0) continue;
      told.set(path, this.#tellFile(report, changed.has(path), boot));
    }
    this.#told = told;
  }

  tellDangling(references: readonly DanglingReference[], files: ReadonlyMap<string, FileReport>): void {
    const now = new Set<string>();
    for (const { path, diagnostic } of references) {
      const text = formatDiagnostic(diagnostic, files.get(path)?.reading.sourceAt(diagnostic.position));
      if (!this.#dangling.has(text) && !now.has(text)) log.warn(text);
      now.add(text);
    }
    this.#dangling = now;
  }

  #tellFile(report: FileReport, changed: boolean, boot: boolean): ReadonlySet<string> {
    const before = this.#told.get(report.path);
    const texts = report.diagnostics.map((diagnostic) => ({
      diagnostic,
      text: formatDiagnostic(diagnostic, report.reading.sourceAt(diagnostic.position)),
    }));
    const errors = texts.filter(({ diagnostic }) => diagnostic.severity === 'error');
    const news = errors.filter(({ text }) => changed || !before?.has(text));
    if (news.length > 0) log.error(headline(report, boot));
    for (const { text } of news) log.error(text);
    for (const { diagnostic, text } of texts) {
      if (diagnostic.severity === 'warning' && !before?.has(text)) log.warn(text);
    }
    return new Set(texts.map(({ text }) => text));
  }
}

/** The reference's line for a file that cannot be deployed (spec proxies 7.3, 7.4); the file is neither renamed nor rewritten. */
function headline({ reading, unreadable, serves, diagnostics }: FileReport, boot: boolean): string {
  const { file } = reading.source;
  const first = diagnostics.find(({ severity }) => severity === 'error');
  if (unreadable !== undefined) return `Deployment of synapse artifact failed. Error reading ${file} : ${unreadable}`;
  if (isArchive(file))
    return `Error occurred while deploying the Carbon application: ${file}. Reverting successfully deployed artifacts in the CApp.`;
  if (reading.root === undefined)
    return `Deployment of synapse artifact failed. Error parsing ${file} : ${first?.message}`;
  if (boot) return `${titleOf(reading.root)} configuration cannot be built from : ${file} - Continue in fail-safe mode`;
  return `${serves ? 'Update' : 'Deployment'} of the Synapse Artifact from file : ${file} : Failed!`;
}

function titleOf(root: string): string {
  return Object.hasOwn(TEXTS, root) ? TEXTS[root as ArtifactKind].title : 'Synapse';
}
