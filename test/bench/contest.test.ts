import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseXml } from '../../src/xml/index.ts';
import { type ContestantFigures, contest, judged, spread } from './contest/contest.ts';
import type { Contestant, RoundFigures, Row, Running } from './contest/contestant.ts';
import { fillQueue } from './contest/fill-queue.ts';
import { HttpConnection, wireRequest } from './contest/http-connection.ts';
import { HttpClients } from './contest/http-contestants.ts';
import { httpLoad } from './contest/http-load.ts';
import { cpuSeconds } from './contest/process-figures.ts';
import { exitCodeOf, type Measured, measureLimit, measureRows } from './contest/rows.ts';
import { shared } from './contest/shared.ts';
import { rowText } from './contest/table.ts';
import { soapOrders } from './messages.ts';
import { BEGIN, END, readResults, tables, writeBetweenMarks, writeReport } from './report.ts';
import { writeResult } from './result.ts';

const one = (median: number) => ({ median, min: median, max: median });

function figures(name: string, perSecond: number, p99Ms = 10): ContestantFigures {
  return {
    name,
    perSecond: one(perSecond),
    p50Ms: one(1),
    p99Ms: one(p99Ms),
    cpuPer1000: one(1000 / perSecond),
    residentMiB: 50,
  };
}

const row = (goal: number, p99Goal?: number) => ({ id: 'r', path: 'a path', goal, ...(p99Goal && { p99Goal }) });

describe('a contest', () => {
  const events: string[] = [];
  const contestant = (name: string, round: Partial<RoundFigures> = {}): Contestant => ({
    name,
    start: async () => ({
      pid: process.pid,
      round: async () => {
        events.push(name);
        return { messages: 100, failed: 0, seconds: 1, p50Ms: 1, p99Ms: 2, ...round };
      },
      close: async () => void events.push(`${name} ends`),
    }),
  });
  const options = { rounds: 3, roundMs: 1, warmUpMs: 1 };
  beforeEach(() => {
    events.length = 0;
  });

  it('takes turns, and begins with the other one each time', async () => {
    const baseline = contestant('bare');
    const { ratio, met, rounds } = await contest({ ...row(0.8), baseline, ours: contestant('ours') }, options);
    expect(events.join()).toBe('bare,ours,bare,ours,ours,bare,bare,ours,bare ends,ours ends');
    expect([ratio, met, rounds]).toEqual([1, true, 3]);
  });

  it('takes more turns for a row that wants them', async () => {
    const ours = { ...row(0.8), baseline: contestant('bare'), ours: contestant('ours'), roundsTimes: 2 };
    const { rounds } = await contest(ours, { ...options, rounds: 1 });
    expect(rounds).toBe(2);
    expect(events.join()).toBe('bare,ours,bare,ours,ours,bare,bare ends,ours ends');
  });

  it('is preceded by as many rounds as it takes to be warm', async () => {
    const warming = { ...options, rounds: 1, warmAfter: 250, warmUps: 4 };
    await contest({ ...row(0.8), baseline: contestant('bare'), ours: contestant('slow', { messages: 10 }) }, warming);
    expect(events.join()).toBe('bare,bare,bare,slow,slow,slow,slow,bare,slow,bare ends,slow ends');
  });

  it('has no figures when messages failed, and leaves nothing running', async () => {
    const ours = contestant('ours', { messages: 99, failed: 1 });
    await expect(contest({ ...row(0.8), baseline: contestant('bare'), ours }, options)).rejects.toThrow(
      '1 of 100 messages failed',
    );
    expect(events.filter((event) => event.endsWith('ends'))).toEqual(['bare ends', 'ours ends']);
  });
});

