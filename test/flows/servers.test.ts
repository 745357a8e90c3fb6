import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ActiveMqBroker } from '../../samples/activemq/broker.ts';
import { ServerStartError } from '../../samples/activemq/server-process.ts';
import { stompAnswers } from '../../samples/activemq/stomp-answers.ts';
import { freePorts } from '../support/free-ports.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { StompPeekError, stompPeek } from '../support/stomp-peek.ts';
import { tcpForwarder } from '../support/tcp-forwarder.ts';
import { waitFor } from '../support/wait-for.ts';

const server = await findOrInstall(activemq);

server.describe('an ActiveMQ of our own', () => {
  let broker: ActiveMqBroker;

  beforeAll(async () => {
    broker = await server.start();
  });

  afterAll(() => broker.close());

  it('answers STOMP and OpenWire on loopback when it is started', async () => {
    expect(broker.openwireUrl).toBe(`tcp://127.0.0.1:${broker.openwirePort}`);
    expect(await stompAnswers({ host: '127.0.0.1', port: broker.stompPort })).toBe(true);
    // An OpenWire broker introduces itself with a WireFormatInfo frame.
    const socket = connect(broker.openwirePort, '127.0.0.1');
    const [greeting] = await once(socket, 'data');
    socket.destroy();
    expect(String(greeting)).toContain('ActiveMQ');
  });

  it('keeps a confirmed persistent message over kill -9 and restart, on the same ports', async () => {
    const { stompPort, openwirePort, pid } = broker;
    const before = await stompPeek({ port: stompPort });
    await before.send('durable', 'stocks of WSO2 · 18851', { kind: 'order' });
    await broker.kill();
    await expect(before.count('durable')).rejects.toThrow(StompPeekError);
    expect(broker.state).toBe('stopped');
    expect(broker.pid).toBeUndefined();
    expect(isAlive(pid)).toBe(false);
    expect(await stompAnswers({ host: '127.0.0.1', port: stompPort })).toBe(false);

    await broker.restart();
    expect(broker).toMatchObject({ stompPort, openwirePort, state: 'running' });
    expect(broker.pid).not.toBe(pid);
    const after = await stompPeek({ port: stompPort });
    expect(await after.count('durable')).toBe(1);
    const [message] = await after.take('durable', 1);
    expect(message).toMatchObject({ text: 'stocks of WSO2 · 18851', headers: { kind: 'order', persistent: 'true' } });
    expect(await after.count('durable')).toBe(0);
    await after.close();
  });

  it('keeps text as text and bytes as bytes, in order', async () => {
    const peek = await stompPeek({ port: broker.stompPort });
    const bytes = Buffer.from([0, 1, 2, 0, 0xff, 0xfe, 10, 0]);
    await peek.send('kinds', 'Grüße\n');
    await peek.send('kinds', bytes);
    await peek.send('kinds', '');
    const seen = await peek.browse('kinds');
    expect(seen.map(({ body }) => body)).toEqual([Buffer.from('Grüße\n'), bytes, Buffer.alloc(0)]);
    expect(await peek.take('kinds', 10)).toHaveLength(3);
    await peek.close();
  });

  it('hangs while it is paused, and goes on where it was', async () => {
    const peek = await stompPeek({ port: broker.stompPort });
    broker.pause();
    expect(broker.state).toBe('paused');
    let confirmed = false;
    const sending = peek.send('paused', 'patience').then(() => {
      confirmed = true;
    });
    // The port still accepts, and nobody answers.
    expect(await stompAnswers({ host: '127.0.0.1', port: broker.stompPort }, 300)).toBe(false);
    expect(confirmed).toBe(false);
    broker.resume();
    await sending;
    expect(await peek.count('paused')).toBe(1);
    await peek.close();
  });

  it('stops in an orderly way, also while it is paused', async () => {
    broker.pause();
    await broker.stop();
    expect(broker.state).toBe('stopped');
    expect(broker.log().join('\n')).toContain('is shutdown');
    await broker.restart();
    expect(await stompAnswers({ host: '127.0.0.1', port: broker.stompPort })).toBe(true);
  });

  it('is cut off and found again through a forwarder', async () => {
    const forwarder = await tcpForwarder({ to: { port: broker.stompPort } });
    const first = await stompPeek({ port: forwarder.port, deadlineMs: 300 });
    forwarder.blackhole();
    await expect(first.send('forwarded', 'into the hole')).rejects.toThrow('waited 300 ms');
    await forwarder.resume();
    forwarder.cut();
    await expect(first.count('forwarded')).rejects.toThrow(StompPeekError);
    const second = await stompPeek({ port: forwarder.port });
    await second.send('forwarded', 'through');
    expect(await second.browse('forwarded')).toMatchObject([{ text: 'through' }]);
    await second.close();
    await forwarder.close();
  });

  it('leaves nothing behind: no process, no folder, no open port', async () => {
    const { pid, stompPort, dataDirectory } = broker;
    const folder = dirname(dataDirectory);
    expect(isAlive(pid) && existsSync(folder)).toBe(true);
    await broker.close();
    await broker.close();
    expect(isAlive(pid) || existsSync(folder)).toBe(false);
    expect(await stompAnswers({ host: '127.0.0.1', port: stompPort })).toBe(false);
  });
});

