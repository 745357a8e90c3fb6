import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { devKeys } from '../../src/cli/dev-keys.ts';
import { call } from '../support/http-call.ts';
import { type InProcess, inOnly, serve } from '../support/in-process.ts';
import { waitFor } from '../support/wait-for.ts';

const FORWARDER = 'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor';

let served: InProcess;
let press: (key: string) => void;
let stop: () => void;

beforeEach(async () => {
  served = await serve({
    P: inOnly('P', '<respond/>'),
    S: '<messageStore name="S"/>',
    E: '<endpoint name="E"><address uri="http://127.0.0.1:1/"/></endpoint>',
    F: `<messageProcessor name="F" class="${FORWARDER}" messageStore="S" targetEndpoint="E"/>`,
    G: `<messageProcessor name="G" class="${FORWARDER}" messageStore="S" targetEndpoint="E"><parameter name="is.active">false</parameter></messageProcessor>`,
  });
  const stdin = Object.assign(new PassThrough(), { isTTY: true as const, setRawMode: () => process.stdin });
  const stdout = new Writable({ write: (_part, _encoding, done) => done() });
  press = (key) => stdin.emit('data', Buffer.from(key));
  stop = devKeys(served.server, 'http://127.0.0.1/', { stdin, stdout, stderr: stdout });
});

afterEach(async () => {
  stop();
  await served.stop();
});

const stateOf = (name: string) => served.server.configuration().find('messageProcessor', name)?.status().state;

/** What the audit log says, newest first. */
async function auditLog(): Promise<unknown> {
  const { text } = await call(served.management('/management/audit'));
  return (JSON.parse(text) as { readonly list: unknown }).list;
}

it('p pauses the processors that work, and lets those go on (OP-122)', async () => {
  const before = stateOf('G');
  press('p');
  await waitFor(() => stateOf('F') === 'PAUSED', { what: 'the pause' });
  await served.logged(/Paused 1 message processors/);
  press('p');
  await waitFor(() => stateOf('F') === 'ACTIVE', { what: 'the end of the pause' });
  expect(stateOf('G')).toBe(before);
  await served.logged(/Resumed 1 message processors/);
  expect(await auditLog()).toEqual([
    expect.objectContaining({
      who: 'terminal',
      action: 'enabled',
      type: 'message_processor',
      name: 'F',
      result: 'done',
    }),
    expect.objectContaining({
      who: 'terminal',
      action: 'disabled',
      type: 'message_processor',
      name: 'F',
      result: 'done',
    }),
  ]);
});

it('r deploys what has changed, also where nobody watches (OP-122)', async () => {
  writeFileSync(
    join(served.directory, 'Q.xml'),
    inOnly('Q', '<respond/>').replace(/^<(\w+)/, '<$1 xmlns="http://ws.apache.org/ns/synapse"'),
  );
  expect((await call(served.service('Q'))).status).toBe(404);
  press('r');
  await served.logged(/what has changed is deployed/);
  expect(served.server.configuration().find('proxy', 'Q')).toBeDefined();
  expect(await auditLog()).toEqual([
    expect.objectContaining({ who: 'terminal', action: 'deployed', type: 'artifact', result: 'done' }),
  ]);
});
