import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { OrderHistory } from '../support/history.ts';
import { NumberedClient, outOfSequence } from './sequenced.ts';

const accepted = (order: string) => ({ kind: 'accepted', order, at: 0, backEnd: '1' }) as const;

test('a number that comes after a higher one is out of sequence, a repeat is not', () => {
  expect(outOfSequence(['1', '2', '2', '9', '10', '9', '11'].map(accepted))).toEqual([]);
  expect(outOfSequence(['1', '3', '2', '3', '5', '4'].map(accepted))).toEqual(['2', '4']);
});

test('a client repeats a number until it is confirmed, and ends with a confirmed one', {
  timeout: 30_000,
}, async () => {
  const history = new OrderHistory();
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    const turn = requests % 3;
    // No answer, a refusal, a confirmation.
    if (turn === 1) request.socket.destroy();
    else request.resume().on('end', () => response.writeHead(turn === 2 ? 503 : 202).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  let last = 0;
  const next = () => {
    last += 1;
    return last;
  };
  const { port } = server.address() as AddressInfo;
  const client = new NumberedClient({ url: `http://127.0.0.1:${port}/services/Orders`, history, lane: 0, next });
  try {
    const stream = client.stream({ pauseMs: 1 });
    await expect.poll(() => last, { timeout: 20_000 }).toBeGreaterThan(2);
    await stream.stop();
    const told = Array.from({ length: last }, (_, n) =>
      ['unanswered', 'refused', 'confirmed'].map((k) => `${k} ${n + 1}`),
    );
    expect(history.events.filter(({ kind }) => kind !== 'sent').map(({ kind, order }) => `${kind} ${order}`)).toEqual(
      told.flat(),
    );
  } finally {
    client.close();
    server.close();
  }
});
