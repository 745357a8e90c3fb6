import { setTimeout } from 'node:timers/promises';
import type { Deployer, DeploymentRound } from './deployer.ts';
import { ArtifactWatcher, type WatcherOptions } from './watcher.ts';

/** Longer than a file has to be quiet before it counts, ms. */
const QUIET_MARGIN_MS = 350;

/** An artifact directory that is being served: its watcher and its deployer together. */
export class ArtifactFolder {
  readonly #watcher: ArtifactWatcher;
  readonly #deployer: Deployer;
  #watching = false;

  constructor(deployer: Deployer, options: WatcherOptions) {
    this.#deployer = deployer;
    this.#watcher = new ArtifactWatcher(options);
  }

  /** The first deployment: all that is in the directory now. */
  async deployAll(): Promise<DeploymentRound> {
    return this.#deployer.deploy(await this.#watcher.scan());
  }

  /** Deploys every change from now on; without it, {@link deployAll} was all. */
  watch(): void {
    this.#watching = true;
    this.#watcher.start(async (batch) => {
      await this.#deployer.deploy(batch);
    });
  }

  /** Deploys what has changed by now, also where nobody watches; resolves when that is done. */
  async look(): Promise<void> {
    const watching = this.#watching;
    await this.stop();
    await this.#deployer.deploy(await this.#watcher.scan());
    await setTimeout(QUIET_MARGIN_MS);
    await this.#deployer.deploy(await this.#watcher.scan());
    if (watching) this.watch();
  }

  /** Ends watching; what is deployed stays. */
  async stop(): Promise<void> {
    this.#watching = false;
    await this.#watcher.stop();
  }
}