server.describe('starting an ActiveMQ', () => {
  it('takes given ports, users and XML, and leaves a given data folder to its owner', async () => {
    const dataDirectory = mkdtempSync(join(tmpdir(), 'mini-synapse-servers-test-'));
    const [openwirePort, stompPort] = await freePorts(2);
    const users = [{ name: 'o"k<&', password: `s'e&c` }];
    const queues = '<policyEntry queue=">" maxBrowsePageSize="1000"/>';
    const extraXml = `<destinationPolicy><policyMap><policyEntries>${queues}</policyEntries></policyMap></destinationPolicy>`;
    const given = { dataDirectory, openwirePort: openwirePort ?? 0, stompPort: stompPort ?? 0 };
    const broker = await server.start({ ...given, users, extraXml });
    expect(broker).toMatchObject(given);
    const login = { login: 'o"k<&', passcode: `s'e&c` };
    const peek = await stompPeek({ port: broker.stompPort, ...login });
    await peek.send('mine', 'kept');
    await peek.close();
    await expect(stompPeek({ port: broker.stompPort, ...login, passcode: 'wrong' })).rejects.toThrow(
      /user name|password/i,
    );
    await broker.close();
    expect(readdirSync(join(dataDirectory, 'kahadb'))).toContain('db-1.log');
    rmSync(dataDirectory, { recursive: true });
  });

  it('says why it does not start, and leaves nothing behind', async () => {
    const failed = server.start({ extraXml: '<nonsense/>' });
    await expect(failed).rejects.toThrow(ServerStartError);
    await expect(failed).rejects.toThrow(/nonsense/);
    const told = await failed.catch(String);
    const folder = /-Dactivemq\.base=(\S+)/.exec(String(told))?.[1];
    expect(folder).toContain('mini-synapse-activemq-');
    expect(existsSync(folder ?? '')).toBe(false);
  });

  it.each(['SIGKILL', 'SIGTERM', 'an uncaught error'])('dies with its owner by %s', async (end) => {
    const owner = await startOwner();
    expect(isAlive(owner.pid) && isAlive(owner.brokerPid)).toBe(true);
    if (end === 'an uncaught error') owner.fail();
    else process.kill(owner.pid, end);
    await owner.gone;
    await waitFor(() => !isAlive(owner.brokerPid), { what: 'the broker to be gone' });
    const folder = dirname(owner.dataDirectory);
    // Only kill -9 leaves the owner no time to tidy up.
    expect(existsSync(folder)).toBe(end === 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
});

/** Another Node.js that starts a broker, tells about it, and fails when it is spoken to. */
async function startOwner() {
  const broker = new URL('../../samples/activemq/broker.ts', import.meta.url);
  const program = `
    import { startActiveMq } from ${JSON.stringify(broker.href)};
    const { pid, dataDirectory } = await startActiveMq();
    process.stdin.once('data', () => { throw new Error('uncaught'); });
    process.stdout.write(JSON.stringify({ brokerPid: pid, dataDirectory }) + '\\n');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const gone = once(child, 'exit');
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const { brokerPid, dataDirectory }: { brokerPid: number; dataDirectory: string } = JSON.parse(line);
  return { pid: child.pid ?? 0, brokerPid, dataDirectory, gone, fail: () => child.stdin.write('now\n') };
}

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
