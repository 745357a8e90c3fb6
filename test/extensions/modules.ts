import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExtensionModules } from '../../src/extensions/extension-modules.ts';
import type { LoadedModule } from '../../src/extensions/loaded-module.ts';

/** A module of functions. */
export function moduleOf(
  exports: Record<string, unknown>,
  deadlineMs = 5000,
  className = 'com.acme.Own',
): LoadedModule {
  return { className, file: '/extensions/own.ts', version: '1', exports, deadlineMs, toJSON: () => '1' };
}

/** A folder for module files. */
export class ModuleFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'mini-synapse-extensions-'));
  readonly #opened: ExtensionModules[] = [];

  write(name: string, text: string): string {
    const file = join(this.path, name);
    writeFileSync(file, text);
    return file;
  }

  /** Class `C` is mapped to this file. */
  modules(file: string, deadlineMs = 5000): ExtensionModules {
    const modules = new ExtensionModules(new Map([['C', { className: 'C', file, deadlineMs }]]));
    this.#opened.push(modules);
    return modules;
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.map((modules) => modules.close()));
    rmSync(this.path, { recursive: true, force: true });
  }
}
