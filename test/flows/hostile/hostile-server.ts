import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Call, call, type Reply } from '../../support/http-call.ts';
import { type MiniSynapse, runMiniSynapse } from '../../support/mini-synapse.ts';

/*
 * A runtime in a process of its own that is given hostile artifacts and messages, and what must hold for each of them: it is bounded in
 * time and memory, the client and the log are told why, somebody else is served meanwhile, and it is the same process afterwards.
 */

const MEBIBYTE = 1024 * 1024;
const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';
/** A proxy that somebody else uses. */
const BYSTANDER = 'Bystander';
const BYSTANDER_XML = `<proxy name="${BYSTANDER}"><target><inSequence><respond/></inSequence></target></proxy>`;
const SAMPLE_EVERY_MS = 25;

/** What an attack may cost, and how it must be explained. */
export interface Attack extends Call {
  /** Statuses that are fine; default: 500. */
  readonly status?: number | readonly number[];
  /** In the answer. */
  readonly told?: RegExp;
  /** A line of the log that names the artifact and the reason. */
  readonly logged?: RegExp;
  /** Until the answer, ms; default 60,000. */
  readonly withinMs?: number;
  /** Processor time of the server, ms, which does not depend on what else the machine does; default 10,000. */
  readonly cpuMs?: number;
  /** Growth of the process's memory at most; default 200. */
  readonly memoryMiB?: number;
  /** How long a bystander may have to wait meanwhile, ms; default 15,000. */
  readonly bystanderMs?: number;
}

/** What an attack cost. */
export interface Damage {
  readonly name: string;
  readonly ms: number;
  /** Processor time of the server. */
  readonly cpuMs: number;
  readonly grownMiB: number;
  /** The longest that a bystander had to wait. */
  readonly bystanderMs: number;
  readonly served: number;
}

export interface HostileFiles {
  /** Artifact file -> XML; the namespace is added to the root when it says none. */
  readonly artifacts: Readonly<Record<string, string>>;
  /** Further files, relative to the artifact folder. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly toml?: string;
}

export class HostileServer {
  readonly runtime: MiniSynapse;
  readonly folder: string;
  readonly #pid: number | undefined;
  readonly #damages: Damage[] = [];

  private constructor(runtime: MiniSynapse, folder: string) {
    this.runtime = runtime;
    this.folder = folder;
    this.#pid = runtime.pid;
  }

  static async start({ artifacts, files = {}, toml }: HostileFiles): Promise<HostileServer> {
    const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-hostile-'));
    const directory = join(folder, 'artifacts');
    mkdirSync(directory);
    for (const [name, xml] of Object.entries({ ...artifacts, [BYSTANDER]: BYSTANDER_XML }))
      writeFileSync(join(directory, `${name}.xml`), withNamespace(xml));
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), content);
    }
    const config = join(folder, 'deployment.toml');
    if (toml !== undefined) writeFileSync(config, toml);
    const dataDirectory = join(folder, 'data');
    const runtime = await runMiniSynapse({
      artifacts: directory,
      dataDirectory,
      ...(toml !== undefined && { config }),
    });
    return new HostileServer(runtime, folder);
  }

  /** Drops a file into the artifact folder. */
  drop(name: string, content: string | Uint8Array): void {
    const text = typeof content === 'string' && name.endsWith('.xml') ? withNamespace(content) : content;
    writeFileSync(join(this.folder, 'artifacts', name), text);
  }

  /** Sends a message to a proxy, holds the attack to its bounds, and returns the answer. */
  async attack(name: string, service: string, attack: Attack = {}): Promise<Reply> {
    const { status = 500, told, logged, withinMs = 60_000 } = attack;
    const before = this.runtime.lines().length;
    const reply = await this.endure(name, attack, () =>
      call(this.runtime.service(service), { deadlineMs: withinMs, method: 'POST', ...attack }),
    );
    expect([status].flat(), `${name}: ${reply.text.slice(0, 500)}`).toContain(reply.status);
    if (told) expect(reply.text, name).toMatch(told);
    if (logged) await this.runtime.waitForLine(logged, { after: before });
    return reply;
  }

