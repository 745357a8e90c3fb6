import { TEXTS } from '../deployment/deployment-texts.ts';
import type { ArtifactRuntimes } from '../deployment/runtime.ts';
import { logger, onLogRecord } from '../logging/index.ts';
import { type DedupParameters, dedupRules } from '../stores/dedup/parameters.ts';
import { CountReport } from './count-report.ts';
import type { OwnerNote } from './notes.ts';
import { OwnerLink } from './owner-link.ts';
import { RemoteStore } from './remote-store.ts';
import type { ServerPart, WorkingServer } from './server-part.ts';
import { FollowedSwitches } from './switches.ts';

const log = logger('Workers');

const REPORT_MS = 500;
/** How long a start waits for the owner's switches, ms. */
const SWITCHES_MS = 1_000;
/** Lines of a start, a deployment and an end, which the owner writes for all. */
const QUIET: readonly string[] = [
  ...Object.values(TEXTS).map(({ category }) => category),
  'API',
  'ArtifactDeployer',
  'CappDeployer',
  'LibraryArtifactDeployer',
  'MessageStoreFactory',
  'ProxyServiceDeployer',
  'SecureVault',
  'Server',
  'ServerManagement',
  'StartupFinalizer',
  'TimeoutHandler',
];

/** The role of a worker that takes requests and mediates, and leaves to the owner what can be there once only. */
export class TakerPart implements ServerPart {
  readonly owns = false;
  readonly #link: OwnerLink;
  readonly #putDeadlineMs: number;
  readonly #switches = new FollowedSwitches(QUIET);
  #server: WorkingServer | undefined;
  #report: CountReport | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #looksAgain = false;
  #registryUntold = false;
  #closed = false;
  /** Until the owner has said for the first time how its switches stand. */
  readonly #switched = Promise.withResolvers<void>();
  readonly #unsubscribe: Array<() => void> = [];

  /** @param path of the owner's socket @param putDeadlineMs ms that a store may take */
  constructor(path: string, putDeadlineMs: number) {
    this.#putDeadlineMs = putDeadlineMs;
    this.#link = new OwnerLink({
      path,
      onNote: (note) => this.#heard(note),
      onOpen: () => this.#report?.connected(),
    });
  }

  runtimes(all: ArtifactRuntimes): ArtifactRuntimes {
    const nowhere = { open: () => undefined };
    return {
      ...all,
      messageStore: { open: ({ definition }) => this.#store(definition) },
      messageProcessor: nowhere,
      task: nowhere,
      inboundEndpoint: nowhere,
      // What comes by JMS or out of folders is the owner's; requests are everybody's.
      proxy: { open: (opening) => all.proxy.open(opening) },
    };
  }

  async begin(server: WorkingServer): Promise<void> {
    const { deployer, observation, registry } = server;
    this.#server = server;
    this.#report = new CountReport(observation, () => deployer.snapshot);
    this.#unsubscribe.push(
      deployer.subscribe((snapshot) => this.#switches.deployed(snapshot)),
      registry.onChange(() => this.#tellRegistry()),
      onLogRecord((record) => void this.#link.note({ type: 'log', record })),
    );
    this.#timer = setInterval(() => this.#tellCounts(), REPORT_MS).unref();
    this.#link.start();
    await this.#knowsSwitches();
  }

  /** A proxy that is stopped takes no request of a worker that starts; without an owner, all is as the artifacts say. */
  async #knowsSwitches(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, SWITCHES_MS);
    await Promise.race([this.#switched.promise, late]);
    clearTimeout(timer);
  }

  async drained(): Promise<void> {
    this.#tellCounts();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#link.close();
    await this.#looking;
  }

  #store({
    name,
    kind,
    parameters,
    written,
  }: Parameters<ArtifactRuntimes['messageStore']['open']>[0]['definition']): RemoteStore {
    return new RemoteStore({
      name,
      type: kind.type,
      dedup: dedupRules(parameters as DedupParameters),
      parameters: written,
      putDeadlineMs: this.#putDeadlineMs,
      link: this.#link,
    });
  }

  #heard(note: OwnerNote): void {
    const server = this.#server;
    if (!server || this.#closed) return;
    if (note.type === 'switches') {
      this.#switches.follow(note.switches, server.deployer.snapshot);
      this.#switched.resolve();
    } else if (note.type === 'deployed') this.#look(server);
    else server.registry.reload().catch((error: unknown) => log.error(`The registry cannot be read: ${String(error)}`));
  }

  /** One look at a time, and one after the last change. */
  #look({ folder, deployer }: WorkingServer): void {
    if (this.#looksAgain) return;
    this.#looksAgain = true;
    this.#looking = this.#looking
      .then(async () => {
        this.#looksAgain = false;
        if (this.#closed) return;
        await folder.look();
        // Modules of one's own may have changed without any artifact.
        await deployer.deploy({ changed: [], removed: [], leaving: [] });
      })
      .catch((error: unknown) => log.error(`What has changed could not be deployed: ${String(error)}`));
  }

  #tellCounts(): void {
    // What is asked for counts as told.
    if (!this.#link.takesNotes || !this.#report) return;
    const rows = this.#report.rows();
    if (rows.length > 0) this.#link.note({ type: 'counts', rows });
    if (this.#registryUntold) this.#tellRegistry();
  }

  /** Again, with the counts, if nobody hears it now. */
  #tellRegistry(): void {
    void this.#server?.registry.flush().then(() => {
      this.#registryUntold = !this.#link.note({ type: 'registry' });
    });
  }
}
