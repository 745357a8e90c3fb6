import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { waitFor } from '../support/wait-for.ts';
import { START_MS, serve } from './served.ts';

it(
  'a secret that is changed in its file is taken up by the running server without a change of an artifact (OP-84)',
  async () => {
    const secrets = await mkdtemp(join(tmpdir(), 'mini-synapse-secrets-'));
    await writeFile(join(secrets, 'broker'), 'one');
    const secret = `{wso2:vault-lookup('broker')}`;
    // The second is a secret by nothing but where it comes from.
    const lookUp = `<parameter name="p.password">${secret}</parameter><parameter name="p.pin">${secret}</parameter>`;
    const artifacts = {
      'secret.xml': `<messageStore xmlns="http://ws.apache.org/ns/synapse" name="Secret">${lookUp}</messageStore>`,
      'other.xml': '<messageStore xmlns="http://ws.apache.org/ns/synapse" name="Other"/>',
    };
    const toml = `[mini_synapse]\nsecrets = ${JSON.stringify(secrets)}\n`;
    const served = await serve({ artifacts, toml });
    onTestFinished(async () => {
      await served.stop();
      await rm(secrets, { recursive: true, force: true });
    });
    const rows = async () => (await served.ask('/management/artifacts')).body.list as { revision: number }[];
    expect((await rows()).map(({ revision }) => revision)).toEqual([1, 1]);
    await writeFile(join(secrets, 'broker'), 'two');
    await waitFor(async () => (await rows()).some(({ revision }) => revision > 1), {
      what: 'the changed secret to be taken up',
      deadlineMs: 60_000,
    });
    expect(await rows()).toMatchObject([
      { name: 'Other', revision: 1 },
      { name: 'Secret', revision: 2 },
    ]);
    const [latest] = (await served.ask('/management/deployments')).body.list;
    expect(latest).toMatchObject({ files: ['secret.xml'], events: [{ event: 'updated', name: 'Secret' }] });
    const { text } = await served.ask('/management/message-stores?name=Secret');
    expect(text).toContain('vault-lookup');
    expect(text).toContain('"p.pin":"*****"');
    expect(text).not.toMatch(/"(?:one|two)"/);
  },
  START_MS,
);
