import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../support/wait-for.ts';
import type { DatabaseAccess } from './jdbc-stores.ts';

export interface NodeOptions {
  readonly access: DatabaseAccess;
  readonly table: string;
  readonly dataDirectory: string;
}

/** Another process with a JDBC store; see jdbc-node.ts. */
export class JdbcNodeProcess {
  /** What it has printed: ids of messages. */
  readonly said: string[] = [];
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;

  constructor(task: 'hold' | 'put', options: NodeOptions) {
    const program = fileURLToPath(new URL('./jdbc-node.ts', import.meta.url));
    this.#child = spawn(process.execPath, [program, task, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#gone = once(this.#child, 'close');
    if (this.#child.stdout) createInterface({ input: this.#child.stdout }).on('line', (line) => this.said.push(line));
  }

  /** Waits until it has printed so many ids. */
  async says(count: number): Promise<readonly string[]> {
    await waitFor(() => this.said.length >= count || this.#child.exitCode !== null, {
      what: () => `${count} lines, there are ${this.said.length}`,
      deadlineMs: 30_000,
    });
    return this.said;
  }

  /** SIGKILL; resolves when it is gone and its output was read. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#gone;
  }
}
