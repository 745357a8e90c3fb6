import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Snapshot } from '../../src/deployment/snapshot.ts';
import { logCategories, logLevel, setLogLevel } from '../../src/logging/index.ts';
import { Observation } from '../../src/observation/observation.ts';
import type { TakerNote } from '../../src/workers/notes.ts';
import { OwnerPort } from '../../src/workers/owner-port.ts';
import type { WorkingServer } from '../../src/workers/server-part.ts';
import { TakerPart } from '../../src/workers/taker-part.ts';
import { waitFor } from '../support/wait-for.ts';

const LONG_MS = 60_000;
let folder: string;
let path: string;
const closing: Array<() => unknown> = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-taker-'));
  path = join(folder, 'owner');
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  for (const category of logCategories()) setLogLevel(category, undefined);
  rmSync(folder, { recursive: true, force: true });
});

/** An owner whose operator has stopped the proxy. */
async function owner(): Promise<TakerNote[]> {
  const heard: TakerNote[] = [];
  const port = new OwnerPort({
    path,
    put: async () => undefined,
    begin: (tell) => {
      const log = { general: logLevel(), categories: [], artifacts: [] };
      tell({ type: 'switches', switches: { proxies: [['Orders', false]], endpointsOff: [], log } });
      return { note: (note) => heard.push(note), ended: () => {} };
    },
  });
  await port.open();
  closing.push(() => port.close());
  return heard;
}

/** A taker with one proxy, which its artifact lets run. */
function taker() {
  const proxy = { active: true };
  const snapshot = {
    version: 1,
    artifacts: [],
    names: () => [],
    find: (kind: string) => (kind === 'proxy' ? proxy : undefined),
  } as unknown as Snapshot;
  const changes = new Set<() => void>();
  const server = {
    deployer: { snapshot, subscribe: () => () => {} },
    folder: { look: async () => {} },
    observation: new Observation({ snapshot: () => snapshot }),
    registry: {
      flush: async () => {},
      reload: async () => {},
      onChange: (listener: () => void) => {
        changes.add(listener);
        return () => changes.delete(listener);
      },
    },
  } as unknown as WorkingServer;
  const part = new TakerPart(path, LONG_MS);
  closing.push(() => part.close());
  const changeRegistry = () => {
    for (const changed of changes) changed();
  };
  return { part, server, proxy, changeRegistry };
}

it('takes no request for what is switched off from the start on', async () => {
  await owner();
  const { part, server, proxy } = taker();
  await part.begin(server);
  expect(proxy.active).toBe(false);
});

it('starts without an owner, and tells the next one that the registry has changed', async () => {
  const { part, server, proxy, changeRegistry } = taker();
  await part.begin(server);
  expect(proxy.active).toBe(true);
  changeRegistry();
  const heard = await owner();
  await waitFor(() => heard.some(({ type }) => type === 'registry'), { what: 'the note', deadlineMs: LONG_MS });
  expect(proxy.active).toBe(false);
});
