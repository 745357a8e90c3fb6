import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Alerts } from './alerts/alerts.ts';
import { PROFILES } from './compat/profile.ts';
import type { ServerConfiguration } from './config/config.ts';
import { ConfigurationError } from './config/toml-reader.ts';
import { DataFolder } from './data-folder.ts';
import { Databases } from './databases/databases.ts';
import { ArtifactFolder, artifactRuntimes, Deployer } from './deployment/index.ts';
import type { ArtifactRuntimes } from './deployment/runtime.ts';
import type { RuntimeServices } from './deployment/runtimes.ts';
import { RequestDispatcher } from './dispatcher.ts';
import type { OutgoingTransport } from './endpoints/outgoing-transport.ts';
import { ExtensionModules } from './extensions/extension-modules.ts';
import type { InboundServices } from './inbound/component.ts';
import { VfsSender } from './inbound/file/vfs-sender.ts';
import { JmsSender } from './inbound/jms/jms-sender.ts';
import { MqttSender } from './inbound/mqtt/mqtt-sender.ts';
import { RabbitMqSender } from './inbound/rabbitmq/rabbitmq-sender.ts';
import { RunningTransports } from './inbound/running-transports.ts';
import { WebSocketSender } from './inbound/websocket/websocket-sender.ts';
import { closeIsolation } from './isolation/worker-pool.ts';
import { logger } from './logging/index.ts';
import type { AuditEntry } from './management/audit/audit-entry.ts';
import { faultyArtifact } from './management/faulty-artifacts.ts';
import type { Health } from './management/health.ts';
import type { ManagedServer } from './management/managed-server.ts';
import { jobView } from './management/operations/job-view.ts';
import { MessageOperations } from './management/operations/message-operations.ts';
import { type StartedManagement, startManagement } from './management/start-management.ts';
import { FlowTracker } from './mediation/flow.ts';
import { builtInSequences } from './mediation/read-sequence.ts';
import type { Configuration } from './message/configuration.ts';
import { setJsonConversion } from './message/json-conversion.ts';
import { Observation } from './observation/observation.ts';
import { DeliveryLedger } from './processors/delivery-ledger.ts';
import { FileRegistry } from './registry/file-registry.ts';
import { SecretStore } from './registry/secrets.ts';
import { SecurityServices } from './security/services.ts';
import type { StoreServices } from './stores/component.ts';
import { withSecretPasswords } from './stores/sql/data-source-secrets.ts';
import { type HttpListener, type ListenerLimits, startHttpListener } from './transport/http-listener.ts';
import { HttpSender } from './transport/http-sender.ts';
import type { ListeningPort } from './transport/service-metadata.ts';
import { listenerCertificate } from './transport/tls.ts';
import type { ServerPart } from './workers/server-part.ts';
import { limitXml } from './xml/index.ts';

const log = logger('Server');
/** Whose lines scripts wait for (spec proxies 9.2, 9.3). */
const starting = logger('StartupFinalizer');
const ending = logger('ServerManagement');
const timeouts = logger('TimeoutHandler');
/** What answering a client may take longer than the global timeout of sends, ms. */
const ANSWER_MARGIN_MS = 5_000;

/** A server at work. */
export interface RunningServer {
  readonly host: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly managementHost: string;
  readonly managementPort: number;
  readonly artifactCount: number;
  readonly faultyCount: number;
  /** The configuration that is served now. */
  configuration(): Configuration;
  /** Deploys what has changed in the artifact folder by now, also where nobody watches it. */
  redeploy(): Promise<void>;
  /** Puts down in the audit log what was done without the management API (OP-66). Never rejects. */
  recordAction(entry: AuditEntry): Promise<void>;
  /** Resolves when somebody asked for its end through the management API. */
  readonly askedToEnd: Promise<'shutdown' | 'restart'>;
  /**
   * Stops accepting, lets requests and attempts in flight end, closes processors, stores and sender; bounded by the configured
   * time (OP-110). Idempotent.
   */
  stop(): Promise<void>;
}

/**
 * Puts the parts together: configuration -> deployment -> listeners -> processors. Listeners open after the first deployment, and
 * processors start after them, so no message meets half a configuration (spec proxies 7.2).
 * @param options.part its role, when it is one of several workers; without one it has everything to itself
 * @throws ConfigurationError, DataFolderError, PortTakenError; whatever was started is stopped again
 */
