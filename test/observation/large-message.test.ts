import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { call } from '../support/http-call.ts';

const SERVER = fileURLToPath(new URL('large-message-server.ts', import.meta.url));
const MIB = 1024 * 1024;
/** As large as a listener takes. */
const BODY = Buffer.concat([Buffer.from('<a>'), Buffer.alloc(16 * MIB - 64, 'x'), Buffer.from('</a>')]);
const MESSAGES = 3;
const PATIENCE_MS = 180_000;

interface FromServer {
  readonly port?: number;
  readonly peakKiB?: number;
  readonly logged?: number;
  readonly traced?: number;
}

async function answerOf(child: ChildProcess): Promise<FromServer> {
  const [answer] = (await once(child, 'message')) as [FromServer];
  return answer;
}

/** What large messages add to the peak of a server, MiB. */
async function addedBy(mode: 'watched' | 'plain'): Promise<number> {
  const child = fork(SERVER, [mode], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  try {
    const { port } = await answerOf(child);
    const send = (body: Buffer) =>
      call(`http://127.0.0.1:${port}/services/Large`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/xml' },
        body,
        deadlineMs: 60_000,
      });
    const peak = async () => {
      child.send('peak');
      return answerOf(child);
    };
    await send(Buffer.from('<a/>'));
    const { peakKiB: before = Number.NaN } = await peak();
    for (let n = 0; n < MESSAGES; n += 1) expect((await send(BODY)).body.byteLength).toBe(BODY.byteLength);
    const { peakKiB: after = Number.NaN, logged, traced } = await peak();
    expect({ logged, traced }).toEqual(
      mode === 'watched' ? { logged: MESSAGES, traced: MESSAGES + 1 } : { logged: 0, traced: 0 },
    );
    return (after - before) / 1024;
  } finally {
    child.send('stop');
    await once(child, 'exit');
  }
}

describe.skipIf(!existsSync('/proc/self/status'))('a message of 16 MiB (OP-94)', () => {
  it(
    'with full logging and tracing adds no more than 64 MiB to what it needs anyway',
    async () => {
      const plain = await addedBy('plain');
      const watched = await addedBy('watched');
      expect(plain).toBeGreaterThan(10);
      expect(watched - plain).toBeLessThanOrEqual(64);
      process.stdout.write(`16 MiB: plain ${Math.round(plain)} MiB, watched ${Math.round(watched)} MiB\n`);
    },
    PATIENCE_MS,
  );
});
