import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { cleanUpAtExit } from '../../../samples/activemq/clean-up-at-exit.ts';
import { type ActiveMqInstallation, findActiveMq } from '../../../samples/activemq/installation.ts';
import { activemq } from './activemq.ts';

const FOLDER = '/usr/share/java';
/** What ActiveMQ's own distribution has in `lib/optional` and Debian's package leaves out: with it STOMP clients get map messages. */
const JARS = ['xstream.jar', 'xpp3-1.1.4c.jar', 'jettison.jar'].map((name) => join(FOLDER, name));

/** ActiveMQ Classic that writes map messages as JSON for STOMP clients, like the distribution of its makers. */
export const activemqWithMaps: typeof activemq = {
  ...activemq,
  name: 'ActiveMQ with XStream',
  debianPackage: 'libxstream-java libjettison-java',
  find: () => withJars(findActiveMq()),
};

function withJars(installation: ActiveMqInstallation): ActiveMqInstallation {
  const missing = JARS.find((jar) => !existsSync(jar));
  if (missing !== undefined) throw new Error(`${missing} is missing: apt-get install libxstream-java libjettison-java`);
  const home = mkdtempSync(join(tmpdir(), 'mini-synapse-activemq-home-'));
  cleanUpAtExit(() => rmSync(home, { recursive: true, force: true }));
  cpSync(installation.home, home, { recursive: true, verbatimSymlinks: false, dereference: true });
  for (const jar of JARS) symlinkSync(jar, join(home, 'lib', basename(jar)));
  return { ...installation, home };
}
