import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type ActiveMqInstallation, findActiveMq } from '../../../samples/activemq/installation.ts';
import { endChild, owned } from './child.ts';
import type { RoundFigures } from './contestant.ts';
import { within } from './deadline.ts';
import type { PuttingProgram } from './store-contestants.ts';

const SOURCE = fileURLToPath(new URL('../baselines/JmsProducer.java', import.meta.url));
const START_DEADLINE_MS = 60_000;
const ROUND_DEADLINE_MS = 45_000;

export interface JmsProducerOptions {
  /** OpenWire. */
  readonly url: string;
  readonly queue: string;
  readonly bytes: number;
}

/** Why the Java producer cannot be measured here; undefined when it can: it needs a JDK, which compiles it at its start. */
export function javaMissing(): string | undefined {
  try {
    const { java } = findActiveMq();
    // Looked for beside java itself: a runtime without compiler cannot run a source file.
    const compilers = [join(dirname(java), 'javac'), '/usr/lib/jvm/default-java/bin/javac'];
    return compilers.some(existsSync) ? undefined : 'there is a Java, but no JDK (javac) to run a source file with';
  } catch (error) {
    return (error as Error).message;
  }
}

/** The Java JMS producer of `test/bench/baselines`; a lane is a thread with a connection of its own. */
export async function startJmsProducer({ url, queue, bytes }: JmsProducerOptions): Promise<PuttingProgram> {
  const installation = findActiveMq();
  const args = ['-cp', classPath(installation), SOURCE, url, queue, `${bytes}`];
  const child = owned(spawn(installation.java, args, { stdio: ['pipe', 'pipe', 'inherit'] }));
  const lines = createInterface({ input: child.stdout });
  const close = () => endChild(child);
  await nextLine(child, lines, START_DEADLINE_MS).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    pid: child.pid ?? 0,
    async round(lanes, ms) {
      const answer = nextLine(child, lines, ms + ROUND_DEADLINE_MS);
      child.stdin.write(`${lanes} ${ms}\n`);
      return JSON.parse(await answer) as RoundFigures;
    },
    close,
  };
}

async function nextLine(child: ChildProcess, lines: NodeJS.EventEmitter, deadlineMs: number): Promise<string> {
  const stop = new AbortController();
  const { signal } = stop;
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`the Java producer ended with ${code}`);
  });
  const line = once(lines, 'line', { signal });
  for (const either of [ended, line]) either.catch(() => undefined);
  try {
    const [text] = await within(Promise.race([line, ended]), deadlineMs, 'an answer of the Java producer');
    return String(text);
  } finally {
    stop.abort();
  }
}

function classPath({ home }: ActiveMqInstallation): string {
  const jars = readdirSync(join(home, 'lib')).filter((name) => /^(activemq-client|geronimo|hawtbuf|slf4j)/.test(name));
  return jars.map((name) => join(home, 'lib', name)).join(':');
}
