import type { Deployer, DeploymentRound } from './deployer.ts';
import { ArtifactWatcher, type WatcherOptions } from './watcher.ts';

/** An artifact directory that is being served: its watcher and its deployer together. */
export class ArtifactFolder {
  readonly #watcher: ArtifactWatcher;
  readonly #deployer: Deployer;

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
    this.#watcher.start(async (batch) => {
      await this.#deployer.deploy(batch);
    });
  }

  /** Ends watching; what is deployed stays. */
  async stop(): Promise<void> {
    await this.#watcher.stop();
  }
}
