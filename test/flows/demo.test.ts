import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { call, soap11 } from '../support/http-call.ts';
import { requireFree } from '../support/readme.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { waitFor } from '../support/wait-for.ts';

const checkout = fileURLToPath(new URL('../../', import.meta.url));
const BACK_ENDS = [9001, 9002, 9003];
const PORTS = [8280, 8243, 9164, ...BACK_ENDS];
/** What the demo may take after the installation. */
const DEMO_MS = 15_000;
const server = await findOrInstall(activemq);

let temporary: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'mini-synapse-demo-test-'));
});

afterEach(async () => {
  if (child?.pid !== undefined && groupLives(child.pid)) process.kill(-child.pid, 'SIGKILL');
  child = undefined;
  rmSync(temporary, { recursive: true, force: true });
});

/** Starts a command as the leader of a process group of its own, with temporary files where we can see them. */
function demo(command: string, ...args: string[]) {
  const process = spawn(command, args, {
    cwd: checkout,
    detached: true,
    env: { ...globalThis.process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child = process;
  let text = '';
  for (const stream of [process.stdout, process.stderr])
    stream.setEncoding('utf8').on('data', (part) => (text += part));
  const begun = performance.now();
  const ended = once(process, 'close').then(([code]) => ({ code, elapsedMs: performance.now() - begun }));
  return { process, ended, output: () => text };
}

const bundled = (...args: string[]) => demo(join(checkout, 'bin/mini-synapse'), 'demo', ...args);

function groupLives(leader: number): boolean {
  try {
    process.kill(-leader, 0);
    return true;
  } catch {
    return false;
  }
}

async function expectNothingLeft(ports: readonly number[] = PORTS): Promise<void> {
  expect(groupLives(child?.pid ?? 0)).toBe(false);
  expect(readdirSync(temporary).filter((name) => name.startsWith('mini-synapse') || name.includes('activemq'))).toEqual(
    [],
  );
  await requireFree(ports);
}

/** The numbers of the closing table, by their labels. */
function table(output: string): Record<string, number> {
  const rows = [...output.matchAll(/^ {2}(\S.*?) +(\d+)$/gm)];
  return Object.fromEntries(rows.map(([, label, value]) => [label, Number(value)]));
}

function expectDelivered(output: string, orders: number): void {
  const rows = table(output);
  expect(rows).toMatchObject({ 'orders sent': orders, 'delivered twice': 0, lost: 0 });
  const shares = [1, 2, 3].map((number) => rows[`accepted by back end ${number}`] ?? 0);
  expect(shares.reduce((sum, share) => sum + share)).toBe(orders);
  for (const share of shares) expect(share).toBeGreaterThan(0);
  const arrivals = [...output.matchAll(/^ *back end [123]: order (\d+)$/gm)].map(([, order]) => Number(order));
  expect(arrivals.toSorted((a, b) => a - b)).toEqual(Array.from({ length: orders }, (_, index) => index + 1));
}

describe('the demo', () => {
  it('npm run demo: delivers every order, prints the table, leaves nothing (OP-120)', async () => {
    await requireFree(PORTS);
    const { ended, output } = demo('npm', 'run', 'demo', '--', '--orders', '6');
    const { code, elapsedMs } = await ended;
    expect(code, output()).toBe(0);
    expectDelivered(output(), 6);
    expect(elapsedMs).toBeLessThan(DEMO_MS);
    await expectNothingLeft();
  });

  it('delivers twelve orders when it is not told how many', async () => {
    await requireFree(PORTS);
    const { ended, output } = bundled();
    const { code, elapsedMs } = await ended;
    expect(code, output()).toBe(0);
    expectDelivered(output(), 12);
    expect(elapsedMs).toBeLessThan(DEMO_MS);
    await expectNothingLeft();
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('--keep stays up until %s', async (signal) => {
    await requireFree(PORTS);
    const { process, ended, output } = bundled('--keep', '--orders', '3');
    await waitFor(() => output().includes('Still up'), { what: output, deadlineMs: 30_000 });
    expectDelivered(output(), 3);
    expect((await call('http://127.0.0.1:9164/healthz')).status).toBe(200);
    expect((await soap11('http://127.0.0.1:8280/services/StockQuoteProxy')).status).toBe(202);
    process.kill(signal);
    expect((await ended).code).toBe(0);
    await expectNothingLeft();
  });

  it('interrupted in the middle cleans up too, and says what is not delivered yet', async () => {
    await requireFree(PORTS);
    const { process, ended, output } = bundled('--orders', '60');
    await waitFor(() => output().includes('were answered 202'), { what: output, deadlineMs: 30_000 });
    process.kill('SIGINT');
    expect((await ended).code).toBe(1);
    expect(table(output())['not delivered yet']).toBeGreaterThan(0);
    await expectNothingLeft();
  });

  it('takes other ports when the usual ones of the server are taken', async () => {
    await requireFree(PORTS);
    const other = createServer().listen(8280, '127.0.0.1');
    await once(other, 'listening');
    try {
      const { ended, output } = bundled('--orders', '3');
      expect((await ended).code, output()).toBe(0);
      expectDelivered(output(), 3);
    } finally {
      other.close();
    }
    await expectNothingLeft();
  });

  it('says which port of a back end is taken: exit 3', async () => {
    await requireFree(PORTS);
    const other = createServer().listen(9002, '127.0.0.1');
    await once(other, 'listening');
    try {
      const { ended, output } = bundled();
      expect((await ended).code).toBe(3);
      expect(output()).toContain('mini-synapse demo: Cannot listen on 127.0.0.1:9002');
      expect(output()).not.toMatch(/^\s+at /m);
    } finally {
      other.close();
    }
    await expectNothingLeft();
  });
});

server.describe('the demo on ActiveMQ', () => {
  it('delivers every order and stops the broker again', async () => {
    const ports = [...PORTS, 61_616, 61_613];
    await requireFree(ports);
    const { ended, output } = bundled('--activemq', '--orders', '6');
    const { code } = await ended;
    expect(code, output()).toBe(0);
    expectDelivered(output(), 6);
    await expectNothingLeft(ports);
  });
});