describe('a row that stands still', () => {
  const never = () => new Promise<never>(() => undefined);
  const deadlines = { startMs: 20, beyondMs: 20 };
  const options = { rounds: 1, roundMs: 1, warmUpMs: 1, deadlines };
  const ended: string[] = [];
  const contestant = (name: string, running: Partial<Running> = {}): Contestant => ({
    name,
    start: async () => ({
      pid: process.pid,
      round: async () => ({ messages: 100, failed: 0, seconds: 1, p50Ms: 1, p99Ms: 2 }),
      close: async (failed) => void ended.push(`${name} ${failed ? 'failed' : 'ends'}`),
      ...running,
    }),
  });
  const told: string[] = [];
  const out = { result: (text: string) => void told.push(text), progress: () => undefined };
  const measure = async (rows: readonly Row[]) => {
    const measured: Measured = { rows: [], failed: [] };
    await measureRows(rows, options, measured, out);
    return measured;
  };
  const good = { ...row(0.8), baseline: contestant('bare'), ours: contestant('ours') };
  beforeEach(() => {
    ended.length = 0;
    told.length = 0;
  });

  it('fails with what it waited for; the others are measured', async () => {
    const stuck = { ...good, id: 'stuck', ours: contestant('stuck', { round: never }) };
    const measured = await measure([stuck, good]);
    expect(measured.failed).toMatchObject([{ id: 'stuck', reason: 'waited 0.02 s for stuck: warm-up 1' }]);
    expect(measured.rows).toMatchObject([{ id: 'r', ratio: 1 }]);
    expect(exitCodeOf(measured)).toBe(1);
    expect(told[0]).toContain('FAILED');
    expect(ended).toEqual(['bare failed', 'stuck failed', 'bare ends', 'ours ends']);
  });

  it('fails when it cannot be made ready again, or does not start; one that starts too late is ended', async () => {
    const late = Promise.withResolvers<Running>();
    const untidy = { ...good, id: 'untidy', ours: contestant('untidy', { tidy: never }) };
    const slow = { ...good, id: 'slow', ours: { name: 'slow', start: () => late.promise } };
    const { failed } = await measure([untidy, slow]);
    expect(failed.map(({ reason }) => reason)).toEqual([
      'waited 0.02 s for untidy: made ready again',
      'waited 0.02 s for slow to start',
    ]);
    late.resolve(await contestant('slow').start());
    await late.promise;
    expect(ended).toContain('slow failed');
  });

  it('nor does a figure that no contest gives keep the rows from being told', async () => {
    const measured: Measured = { rows: [], failed: [] };
    await measureRows([good], options, measured, out);
    const limit = { id: 'resident', path: 'what is resident', measure: () => Promise.reject(new Error('no figures')) };
    expect(await measureLimit(limit, measured, out)).toBeUndefined();
    expect(measured).toMatchObject({ rows: [{ id: 'r' }], failed: [{ id: 'resident', reason: 'no figures' }] });
    expect(exitCodeOf(measured)).toBe(1);
  });

  it('is told when it cannot be ended', async () => {
    const close = () => Promise.reject(new Error('it lives'));
    const { failed } = await measure([{ ...good, ours: contestant('ours', { close }) }]);
    expect(failed).toMatchObject([{ reason: 'it lives' }]);
  });
});

describe('a contestant of several rows', () => {
  it('is started for the first one, warm for the next, and started anew after one that failed', async () => {
    const events: string[] = [];
    const of = shared(async () => {
      events.push('start');
      return { close: async () => void events.push('end') };
    });
    const contestant = of.contestant('ours', () => ({
      pid: process.pid,
      round: async () => ({ messages: 1, failed: 0, seconds: 1, p50Ms: 1, p99Ms: 1 }),
    }));
    for (const failed of [false, true, false]) {
      const running = await contestant.start();
      events.push(running.warm ? 'warm' : 'cold');
      await running.close(failed);
    }
    await of.close();
    await of.close();
    expect(events).toEqual(['start', 'cold', 'warm', 'end', 'start', 'cold', 'end']);
  });

  it('is warmed up once', async () => {
    const rounds: number[] = [];
    const running: Running = {
      pid: process.pid,
      warm: true,
      round: async (ms) => {
        rounds.push(ms);
        return { messages: 1, failed: 0, seconds: 1, p50Ms: 1, p99Ms: 1 };
      },
      warmUp: () => Promise.reject(new Error('it is warm')),
      close: async () => undefined,
    };
    const contestant = { name: 'ours', start: async () => running };
    const options = { rounds: 1, roundMs: 5, warmUpMs: 100, warmAfter: 1_000, warmUps: 3, rewarmMs: 7 };
    await contest({ ...row(0.8), baseline: contestant, ours: contestant }, options);
    expect(rounds).toEqual([7, 7, 5, 5]);
  });
});

