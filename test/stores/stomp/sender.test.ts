import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { POINTS } from '../../../src/fault-points.ts';
import { waitFor } from '../../support/wait-for.ts';
import { stompServer } from '../stomp-server.ts';

const ends: Array<() => unknown> = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const path = (name: string) => JSON.stringify(fileURLToPath(new URL(`../../../${name}`, import.meta.url)));

/** Sends three messages in one turn, each of them as soon as it can. */
const program = (port: number) => `
import ${path('test/faults/kill-at.ts')};
import { openStompConnection } from ${path('src/stores/stomp/connection.ts')};
import { Sender } from ${path('src/stores/stomp/sender.ts')};
const endpoint = { host: '127.0.0.1', port: ${port}, tls: false };
const connection = await openStompConnection({ endpoint, heartBeatMs: 10_000 });
const sender = new Sender(connection, 'q');
for (const body of ['a', 'b', 'c']) void sender.send({ headers: {}, body: Buffer.from(body) }, false);
`;

it.each([1, 3])('has really sent the message at its named point (passage %d)', async (nth) => {
  const server = await stompServer(({ command }) => (command === 'SEND' ? '' : undefined));
  ends.push(() => server.close());
  const args = ['--input-type=module-typescript', '--disable-warning=ExperimentalWarning', '-e', program(server.port)];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { PATH: process.env.PATH, FAULT_POINT: POINTS.putSent.name, FAULT_NTH: String(nth) },
  });
  ends.push(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  await waitFor(() => server.connections === 1 && server.open === 0, { what: 'the end', deadlineMs: 60_000 });
  expect((await exited)[1]).toBe('SIGKILL');
  const sent = server.frames.filter(({ command }) => command === 'SEND').map(({ body }) => body);
  expect(sent.slice(0, nth)).toEqual(['a', 'b', 'c'].slice(0, nth));
});