export async function startServer(
  configuration: ServerConfiguration,
  options: { readonly version: string; readonly part?: ServerPart },
): Promise<RunningServer> {
  const server = new Server(configuration, options);
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

class Server implements RunningServer {
  readonly #options: ServerConfiguration;
  readonly #health: Health;
  readonly #flows = new FlowTracker();
  #observation: Observation | undefined;
  #dataFolder: DataFolder | undefined;
  #sender: HttpSender | undefined;
  #registry: FileRegistry | undefined;
  #deployer: Deployer | undefined;
  readonly #ledger = new DeliveryLedger();
  readonly #operations = new MessageOperations({ configuration: () => this.configuration(), ledger: this.#ledger });
  #databases: Databases | undefined;
  readonly #extensions: ExtensionModules;
  #folder: ArtifactFolder | undefined;
  #http: HttpListener | undefined;
  #https: HttpListener | undefined;
  #management: StartedManagement | undefined;
  #alerts: Alerts | undefined;
  #secrets: SecretStore | undefined;
  readonly #inbound = new RunningTransports();
  readonly #asked = Promise.withResolvers<'shutdown' | 'restart'>();
  #jms: JmsSender | undefined;
  #mqtt: MqttSender | undefined;
  #rabbitMq: RabbitMqSender | undefined;
  #webSockets: WebSocketSender | undefined;
  #stopped: Promise<void> | undefined;
  #looking: Promise<void> = Promise.resolve();
  readonly #part: ServerPart | undefined;

  constructor(
    options: ServerConfiguration,
    { version, part }: { readonly version: string; readonly part?: ServerPart },
  ) {
    this.#options = options;
    this.#part = part;
    this.#health = { version, ready: false };
    this.#extensions = new ExtensionModules(options.extensions);
  }

  get askedToEnd(): Promise<'shutdown' | 'restart'> {
    return this.#asked.promise;
  }

  get host(): string {
    return this.#options.host;
  }

  get httpPort(): number {
    return this.#http?.port ?? 0;
  }

  get httpsPort(): number {
    return this.#https?.port ?? 0;
  }

  get managementHost(): string {
    return this.#options.managementHost;
  }

  get managementPort(): number {
    return this.#management?.port ?? 0;
  }

  get artifactCount(): number {
    return this.#deployer?.snapshot.artifacts.length ?? 0;
  }

  get faultyCount(): number {
    return this.#deployer?.faulty().length ?? 0;
  }

  configuration(): Configuration {
    return this.#deployed.snapshot;
  }

  redeploy(): Promise<void> {
    // One look at a time, and none once it ends.
    this.#looking = this.#looking.then(() => (this.#stopped ? undefined : this.#folder?.look()));
    return this.#looking;
  }

  async recordAction(entry: AuditEntry): Promise<void> {
    await this.#management?.record(entry);
  }

  get #deployed(): Deployer {
    if (!this.#deployer) throw new Error('The server has not been started');
    return this.#deployer;
  }

  async start(): Promise<void> {
    const begun = performance.now();
    const { jsonConversion, ignored } = this.#options.synapseProperties;
    setJsonConversion(jsonConversion);
    limitXml(this.#options.limits);
    for (const sentence of ignored) log.warn(sentence);
    if (this.#options.unknown !== undefined) log.warn(this.#options.unknown);
    await checkDirectory(this.#options.artifacts);
    timeouts.info(
      `This engine will expire all callbacks after GLOBAL_TIMEOUT: ${this.#options.globalTimeoutMs / 1000} seconds, irrespective of the timeout action, after the specified or optional timeout`,
    );
    const owns = this.#part?.owns ?? true;
    if (owns) this.#dataFolder = await DataFolder.take(this.#options.data);
    if (owns && !this.#options.keepState) await forgetProcessorStates(this.#options.data);
    const trustedCertificates = await readTrustedCertificates(this.#options);
    this.#sender = new HttpSender(trustedCertificates === undefined ? {} : { tls: { ca: [trustedCertificates] } });
    this.#registry = await FileRegistry.open(join(this.#options.data, 'registry'));
    const secrets = await SecretStore.open({ folder: this.#options.secrets, environment: process.env });
    const observation = await this.#observe();
    this.#deployer = this.#createDeployer(this.#sender, this.#registry, secrets, trustedCertificates, observation);
    if (owns) observation.start();
    this.#folder = new ArtifactFolder(this.#deployer, { directory: this.#options.artifacts });
    await this.#folder.deployAll();
    await this.#part?.begin({ deployer: this.#deployer, folder: this.#folder, observation, registry: this.#registry });
    if (owns) this.#alerts = this.#watchAlerts(observation, secrets, trustedCertificates);
    await this.#openListeners(secrets, observation, this.#registry);
    await this.#deployer.startWork();
    this.#alerts?.start();
    if (owns && this.#options.watch) this.#watch(this.#folder, this.#deployer);
    this.#followSecrets(secrets, this.#deployer);
    this.#health.ready = true;
    starting.info(`WSO2 Micro Integrator started in ${((performance.now() - begun) / 1000).toFixed(2)} seconds`);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  #watch(folder: ArtifactFolder, deployer: Deployer): void {
    folder.watch();
    this.#extensions.watch(() => deployer.deploy({ changed: [], removed: [], leaving: [] }));
  }

  /** Also where files are not watched: a password changes when it must, and nobody deploys because of it. */
  #followSecrets(secrets: SecretStore, deployer: Deployer): void {
    this.#secrets = secrets;
    secrets.watch(() => deployer.deployOutdated());
  }

  #createDeployer(
    http: HttpSender,
    registry: FileRegistry,
    secrets: SecretStore,
    trustedCertificates: string | undefined,
    observation: Observation,
  ): Deployer {
    const { data, serverName, storeDeadlineMs, stompUrls, dataSources, shutdownMs, globalTimeoutMs } = this.#options;
    // As the reference, which looks below the folder that it was started in.
    const resourceDirectories = [this.#options.artifacts, process.cwd()];
    const stores: StoreServices = {
      dataDirectory: data,
      putDeadlineMs: storeDeadlineMs,
      stompUrls,
      dataSources: withSecretPasswords(dataSources, (alias) => secrets.lookup(alias)),
      trustedCertificates,
      cluster: this.#options.cluster,
      resourceDirectories,
    };
    const databases = new Databases(stores);
    this.#databases = databases;
    const deployer: Deployer = new Deployer({
      services: {
        http,
        flows: this.#flows,
        observer: observation,
        deliveries: observation,
        globalTimeoutMs,
        compat: PROFILES[this.#options.profile],
        registry,
        cors: this.#options.cors,
        databases,
        resourceDirectories,
        fileFolders: this.#options.fileFolders,
        maxParts: this.#options.limits.maxParts,
        security: this.#security(secrets, resourceDirectories),
        transports: this.#transports(stores),
        ...this.#named(secrets),
      },
      builtIn: builtInSequences(this.#options.profile),
      applications: registry,
      ...((this.#part?.owns ?? true) && { versionsFile: join(data, 'deployments', 'versions.ndjson') }),
      lookup: {
        environment: (name) => process.env[name],
        fileProperty: (key) => this.#options.fileProperties.get(key),
        configuration: (name) => this.#options.configs.get(name),
        secret: (alias) => secrets.lookup(alias),
      },
      resourceDirectories,
      strict: this.#options.strictArtifacts,
      extensions: this.#extensions,
      runtimes: this.#runtimes({
        serverName,
        resourceDirectories,
        stores,
        processors: {
          dataDirectory: data,
          configuration: () => deployer.snapshot,
          onConfigurationChange: (listener) => deployer.subscribe(listener),
          ledger: this.#ledger,
          profile: this.#options.profile,
          stopDeadlineMs: shutdownMs / 2,
          serverName,
          cluster: this.#options.cluster,
        },
        inbound: this.#inboundServices(stores),
      }),
    });
    // Those of mediators that are gone are closed; the others are opened again when they are needed.
    deployer.subscribe(() => databases.drain());
    followDeployments(deployer, observation);
    return deployer;
  }

  #runtimes(services: RuntimeServices): ArtifactRuntimes {
    const all = artifactRuntimes(services);
    return this.#part?.runtimes(all) ?? all;
  }

  async #observe(): Promise<Observation> {
    const { otlp, tracing: mode, sample } = this.#options.observability;
    // Its libraries take their time to load, and most have no use for them.
    const spans = otlp && (await (await import('./observation/otlp.ts')).openOtlpSpans(otlp, this.#health.version));
    const observation = new Observation({ snapshot: () => this.#deployed.snapshot, spans });
    observation.tracing.modes.set({ mode, sample, bodies: false });
    this.#observation = observation;
    return observation;
  }

  #watchAlerts(observation: Observation, secrets: SecretStore, trustedCertificates: string | undefined): Alerts {
    return new Alerts({
      settings: this.#options.alerts,
      serverName: this.#options.serverName,
      secret: (alias) => secrets.lookup(alias),
      trustedCertificates,
      configuration: () => this.configuration(),
      faulty: () => this.#deployed.faulty(),
      stuck: (name) => observation.processor(name)?.stuckReason,
    });
  }

  #security(secrets: SecretStore, directories: readonly string[]): SecurityServices {
    const settings = this.#options.security;
    return new SecurityServices({ settings, lookup: (alias) => secrets.lookup(alias), directories });
  }

  #transports(stores: StoreServices): ReadonlyMap<string, OutgoingTransport> {
    this.#jms = new JmsSender(stores);
    this.#mqtt = new MqttSender(stores);
    this.#rabbitMq = new RabbitMqSender(stores);
    this.#webSockets = new WebSocketSender({ stores, maxFrameBytes: this.#options.limits.maxBodyBytes });
    return new Map<string, OutgoingTransport>([
      ['jms', this.#jms],
      ['mqtt', this.#mqtt],
      ['rabbitmq', this.#rabbitMq],
      ['ws', this.#webSockets],
      ['wss', this.#webSockets],
      ['vfs', new VfsSender()],
    ]);
  }

  #inboundServices(stores: StoreServices): InboundServices {
    const { serverName, host, tls, data } = this.#options;
    return {
      configuration: () => this.configuration(),
      serverName,
      host,
      limits: this.#limits(),
      certificate: () => listenerCertificate(tls, data),
      stores,
      running: this.#inbound,
    };
  }

  #limits(): Partial<ListenerLimits> {
    const { limits, globalTimeoutMs } = this.#options;
    return { maxBodyBytes: limits.maxBodyBytes, answerMs: globalTimeoutMs + ANSWER_MARGIN_MS };
  }

  /** What expressions look up by name. */
  #named(secrets: SecretStore) {
    const { configs, fileProperties, strictExpressions, isolation } = this.#options;
    return {
      secrets,
      strictExpressions,
      isolation,
      configurationValue: (name: string) => configs.get(name),
      fileProperty: (key: string) => fileProperties.get(key),
    };
  }

  async #openListeners(secrets: SecretStore, observation: Observation, registry: FileRegistry): Promise<void> {
    const { host, httpPort, httpsPort, tls, data } = this.#options;
    const dispatcher = new RequestDispatcher(
      () => this.configuration(),
      () => this.#listening(),
    );
    const common = {
      host,
      dispatcher,
      limits: this.#limits(),
    };
    const certificate = await listenerCertificate(tls, data);
    this.#http = await startHttpListener({ ...common, port: httpPort });
    log.info(`Pass-through HTTP Listener started on ${host}:${this.#http.port}`);
    this.#https = await startHttpListener({ ...common, port: httpsPort, tls: certificate });
    log.info(`Pass-through HTTPS Listener started on ${host}:${this.#https.port}`);
    if (this.#part?.owns === false) return;
    this.#management = await startManagement({
      options: this.#options,
      secrets: (alias) => secrets.lookup(alias),
      server: this.#managed(observation, registry),
    });
  }

  /** What the management API sees of the server. */
  #managed(
    observation: Observation,
    registry: FileRegistry,
  ): Omit<ManagedServer, 'security' | 'audit' | 'secure' | 'options' | 'schedules'> {
    const { host } = this.#options;
    this.#operations.jobs.onChange((job) => observation.events.publish('job', jobView(job)));
    return {
      health: this.#health,
      observation,
      operations: this.#operations,
      alerts: this.#alerts ?? { hooks: [] },
      deployment: this.#deployed,
      registry,
      end: (how) => this.#asked.resolve(how),
      configuration: () => this.configuration(),
      faultyArtifacts: () => (this.#deployer?.faulty() ?? []).map(faultyArtifact),
      listening: () => this.#listening().map((listener) => ({ ...listener, host })),
    };
  }

  #listening(): ListeningPort[] {
    const listeners = [this.#http, this.#https].filter((listener) => listener !== undefined);
    return listeners.map(({ scheme, port }) => ({ scheme, port }));
  }

  /** Each step runs whatever became of the ones before it: what was started is stopped. */
  async #stop(): Promise<void> {
    const deadline = performance.now() + this.#options.shutdownMs / 2;
    const remaining = () => Math.max(0, deadline - performance.now());
    this.#health.ready = false;
    ending.info('Gracefully shutting down WSO2 Micro Integrator...');
    // Aggregates that wait for messages: half of the time for those that are still on their way.
    this.#flows.endWaiting(remaining() / 2);
    const steps: ReadonlyArray<() => Promise<unknown> | undefined> = [
      () => this.#looking,
      () => this.#folder?.stop(),
      () => this.#secrets?.close(),
      // What ends now ends because the server does.
      () => this.#alerts?.close(),
      // Jobs of operators settle what they have in hand.
      () => this.#operations.close(),
      // Work that came in may still need stores and endpoints: it ends first.
      () =>
        Promise.all([this.#http?.close(remaining()), this.#https?.close(remaining()), this.#inbound.end(remaining())]),
      async () => ending.info('Stopped all transport listeners'),
      () => this.#endFlows(remaining()),
      () => this.#part?.drained(remaining()),
      () => this.#part?.close(),
      () => this.#deployer?.close(),
      () => this.#databases?.close(),
      () => this.#extensions.close(),
      async () => closeIsolation(),
      () => this.#sender?.close(remaining()),
      () => this.#jms?.close(),
      () => this.#mqtt?.close(),
      () => this.#rabbitMq?.close(),
      () => this.#webSockets?.close(),
      () => this.#registry?.flush(),
      () => this.#management?.close(),
      () => this.#observation?.close(),
      // Last: what came before may still write there.
      () => this.#dataFolder?.release(),
    ];
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        log.error(
          `A part of the server could not be stopped: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
    ending.info('Micro Integrator Shutdown complete');
  }

  async #endFlows(deadlineMs: number): Promise<void> {
    ending.info('Waiting for request service completion...');
    if (await this.#flows.idle(deadlineMs)) return ending.info('All requests have been served.');
    ending.warn('Timeout occurred even though there are active connections.');
    log.warn(`${this.#flows.size} flows were still running and are given up`);
  }
}

/** Each new configuration is observed before messages meet it; what a deployment could not deploy is known a moment later. */
function followDeployments(deployer: Deployer, observation: Observation): void {
  let before = 0;
  deployer.subscribe((snapshot) => {
    observation.follow(snapshot);
    setImmediate(() => {
      const faulty = deployer.faulty();
      const newlyFaulty = faulty.some(({ since }) => since > before);
      before = Date.now();
      observation.deployed({ version: snapshot.version, faulty: faulty.length, newlyFaulty });
    });
  });
}

async function checkDirectory(directory: string): Promise<void> {
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory() || found?.isFile()) return;
  throw new ConfigurationError(`the artifact directory ${directory} does not exist`);
}

/** `--keep-state no`: every processor starts as its `is.active` says (OP-21). */
async function forgetProcessorStates(data: string): Promise<void> {
  await rm(join(data, 'message-processors'), { recursive: true, force: true });
}

/** PEM; undefined when none are configured. @throws ConfigurationError */
async function readTrustedCertificates({ trustedCertificatesFile }: ServerConfiguration): Promise<string | undefined> {
  if (trustedCertificatesFile === undefined) return undefined;
  try {
    return await readFile(trustedCertificatesFile, 'utf8');
  } catch (cause) {
    throw new ConfigurationError(`${trustedCertificatesFile} cannot be read`, { cause });
  }
}
