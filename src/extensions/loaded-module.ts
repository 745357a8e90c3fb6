/** One version of a module that a class name is mapped to. */
export interface LoadedModule {
  readonly className: string;
  /** Absolute. */
  readonly file: string;
  /** Differs between versions. */
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  /** How long any call into it may take, ms. */
  readonly deadlineMs: number;
  /** Says which version it is; artifacts that use it are made anew when that changes. */
  toJSON(): string;
}

/** What is known about a mapped class; `pending`: its module was not loaded (yet). */
export type ModuleAnswer = { readonly module: LoadedModule } | { readonly error: string } | { readonly pending: true };
