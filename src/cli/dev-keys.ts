import { spawn } from 'node:child_process';
import { logger } from '../logging/index.ts';
import { isActiveState } from '../processors/message-processor.ts';
import type { RunningServer } from '../server.ts';
import { type CommandIo, stdinOf } from './io.ts';
import { onKeys } from './show/keys.ts';

const log = logger('Keys');
/** Who has paused processors, in their states. */
const BY = 'keyboard';
/** What the audit log says of each key that steers (OP-66), in the management API's words. */
const AUDITED = {
  paused: { action: 'disabled', type: 'message_processor', detail: 'key p' },
  resumed: { action: 'enabled', type: 'message_processor', detail: 'key p' },
  redeployed: { action: 'deployed', type: 'artifact', detail: 'key r: what has changed in the artifact folder' },
} as const;
const CTRL_C = '\x03';

/**
 * Keys that steer a server which was started on a terminal (OP-122): o opens the console, r deploys what has changed, p pauses all
 * processors that work and lets those go on, q quits. Returns how to stop listening.
 */
export function devKeys(server: RunningServer, consoleUrl: string, io: CommandIo): () => void {
  let paused: readonly string[] = [];
  const actions: Readonly<Record<string, () => unknown>> = {
    o: () => openInBrowser(consoleUrl, io),
    r: async () => {
      await audited(server, AUDITED.redeployed, '', () => server.redeploy());
      log.info('Looked for changes; what has changed is deployed');
    },
    p: async () => {
      paused = paused.length > 0 ? await resumeAll(server, paused) : await pauseAll(server);
    },
    // Raw keys are no signals.
    q: () => process.kill(process.pid, 'SIGINT'),
    [CTRL_C]: () => process.kill(process.pid, 'SIGINT'),
  };
  io.stdout.write('keys: o opens the console · r redeploys · p pauses all processors · q quits\n');
  return onKeys(stdinOf(io), (key) => {
    const action = Object.hasOwn(actions, key) ? actions[key] : undefined;
    Promise.resolve(action?.()).catch((error: unknown) => log.warn(`Key '${key}': ${String(error)}`));
  });
}

/** The names of those that have worked. */
async function pauseAll(server: RunningServer): Promise<readonly string[]> {
  const configuration = server.configuration();
  const paused: string[] = [];
  for (const name of configuration.names('messageProcessor')) {
    const processor = configuration.find('messageProcessor', name);
    if (!processor || !isActiveState(processor.status().state)) continue;
    await audited(server, AUDITED.paused, name, () => processor.deactivate(BY));
    paused.push(name);
  }
  log.info(`Paused ${paused.length} message processors; p lets them go on`);
  return paused;
}

async function resumeAll(server: RunningServer, names: readonly string[]): Promise<readonly string[]> {
  for (const name of names) {
    const processor = server.configuration().find('messageProcessor', name);
    if (processor) await audited(server, AUDITED.resumed, name, () => processor.activate(BY));
  }
  log.info(`Resumed ${names.length} message processors`);
  return [];
}

/** Does something and puts it down, with its result. */
async function audited(
  server: RunningServer,
  what: (typeof AUDITED)[keyof typeof AUDITED],
  name: string,
  act: () => Promise<unknown>,
): Promise<void> {
  const record = (count: number, result: string) =>
    server.recordAction({
      time: new Date().toISOString(),
      who: 'terminal',
      role: '',
      from: 'terminal',
      ...what,
      name,
      count,
      result,
    });
  try {
    await act();
  } catch (error) {
    await record(0, 'failed');
    throw error;
  }
  await record(1, 'done');
}

function openInBrowser(url: string, io: CommandIo): void {
  const [command, ...args] = { darwin: ['open'], win32: ['cmd', '/c', 'start', ''] }[process.platform as string] ?? [
    'xdg-open',
  ];
  const child = spawn(command ?? 'xdg-open', [...args, url], { stdio: 'ignore', detached: true });
  child.once('error', () => io.stdout.write(`The console is at ${url}\n`));
  child.unref();
}
