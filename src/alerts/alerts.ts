import { logger } from '../logging/index.ts';
import type { Alert } from './alert.ts';
import { AlertWatch, type Watched } from './alert-watch.ts';
import type { AlertSettings } from './settings.ts';
import { type HookOptions, WebHook } from './web-hook.ts';

const log = logger('Alerts');
const LOOK_MS = 1_000;

export interface AlertsOptions extends Watched, Pick<HookOptions, 'serverName' | 'secret' | 'trustedCertificates'> {
  readonly settings: AlertSettings;
}

/** Tells web hooks of what happens to processors, stores and artifacts (OP-24). Without hooks nothing is looked at. */
export class Alerts {
  readonly hooks: readonly WebHook[];
  readonly #watch: AlertWatch;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AlertsOptions) {
    const { settings, serverName, secret, trustedCertificates } = options;
    this.hooks = settings.hooks.map(
      (hook) => new WebHook({ hook, limits: settings, serverName, secret, trustedCertificates }),
    );
    this.#watch = new AlertWatch(options);
  }

  /** Looks every second from now on. */
  start(): void {
    if (this.hooks.length === 0) return;
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.hooks.map((hook) => hook.close()));
  }

  #look(): void {
    let alerts: readonly Alert[];
    try {
      alerts = this.#watch.look();
    } catch (error) {
      log.error(`It could not be seen what to alert of: ${error instanceof Error ? error.message : String(error)}`);
      return;
    }
    for (const alert of alerts) for (const hook of this.hooks) hook.tell(alert);
  }
}

/** What a hook is tried with. */
export function testAlert(): Alert {
  return { kind: 'test', name: 'test', state: 'TEST', bad: false, time: Date.now() };
}
