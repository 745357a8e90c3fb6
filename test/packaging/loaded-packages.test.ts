import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { freePort } from '../support/free-ports.ts';
import { readManagement } from '../support/management.ts';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { waitFor } from '../support/wait-for.ts';

const SYN = 'xmlns="http://ws.apache.org/ns/synapse"';
const REPORT = new URL('../support/report-loaded-packages.ts', import.meta.url);
const DEADLINE_MS = 180_000;

const manifest = JSON.parse(readFileSync(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8'));
/** Drivers and engines that only some artifacts need. */
const ONLY_WHERE_NEEDED: readonly string[] = [...Object.keys(manifest.optionalDependencies), 'stompit'];

const PLAIN = {
  'proxy.xml': `<proxy ${SYN} name="P"><target><inSequence><log/><store messageStore="S"/><respond/></inSequence></target></proxy>`,
  'store.xml': `<messageStore ${SYN} name="S"/>`,
};

/** The packages that a server loads until it has served one message of the proxy `P`. */
async function loadedWith(artifacts: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-loaded-'));
  try {
    mkdirSync(join(folder, 'artifacts'));
    for (const [file, text] of Object.entries(artifacts)) writeFileSync(join(folder, 'artifacts', file), text);
    const report = join(folder, 'loaded.txt');
    const runtime = await runMiniSynapse({
      artifacts: join(folder, 'artifacts'),
      dataDirectory: join(folder, 'data'),
      env: { NODE_OPTIONS: `--import=${REPORT.href}`, LOADED_PACKAGES: report },
      startDeadlineMs: DEADLINE_MS,
    });
    try {
      const headers = { 'content-type': 'text/xml' };
      expect((await fetch(runtime.service('P'), { method: 'POST', body: '<m/>', headers })).status).toBe(200);
      await waitFor(async () => (await statesOf(runtime)).every((state) => state === 'READY' || state === 'DOWN'), {
        what: 'every store to know its medium, or that it is away',
        deadlineMs: DEADLINE_MS,
      });
    } finally {
      await runtime.stop();
    }
    return readFileSync(report, 'utf8').split('\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function statesOf(runtime: MiniSynapse): Promise<string[]> {
  const { list } = (await readManagement(runtime, '/management/message-stores')) as { list: Array<{ state: string }> };
  return list.map(({ state }) => state);
}

describe('packages that only some artifacts need (OP-103)', { timeout: DEADLINE_MS }, () => {
  it('are not loaded without such an artifact', async () => {
    const loaded = await loadedWith(PLAIN);
    // The report tells what is loaded.
    expect(loaded).toContain('undici');
    expect(loaded.filter((name) => ONLY_WHERE_NEEDED.includes(name))).toEqual([]);
  });

  it('are loaded for those that do', async () => {
    const port = await freePort();
    const parameter = (name: string, value: string) => `<parameter name="${name}">${value}</parameter>`;
    const loaded = await loadedWith({
      ...PLAIN,
      'jms.xml': `<messageStore ${SYN} name="J" class="org.apache.synapse.message.store.impl.jms.JmsStore">
        ${parameter('java.naming.factory.initial', 'org.apache.activemq.jndi.ActiveMQInitialContextFactory')}
        ${parameter('java.naming.provider.url', `tcp://127.0.0.1:${port}`)}${parameter('x.stomp.url', `stomp://127.0.0.1:${port}`)}
      </messageStore>`,
      'sql.xml': `<messageStore ${SYN} name="Q" class="org.apache.synapse.message.store.impl.jdbc.JDBCMessageStore">
        ${parameter('store.jdbc.driver', 'org.postgresql.Driver')}${parameter('store.jdbc.table', 't')}
        ${parameter('store.jdbc.connection.url', `jdbc:postgresql://127.0.0.1:${port}/d`)}
        ${parameter('store.jdbc.username', 'u')}${parameter('store.jdbc.password', 'p')}</messageStore>`,
    });
    expect(loaded.filter((name) => ONLY_WHERE_NEEDED.includes(name)).sort()).toEqual(['pg', 'stompit']);
  });
});
