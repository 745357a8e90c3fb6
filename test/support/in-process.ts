import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readConfiguration } from '../../src/config/config.ts';
import { type LogRecord, onLogRecord } from '../../src/logging/index.ts';
import { type RunningServer, startServer } from '../../src/server.ts';
import { waitFor } from './wait-for.ts';

/** A server in the test's own process: quick to start, its log at hand. */
export interface InProcess {
  readonly server: RunningServer;
  /** The artifact folder. */
  readonly directory: string;
  /** Everything logged since the start. */
  readonly records: LogRecord[];
  service(name: string, scheme?: 'http' | 'https'): string;
  url(path: string): string;
  management(path: string): string;
  /** Lines like `WARN text`, from `after` (an index of records) on. */
  lines(after?: number): string[];
  /** Resolves when a line matches that was logged after `after` records. */
  logged(pattern: RegExp, after?: number): Promise<string>;
  /** Messages in a store. */
  depth(store: string): Promise<number>;
  stop(): Promise<void>;
}

const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';

/**
 * Serves artifacts given as file name -> XML (the namespace is added to the root when it says none) on free ports.
 * @param toml lines of a deployment.toml
 * @param options `watch`: deploy changes of the folder
 */
export async function serve(
  artifacts: Readonly<Record<string, string>>,
  toml = '',
  { watch = false } = {},
): Promise<InProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-flow-'));
  const directory = join(folder, 'artifacts');
  for (const [file, xml] of Object.entries(artifacts)) {
    const path = join(directory, `${file}.xml`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, xml.includes('xmlns="http://ws.apache') ? xml : xml.replace(/^<([\w:]+)/, `<$1 ${SYNAPSE}`));
  }
  mkdirSync(directory, { recursive: true });
  const config = join(folder, 'deployment.toml');
  writeFileSync(config, toml);
  const records: LogRecord[] = [];
  const stopListening = onLogRecord((record) => records.push(record));
  const flags = { artifacts: directory, data: join(folder, 'data'), config, watch };
  const configuration = readConfiguration({ ...flags, httpPort: 0, httpsPort: 0, managementPort: 0 });
  const cleanUp = () => {
    stopListening();
    rmSync(folder, { recursive: true, force: true });
  };
  const server = await startServer(configuration, { version: 'test' }).catch((error: unknown) => {
    cleanUp();
    throw error;
  });
  const lines = (after = 0) => records.slice(after).map(({ level, message }) => `${level.toUpperCase()} ${message}`);
  return {
    server,
    directory,
    records,
    lines,
    service: (name, scheme = 'http') =>
      `${scheme}://127.0.0.1:${scheme === 'http' ? server.httpPort : server.httpsPort}/services/${name}`,
    url: (path) => `http://127.0.0.1:${server.httpPort}${path}`,
    management: (path) => `http://127.0.0.1:${server.managementPort}${path}`,
    logged: (pattern, after = 0) =>
      waitFor(() => lines(after).find((line) => pattern.test(line)), {
        what: () => `a line like ${pattern}; there are:\n${lines(after).slice(-15).join('\n')}`,
      }),
    async depth(store) {
      const { count = 'unknown' } = (await server.configuration().find('messageStore', store)?.depth()) ?? {};
      return Number(count);
    },
    async stop() {
      await server.stop();
      cleanUp();
    },
  };
}

/** A `<proxy>` of these parts of its target. */
export function proxy(name: string, target: string, attributes = '', more = ''): string {
  return `<proxy name="${name}"${attributes}><target>${target}</target>${more}</proxy>`;
}

/** A proxy that only has an in-sequence. */
export function inOnly(name: string, mediators: string, rest = ''): string {
  return proxy(name, `<inSequence>${mediators}</inSequence>${rest}`);
}
