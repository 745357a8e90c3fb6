import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ActiveMqBroker, type ActiveMqOptions, startActiveMq } from '../../../samples/activemq/broker.ts';
import { cleanUpAtExit } from '../../../samples/activemq/clean-up-at-exit.ts';
import { type ActiveMqInstallation, findActiveMq } from '../../../samples/activemq/installation.ts';
import { freePort } from '../free-ports.ts';
import { type KeyAndCertificate, PKCS12_PASSWORD, pkcs12 } from './certificates.ts';
import type { ServerKind } from './kind.ts';

export interface ActiveMqTestOptions extends ActiveMqOptions {
  /** For one more listener, STOMP over TLS. */
  readonly tls?: KeyAndCertificate;
}

export interface ActiveMqTestBroker extends ActiveMqBroker {
  /** Of STOMP over TLS; nobody listens there without the option `tls`. */
  readonly tlsPort: number;
}

/** ActiveMQ Classic with OpenWire and STOMP, durable. */
export const activemq: ServerKind<ActiveMqInstallation, ActiveMqTestOptions, ActiveMqTestBroker> = {
  name: 'ActiveMQ',
  debianPackage: 'activemq',
  find: () => findActiveMq(),
  start: async (installation, { tls, ...options } = {}) => {
    if (!tls) return Object.assign(await startActiveMq({ ...options, installation }), { tlsPort: 0 });
    const folder = await mkdtemp(join(tmpdir(), 'mini-synapse-activemq-tls-'));
    const forgetFolder = cleanUpAtExit(() => rmSync(folder, { recursive: true, force: true }));
    const store = join(folder, 'broker.p12');
    await writeFile(store, pkcs12(tls), { mode: 0o600 });
    const tlsPort = await freePort();
    const broker = await startActiveMq({
      ...options,
      installation,
      connectors: [...(options.connectors ?? []), { name: 'stomps', uri: `stomp+ssl://127.0.0.1:${tlsPort}` }],
      extraXml: `${options.extraXml ?? ''}<sslContext><sslContext keyStore="file:${store}" keyStoreType="PKCS12" keyStorePassword="${PKCS12_PASSWORD}"/></sslContext>`,
    });
    const close = async () => {
      await Object.getPrototypeOf(broker).close.call(broker);
      await rm(folder, { recursive: true, force: true });
      forgetFolder();
    };
    return Object.assign(broker, { tlsPort, close });
  },
};