describe('a queue', () => {
  const receipts = (text: string) =>
    [...text.matchAll(/receipt:(\S+)\n/g)].map(([, id]) => `RECEIPT\nreceipt-id:${id}\n\n\0\n`);
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  async function broker(answer: (text: string) => string): Promise<number> {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => void socket.write(answer(chunk.toString('latin1'))));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  it('is filled with as many messages as are wanted, in transactions that are confirmed', async () => {
    let all = '';
    const port = await broker((text) => {
      all += text;
      return text.startsWith('CONNECT') ? 'CONNECTED\nversion:1.2\n\n\0\n' : receipts(text).join('');
    });
    const told: number[] = [];
    await fillQueue(port, 'orders', 1_200, (filled) => told.push(filled));
    expect(all.match(/^SEND$/gm)).toHaveLength(1_200);
    expect(all.match(/^destination:\/queue\/orders$/gm)).toHaveLength(1_200);
    expect(all.match(/^COMMIT$/gm)).toHaveLength(3);
    expect(told.at(-1)).toBe(1_200);
  });

  it('fails with what the broker says', async () => {
    const port = await broker((text) =>
      text.startsWith('CONNECT') ? 'CONNECTED\n\n\0' : 'ERROR\nmessage:the disk is full\n\n\0',
    );
    await expect(fillQueue(port, 'orders', 10)).rejects.toThrow('the disk is full');
  });
});

describe('the verdict', () => {
  it('is about the ratio, and the latency where there is a goal for it', () => {
    const bare = figures('bare', 1000);
    expect(judged(row(0.8), 5, bare, figures('ours', 800))).toMatchObject({ ratio: 0.8, cpuRatio: 0.8, met: true });
    expect(judged(row(0.8), 5, bare, figures('ours', 799)).met).toBe(false);
    expect(judged(row(0.8, 1.5), 5, bare, figures('ours', 800, 16))).toMatchObject({ p99Ratio: 1.6, met: false });
    expect(rowText(judged(row(0.8), 5, bare, figures('ours', 500)))).toContain('0.50 of the baseline');
  });

  it('takes medians', () => expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 }));
});

