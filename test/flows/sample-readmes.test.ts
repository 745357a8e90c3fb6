import { describe, expect, it } from 'vitest';
import { followReadme } from '../support/readme.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { waitFor } from '../support/wait-for.ts';

/* Each sample's README is executed as it stands, on the ports that it names. */

const LISTENERS = [8280, 8243, 9164];
const BACK_ENDS = [9001, 9002, 9003];
const ORDERS_IN_README = 6;
const server = await findOrInstall(activemq);

/** Every back end counts its own orders, and all of them got one here. */
async function allDelivered(lines: readonly string[]): Promise<void> {
  const accepted = () => lines.filter((line) => / :: Accepted order #\d+ for : \d+ stocks of IBM at \$ /.test(line));
  await waitFor(() => accepted().length >= ORDERS_IN_README, {
    what: () => `${ORDERS_IN_README} orders, ${accepted().length} were accepted`,
    deadlineMs: 30_000,
  });
  expect(accepted()).toHaveLength(ORDERS_IN_README);
  expect(accepted().filter((line) => line.includes('Accepted order #1 '))).toHaveLength(BACK_ENDS.length);
  expect(lines.filter((line) => line.startsWith('Order placed for '))).toHaveLength(ORDERS_IN_README);
  expect(lines.filter((line) => /\b(ERROR|FATAL)\b/.test(line))).toEqual([]);
}

describe('the README of the sample (OP-126)', () => {
  it('quickstart', async () => {
    await followReadme('samples/quickstart/README.md', {
      ports: [...LISTENERS, ...BACK_ENDS],
      afterwards: allDelivered,
    });
  });

  it('custom-store', async () => {
    await followReadme('samples/custom-store/README.md', { ports: [...LISTENERS, 9000] });
  });

  it('stockquote', async () => {
    await followReadme('samples/stockquote/README.md', { ports: [9000] });
  });
});

server.describe('the README of the sample, with an ActiveMQ,', () => {
  it('load-balancing', async () => {
    await followReadme('samples/load-balancing/README.md', {
      ports: [...LISTENERS, ...BACK_ENDS, 61_616, 61_613],
      afterwards: allDelivered,
    });
  });
});
