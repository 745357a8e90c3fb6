import { afterAll, beforeAll, expect, it } from 'vitest';
import { type InProcess, serve } from './support/in-process.ts';

let running: InProcess;
const proxy = (name: string, parameters = '') =>
  `<proxy name="${name}"><target><inSequence><payloadFactory media-type="json"><format>{}</format><args/></payloadFactory><respond/></inSequence></target>${parameters}</proxy>`;
const limit = (bytes: number) => `<parameter name="x.max.body.bytes">${bytes}</parameter>`;

beforeAll(async () => {
  const artifacts = { Usual: proxy('Usual'), Small: proxy('a/Small', limit(10)), Large: proxy('Large', limit(5_000)) };
  running = await serve(artifacts, '[mini_synapse]\nmax_body_bytes = 1000\n');
});
afterAll(() => running.stop());

const status = async (name: string, bytes: number) =>
  (
    await fetch(running.service(name), {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain' },
      body: 'x'.repeat(bytes),
    })
  ).status;

it('a proxy takes bodies as long as it says, lower or higher than the limit of all (OP-91)', async () => {
  expect([await status('Usual', 1_000), await status('Usual', 1_001)]).toEqual([200, 413]);
  expect([await status('a/Small', 10), await status('a/Small', 11)]).toEqual([200, 413]);
  expect([await status('Large', 5_000), await status('Large', 5_001)]).toEqual([200, 413]);
});