describe('the load', () => {
  const servers: Array<() => void> = [];
  afterEach(() => {
    for (const close of servers.splice(0)) close();
  });
  async function serve(answer: RequestListener): Promise<number> {
    const server = createServer(answer);
    servers.push(() => {
      server.close();
      server.closeAllConnections();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  it('understands answers of both kinds, in however many pieces', async () => {
    const body = Buffer.alloc(300_000, 'x');
    const port = await serve((request, response) => {
      request.resume();
      if (request.url === '/length') response.writeHead(200, { 'Content-Length': body.length }).end(body);
      else response.write(body, () => response.end());
    });
    for (const path of ['/length', '/chunked']) {
      const connection = await HttpConnection.open(port, wireRequest(port, path, {}, Buffer.from('ask')));
      for (let time = 0; time < 3; time += 1) {
        const { status, bytes } = await connection.exchange();
        expect(status).toBe(200);
        expect(bytes).toBeGreaterThanOrEqual(body.length);
      }
      connection.close();
    }
  });

  it('fails when the connection ends before the answer', async () => {
    const port = await serve((request) => request.socket.destroy());
    const connection = await HttpConnection.open(port, wireRequest(port, '/', {}, Buffer.from('ask')));
    await expect(connection.exchange()).rejects.toThrow();
  });

  it('counts what was answered wrongly', async () => {
    let count = 0;
    const port = await serve((request, response) => {
      request.resume();
      count += 1;
      response.writeHead(count === 3 ? 500 : 202).end();
    });
    const load = { port, path: '/', bytes: 600, connections: 2, ms: 100, status: 202, echoed: false };
    const { messages, failed } = await httpLoad(load);
    expect([messages + failed, failed]).toEqual([count, 1]);
  });

  it('goes on with new clients when a connection broke', async () => {
    const broken = await serve((request) => request.socket.destroy());
    const well = await serve((request, response) => {
      request.resume();
      response.writeHead(202).end();
    });
    const clients = new HttpClients();
    const round = (port: number) =>
      clients.round({ port, path: '/', bytes: 600, connections: 2, ms: 50, status: 202, echoed: false });
    try {
      await expect(round(broken)).rejects.toThrow('ended with 1');
      expect(await round(well)).toMatchObject({ failed: 0 });
    } finally {
      await clients.close();
    }
  });

  it.each([600, 10_240, 1_048_576])('sends well-formed messages of about %i bytes', (bytes) => {
    const text = soapOrders(bytes);
    expect(Math.abs(text.length - bytes)).toBeLessThan(400);
    if (bytes < 100_000) expect(parseXml(text).documentElement?.localName).toBe('Envelope');
  });
});

describe('the report', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mini-synapse-bench-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is made of the results that have rows or limits, and says what was not met', async () => {
    const options = { folder, args: [] };
    const measured = judged(row(0.9), 5, figures('bare < all', 1000), figures('ours', 500));
    const limit = { path: 'resident', value: one(80), unit: 'MiB', goal: 90, met: true };
    await writeResult('http', { rows: [measured] }, options);
    await writeResult('start', { limits: [limit] }, options);
    await writeResult('stores', { rows: [{ other: 'shape' }] }, options);
    const failed = [{ id: 'drain-16', path: 'a drain', reason: 'waited 60 s for the broker\nand so on' }];
    await writeResult('store-paths', { servers: { ActiveMQ: '5.17.2' }, rows: [], failed }, options);
    const text = await writeReport(folder);
    expect(text).toContain('| 1000 | 500 | 0.50 | >= 0.90 | 0.50 | 1.00 | 50 | **not met** |');
    expect(text).toContain('| resident | 80.00 MiB | <= 90 | met |');
    expect(text).toContain('| a drain |  |  |  |  |  |  |  | **failed**: waited 60 s for the broker |');
    expect(text).toMatch(/^Measured on .*, Node.js v.*, ActiveMQ 5.17.2, with/);
    const svg = parseXml(readFileSync(join(folder, 'chart.svg'), 'utf8'));
    expect(svg.documentElement?.localName).toBe('svg');
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toContain(text);
  });

  it('is what README and docs/bench show of the published figures', async () => {
    const text = tables(await readResults());
    for (const file of ['README.md', 'docs/bench/README.md'])
      expect(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')).toContain(text);
  });

  it('goes between its marks, and nowhere else', async () => {
    const file = join(folder, 'README.md');
    writeFileSync(file, `before\n${BEGIN}\nold\n${END}\nafter\n`);
    await writeBetweenMarks(file, tables([]));
    expect(readFileSync(file, 'utf8')).toMatch(/^before\n<!--[\s\S]*nothing yet[\s\S]*-->\nafter\n$/);
    writeFileSync(file, 'no marks');
    await expect(writeBetweenMarks(file, '')).rejects.toThrow('lacks the lines');
  });
});

it.runIf(process.platform === 'linux')('CPU time is that of the process, and grows', () => {
  const before = cpuSeconds(process.pid);
  const until = performance.now() + 100;
  while (performance.now() < until) JSON.stringify(until);
  expect(cpuSeconds(process.pid)).toBeGreaterThan(before);
  expect(cpuSeconds(-1)).toBeNaN();
});
