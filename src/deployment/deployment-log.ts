import type { CompositeApplication } from '../composite/composite-application.ts';
import { formatDiagnostic } from '../grammar/diagnostic.ts';
import { type Logger, logger } from '../logging/index.ts';
import type { Artifact, ArtifactKind } from '../synapse/index.ts';
import { isArchive } from './artifact-files.ts';
import type { FileReport } from './artifact-set.ts';
import type { DanglingReference } from './dangling-references.ts';
import { TEXTS } from './deployment-texts.ts';

/** What happened to one artifact. */
export type DeploymentEvent = 'deployed' | 'updated' | 'renamed' | 'undeployed';

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
