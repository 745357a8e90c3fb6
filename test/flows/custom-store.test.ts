import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { waitFor } from '../support/wait-for.ts';

/* The extensions of samples/custom-store on the real server, with Node.js loading their TypeScript, and modules that misbehave. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const SAMPLE = join(root, 'samples/custom-store');
const ORDER =
  '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><order symbol="IBM"/></s:Body></s:Envelope>';

let folder: string;
let backEnd: Server;
let bodies: string[];
let status: number;
let runtime: MiniSynapse | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-custom-'));
  bodies = [];
  status = 202;
  backEnd = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      if (status === 202) bodies.push(body);
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => backEnd.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  await runtime?.stop();
  runtime = undefined;
  backEnd.closeAllConnections();
  await new Promise((resolve) => backEnd.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

/** The sample in a folder of its own, with our back end. */
async function start(): Promise<MiniSynapse> {
  // The modules import types only, from a path that need not exist there.
  cpSync(SAMPLE, folder, { recursive: true });
  const { port } = backEnd.address() as AddressInfo;
  const orders = join(folder, 'artifacts/orders.xml');
  writeFileSync(orders, readFileSync(orders, 'utf8').replace('localhost:9000', `127.0.0.1:${port}`));
  runtime = await runMiniSynapse({
    artifacts: join(folder, 'artifacts'),
    dataDirectory: join(folder, 'data'),
    config: join(folder, 'deployment.toml'),
  });
  return runtime;
}

async function order(to: MiniSynapse): Promise<number> {
  const response = await fetch(to.service('OrderProxy'), {
    method: 'POST',
    body: ORDER,
    headers: { 'Content-Type': 'text/xml', SOAPAction: '"urn:placeOrder"' },
  });
  await response.arrayBuffer();
  return response.status;
}

const edit = (name: string, from: string | RegExp, to: string) => {
  const file = join(folder, name);
  const before = readFileSync(file, 'utf8');
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  writeFileSync(file, after);
};

const delivered = (count: number) =>
  waitFor(() => bodies.length >= count, { what: () => `${count} orders, not ${bodies.length}`, deadlineMs: 30_000 });
const stored = () => {
  const path = join(folder, 'data/orders');
  return existsSync(path) ? readdirSync(path).filter((name) => name.endsWith('.message')) : [];
};

describe('samples/custom-store', () => {
  it('delivers, keeps what cannot be delivered over kill -9, and writes receipts', async () => {
    const server = await start();
    expect(await order(server)).toBe(202);
    await delivered(1);
    expect(bodies[0]).toContain('<order symbol="IBM"');
    status = 503;
    expect([await order(server), await order(server)]).toEqual([202, 202]);
    expect(stored()).toHaveLength(2);
    await server.kill();
    expect(stored()).toHaveLength(2);
    status = 202;
    await server.restart();
    await delivered(3);
    await waitFor(() => stored().length === 0, { what: () => 'an empty folder', deadlineMs: 10_000 });
    const receipts = readFileSync(join(folder, 'data/receipts.txt'), 'utf8').trim().split('\n');
    expect(receipts.map((line) => line.split(' ')[0])).toEqual(['A-101', 'A-102', 'A-103']);
  });

  it('a module that is saved is loaded anew; a broken one leaves the last good one serving', async () => {
    const server = await start();
    await order(server);
    await delivered(1);
    edit('extensions/order-number.ts', 'openMediator: OpenMediator', 'openMediators: OpenMediator');
    const line = await server.waitForLine(
      /orders\.xml:5:16: error: Error in instantiating class : com\.acme\.OrderNumber/,
    );
    expect(line).toContain("does not export a function 'openMediator'; it exports openMediators");
    expect(await order(server)).toBe(202);
    await delivered(2);
    edit('extensions/order-number.ts', 'openMediators: OpenMediator', 'openMediator: OpenMediator');
    edit('extensions/order-number.ts', 'let last =', 'let last = 1000 +');
    const before = server.lines().length;
    await server.waitForLine(/Proxy service named 'OrderProxy' has been/, { after: before }).catch(() => undefined);
    await waitFor(
      async () => {
        await order(server);
        return /A-1101 accepted/.test(readFileSync(join(folder, 'data/receipts.txt'), 'utf8'));
      },
      { what: () => 'a number of the new module', deadlineMs: 30_000 },
    );
  });

  it('what a module leaves behind does not end the server, and is told', async () => {
    const server = await start();
    edit(
      'extensions/order-number.ts',
      'last += 1;',
      "last += 1; void Promise.reject(new Error('left alone')); setTimeout(() => { throw new Error('in a timer'); }, 1); void Promise.reject('no error');",
    );
    await server.waitForLine(/Module .*order-number\.ts has changed/);
    await waitFor(
      async () => {
        expect(await order(server)).toBe(202);
        return server.lines().some((line) => line.includes('in a timer'));
      },
      { what: () => 'the stray errors', deadlineMs: 30_000 },
    );
    for (const text of ['left alone', 'in a timer', '"no error"']) {
      await server.waitForLine(new RegExp(`Module .*order-number\\.ts has left behind .*${text}`));
    }
    expect(await order(server)).toBe(202);
  });

  it('a module that is broken from the start is an error of its artifacts only', async () => {
    mkdirSync(join(folder, 'extensions'), { recursive: true });
    cpSync(SAMPLE, folder, { recursive: true });
    writeFileSync(join(folder, 'extensions/folder-store.ts'), "throw new Error('no luck');");
    writeFileSync(
      join(folder, 'artifacts/other.xml'),
      '<proxy xmlns="http://ws.apache.org/ns/synapse" name="Other"><target><inSequence><respond/></inSequence></target></proxy>',
    );
    runtime = await runMiniSynapse({
      artifacts: join(folder, 'artifacts'),
      dataDirectory: join(folder, 'data'),
      config: join(folder, 'deployment.toml'),
    });
    expect(
      runtime
        .lines()
        .some((line) => /orders\.xml:15:\d+: error: .*folder-store\.ts cannot be loaded: no luck/.test(line)),
    ).toBe(true);
    const response = await fetch(runtime.service('Other'), {
      method: 'POST',
      body: ORDER,
      headers: { 'Content-Type': 'text/xml' },
    });
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('IBM')]);
  });
});