  /** Does something, while a bystander is served and memory is watched. */
  async endure<T>(name: string, bounds: Attack, act: () => Promise<T>): Promise<T> {
    const { withinMs = 60_000, cpuMs = 10_000, memoryMiB = 200, bystanderMs = 15_000 } = bounds;
    const watch = new Watch(this.#pid, this.runtime.service(BYSTANDER));
    const begun = performance.now();
    const result = await act().finally(() => watch.stop());
    const ms = performance.now() - begun;
    const damage: Damage = { name, ms, ...(await watch.result()) };
    this.#damages.push(damage);
    expect(this.runtime.pid, `${name}: another process`).toBe(this.#pid);
    expect((await call(this.runtime.management('/healthz'))).status, `${name}: healthy`).toBe(200);
    expect(ms, `${name}: time`).toBeLessThan(withinMs);
    expect(damage.cpuMs, `${name}: processor time`).toBeLessThan(cpuMs);
    expect(damage.grownMiB, `${name}: memory in MiB`).toBeLessThan(memoryMiB);
    expect(damage.bystanderMs, `${name}: a bystander waited`).toBeLessThan(bystanderMs);
    return result;
  }

  /** Stops the server, which must end well; prints what the attacks cost. */
  async stop(): Promise<void> {
    const end = await this.runtime.stop();
    rmSync(this.folder, { recursive: true, force: true });
    process.stdout.write(`${damageTable(this.#damages)}\n`);
    expect(end.code).toBe(0);
  }
}

/** Watches a process: its memory, and how long others wait for their answers. */
class Watch {
  readonly #pid: number | undefined;
  readonly #before: number;
  readonly #cpuBefore: number;
  readonly #done: Promise<void>;
  #peak: number;
  #stopped = false;
  #slowest = 0;
  #served = 0;

  constructor(pid: number | undefined, bystander: string) {
    this.#pid = pid;
    this.#before = residentMiB(pid);
    this.#peak = this.#before;
    this.#cpuBefore = processorMs(pid);
    this.#done = this.#run(bystander);
    // Asked for only at the end; a failure must not count as unhandled until then.
    this.#done.catch(() => {});
  }

  stop(): void {
    this.#stopped = true;
  }

  async result(): Promise<Omit<Damage, 'name' | 'ms'>> {
    await this.#done;
    const cpuMs = processorMs(this.#pid) - this.#cpuBefore;
    return { cpuMs, grownMiB: this.#peak - this.#before, bystanderMs: this.#slowest, served: this.#served };
  }

  async #run(bystander: string): Promise<void> {
    const body = '<calm/>';
    const headers = { 'Content-Type': 'application/xml' };
    do {
      const reply = await call(bystander, { body, headers, deadlineMs: 240_000 });
      expect(reply.status, 'a bystander').toBe(200);
      this.#served += 1;
      this.#slowest = Math.max(this.#slowest, reply.elapsedMs);
      this.#peak = Math.max(this.#peak, residentMiB(this.#pid));
      if (!this.#stopped) await delay(SAMPLE_EVERY_MS);
    } while (!this.#stopped);
  }
}

/** 0 where /proc does not tell. */
function residentMiB(pid: number | undefined): number {
  try {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? 0 : (Number(kib) * 1024) / MEBIBYTE;
  } catch {
    return 0;
  }
}

/** User and system time of the process; the kernel counts in hundredths of a second. 0 where /proc does not tell. */
function processorMs(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0;
  }
}

function damageTable(damages: readonly Damage[]): string {
  const rows = damages.map(
    ({ name, ms, cpuMs, grownMiB, bystanderMs, served }) =>
      `  ${name.padEnd(60)} ${shown(ms, 6)} ms ${shown(cpuMs, 6)} ms CPU ${shown(grownMiB, 5)} MiB; others served: ${shown(served, 4)}, after ${shown(bystanderMs, 5)} ms at most`,
  );
  return ['what the attacks cost:', ...rows].join('\n');
}

function shown(amount: number, width: number): string {
  return amount.toFixed(0).padStart(width);
}

function withNamespace(xml: string): string {
  return xml.includes('xmlns="http://ws.apache') ? xml : xml.replace(/^<([\w:]+)/, `<$1 ${SYNAPSE}`);
}

/** A server that must never be asked anything. */
export interface Trap {
  readonly url: string;
  /** What was asked for. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** Whoever fetches from it gives itself away. */
export async function setTrap(): Promise<Trap> {
  const requests: string[] = [];
  const server: Server = createServer((request, response) => {
    requests.push(request.url ?? '');
    response.end('<trapped/>');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
