import { Deployer, type DeploymentRound, type RuntimeServices } from '../../src/deployment/index.ts';
import type { ArtifactRuntimes } from '../../src/deployment/runtime.ts';
import { artifactRuntimes } from '../../src/deployment/runtimes.ts';
import { ArtifactWatcher } from '../../src/deployment/watcher.ts';
import { type LogRecord, onLogRecord } from '../../src/logging/index.ts';
import { builtInSequences } from '../../src/mediation/read-sequence.ts';
import type { ArtifactKinds } from '../../src/message/configuration.ts';
import { TemporaryFolder } from './temporary-folder.ts';

export const SYN = 'xmlns="http://ws.apache.org/ns/synapse"';
const FORWARDING = 'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor';

export const proxy = (name: string, inner = '<drop/>') =>
  `<proxy ${SYN} name="${name}"><target><inSequence>${inner}</inSequence></target></proxy>`;
export const sequence = (name: string, inner = '<drop/>') => `<sequence ${SYN} name="${name}">${inner}</sequence>`;
export const endpoint = (name: string, uri = 'http://localhost:9000/') =>
  `<endpoint ${SYN} name="${name}"><address uri="${uri}"/></endpoint>`;
export const entry = (key: string, text = 'text') => `<localEntry ${SYN} key="${key}">${text}</localEntry>`;
export const store = (name: string, inner = '') => `<messageStore ${SYN} name="${name}">${inner}</messageStore>`;
export const processor = (name: string, storeName: string, interval = 1000) =>
  `<messageProcessor ${SYN} class="${FORWARDING}" name="${name}" messageStore="${storeName}" targetEndpoint="ep">
     <parameter name="interval">${interval}</parameter>
   </messageProcessor>`;
export const definitions = (...artifacts: string[]) => `<definitions ${SYN}>${artifacts.join('\n')}</definitions>`;

/** A stand-in for a running store or processor that writes down what is done with it. */
export interface Recorded {
  readonly name: string;
  readonly number: number;
  readonly previous: number | undefined;
}

/** An artifact folder with its watcher and deployer; stores and processors are stand-ins. */
export class DeployedFolder implements AsyncDisposable {
  readonly folder = new TemporaryFolder();
  readonly log: LogRecord[] = [];
  /** `open store s#1`, `start processor p#2`, `close store s#1 replaced`, … */
  readonly life: string[] = [];
  /** Steps that a test wants to fail or to wait. */
  readonly hooks = new Map<string, () => void | Promise<void>>();
  readonly deployer: Deployer;
  readonly #watcher: ArtifactWatcher;
  readonly #stopListening: () => void;
  #count = 0;

  constructor(
    options: {
      serverName?: string;
      environment?: (name: string) => string | undefined;
      secret?: (alias: string) => string | undefined;
      strict?: boolean;
    } = {},
  ) {
    this.#stopListening = onLogRecord((record) => this.log.push(record));
    this.#watcher = new ArtifactWatcher({ directory: this.folder.path, quietMs: 0, holdMs: 0 });
    this.deployer = new Deployer({
      runtimes: this.#runtimes(options.serverName ?? 'localhost'),
      services: {} as never,
      builtIn: builtInSequences(),
      lookup: {
        environment: options.environment ?? (() => undefined),
        fileProperty: () => undefined,
        configuration: () => undefined,
        ...(options.secret && { secret: options.secret }),
      },
      resourceDirectories: [this.folder.path],
      strict: options.strict === true,
    });
  }

  /** Deploys what has changed: at the first time all there is, later what two looks see alike. */
  async deploy(): Promise<DeploymentRound[]> {
    const rounds: DeploymentRound[] = [];
    for (let look = 0; look < 3; look += 1) {
      const batch = await this.#watcher.scan();
      if (batch.changed.length > 0 || batch.removed.length > 0 || this.deployer.snapshot.version === 0) {
        rounds.push(await this.deployer.deploy(batch));
      }
    }
    return rounds;
  }

  /** `deployed proxy p`, … of one {@link deploy}. */
  async events(): Promise<string[]> {
    const rounds = await this.deploy();
    return rounds.flatMap((round) => round.events.map(({ event, kind, name }) => `${event} ${kind} ${name}`));
  }

  /** What is served, as `kind name`, without the built-in sequences. */
  get served(): string[] {
    return this.deployer.snapshot.artifacts
      .filter(({ running }) => running !== undefined)
      .map(({ artifact }) => `${artifact.kind} ${artifact.name}`)
      .sort();
  }

  /** Log lines so far, and forgets them. */
  lines(level?: LogRecord['level']): string[] {
    const records = this.log.splice(0);
    return records.filter((record) => level === undefined || record.level === level).map(({ message }) => message);
  }

  recorded(kind: 'messageStore' | 'messageProcessor', name: string): Recorded {
    return this.deployer.snapshot.find(kind, name) as unknown as Recorded;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hooks.clear();
    await this.deployer.close();
    this.#stopListening();
    this.folder[Symbol.dispose]();
  }

  #runtimes(serverName: string): ArtifactRuntimes {
    const real = artifactRuntimes({ serverName } as RuntimeServices);
    return { ...real, messageStore: this.#recording('store'), messageProcessor: this.#recording('processor') };
  }

  #recording(word: string) {
    const note = async (step: string) => {
      this.life.push(step);
      await this.hooks.get(step)?.();
    };
    return {
      open: ({ definition, previous }: { definition: { name: string }; previous: unknown }) => {
        const { name } = definition;
        this.#count += 1;
        this.life.push(`open ${word} ${name}`);
        void this.hooks.get(`open ${word} ${name}`)?.();
        const recorded = { name, number: this.#count, previous: (previous as Recorded | undefined)?.number };
        return recorded as unknown as ArtifactKinds['messageStore'] & ArtifactKinds['messageProcessor'];
      },
      start: (running: unknown) => note(`start ${word} ${(running as Recorded).name}`),
      close: (running: unknown, reason: string) => note(`close ${word} ${(running as Recorded).name} ${reason}`),
    };
  }
}
