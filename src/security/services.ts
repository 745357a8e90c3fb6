import type { SecurityEngine } from './engine.ts';
import type { SecuritySettings } from './settings.ts';

declare module '../message/configuration.ts' {
  interface Services {
    /** Absent where messages are not secured. */
    security?: SecurityServices;
  }
}

/** The way to the security engine, which is loaded when a message first needs it: nobody else pays for it. */
export class SecurityServices {
  readonly #options: ConstructorParameters<typeof SecurityEngine>[0];
  #engine: Promise<SecurityEngine> | undefined;

  constructor(options: {
    readonly settings: SecuritySettings;
    readonly lookup: (alias: string) => string | undefined;
    readonly directories: readonly string[];
  }) {
    this.#options = options;
  }

  engine(): Promise<SecurityEngine> {
    this.#engine ??= import('./engine.ts').then((module) => new module.SecurityEngine(this.#options));
    return this.#engine;
  }
}
