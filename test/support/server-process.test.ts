import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { ServerProcess, type ServerProgram, ServerStartError } from './servers/process.ts';
import { waitFor } from './wait-for.ts';

const started: ServerProcess[] = [];

/** A Node.js that runs `script`. It "answers" when it has printed `ready`. */
function nodeServer(script: string, more: Partial<ServerProgram> = {}): ServerProcess {
  const server = new ServerProcess({
    name: 'test server',
    command: process.execPath,
    args: ['--eval', script],
    answers: (self) => self.lines().includes('ready'),
    ...more,
  });
  started.push(server);
  return server;
}

const serving = `setInterval(() => {}, 1000); console.log('ready');`;

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.kill()));
});

describe('a server process', () => {
  it('is started, killed and started again', async () => {
    const server = nodeServer(serving);
    expect(server).toMatchObject({ state: 'stopped', pid: undefined });
    await server.start();
    const { pid } = server;
    expect(server.state).toBe('running');
    expect(await server.kill()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(server).toMatchObject({ state: 'stopped', pid: undefined });
    await server.restart();
    expect(server.pid).not.toBe(pid);
  });

  it('is stopped with SIGTERM, and with SIGKILL when it does not heed that', async () => {
    const tidy = nodeServer(`process.on('SIGTERM', () => process.exit(7)); ${serving}`);
    await tidy.start();
    expect(await tidy.stop()).toEqual({ code: 7, signal: null });
    const deaf = nodeServer(`process.on('SIGTERM', () => {}); ${serving}`, { stopDeadlineMs: 100 });
    await deaf.start();
    expect(await deaf.stop()).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('is paused and resumed', async () => {
    const beats: string[] = [];
    const script = `setInterval(() => console.log('beat'), 10); console.log('ready');`;
    const server = nodeServer(script, { onLine: (line) => beats.push(line) });
    await server.start();
    server.pause();
    expect(() => server.pause()).toThrow('test server is paused: it cannot be paused');
    // What was in the pipe already may still come.
    await delay(200);
    const whenPaused = beats.length;
    await delay(200);
    expect(beats.length).toBe(whenPaused);
    server.resume();
    await waitFor(() => beats.length > whenPaused + 2, { what: 'the beats to go on' });
  });

  it.skipIf(process.platform !== 'linux')(
    'is paused with all of its threads before anything else happens',
    async () => {
      const busy = `new (require('node:worker_threads').Worker)('for (;;);', { eval: true });`;
      const server = nodeServer(`${busy.repeat(4)} ${serving}`);
      await server.start();
      const tasks = `/proc/${server.pid}/task`;
      for (let round = 0; round < 20; round += 1) {
        server.pause();
        const states = readdirSync(tasks).map(
          (task) => readFileSync(`${tasks}/${task}/stat`, 'utf8').split(') ')[1]?.[0],
        );
        expect(states.length).toBeGreaterThan(4);
        expect(new Set(states)).toEqual(new Set(['T']));
        server.resume();
      }
    },
  );

  it('takes what it started down with it', async () => {
    const script = `
      const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)']);
      console.log('child ' + child.pid); ${serving}`;
    const server = nodeServer(script);
    await server.start();
    const pid = Number(server.lines()[0]?.split(' ')[1]);
    process.kill(pid, 0);
    await server.kill();
    await waitFor(() => isGone(pid), { what: 'the grandchild to be gone' });
  });

  it('is an error with its last lines when it ends, stays silent or cannot be run', async () => {
    const ending = nodeServer(`console.error('no room'); process.exit(3)`);
    await expect(ending.start()).rejects.toThrow(/test server ended before it answered \(exit code 3\).*no room/s);
    const silent = nodeServer(`setInterval(() => {}, 1000)`, { startDeadlineMs: 300 });
    await expect(silent.start()).rejects.toThrow(ServerStartError);
    expect(silent.state).toBe('stopped');
    const absent = nodeServer('', { command: '/nowhere/server' });
    await expect(absent.start()).rejects.toThrow(/nowhere\/server/);
  });

  it('is noticed when it ends by itself', async () => {
    const server = nodeServer(`setTimeout(() => process.exit(5), 50); console.log('ready'); console.log('last words')`);
    await server.start();
    expect(await server.gone).toEqual({ code: 5, signal: null });
    expect(server.state).toBe('stopped');
    expect(server.lines()).toContain('last words');
    expect(await server.stop()).toEqual({ code: 5, signal: null });
  });
});

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
