import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, isExecutable } from './server-process.ts';

/** An installed ActiveMQ Classic and the Java that runs it; all absolute paths. */
export interface ActiveMqInstallation {
  /** The folder that has `bin/activemq.jar` and `lib`. */
  readonly home: string;
  /** The launcher: it puts the jars below `lib` of `home` on the class path by itself. */
  readonly jar: string;
  readonly java: string;
}

/** There is no ActiveMQ (or no Java) to be found; the message says where it was looked for and how to get it. */
export class ActiveMqNotFoundError extends Error {
  override readonly name = 'ActiveMqNotFoundError';
}

const howToGetIt =
  'install the Debian package (apt-get install activemq), or unpack a distribution from activemq.apache.org ' +
  'and set ACTIVEMQ_HOME to its folder';

/** Where packages put it: Debian and Ubuntu, Homebrew on both kinds of Mac, a hand-made installation. */
const usualHomes = [
  '/usr/share/activemq',
  '/opt/homebrew/opt/activemq/libexec',
  '/usr/local/opt/activemq/libexec',
  '/opt/activemq',
];

/**
 * Finds the ActiveMQ that ACTIVEMQ_HOME names, else one in a usual place, and Java by JAVA_HOME, PATH or Debian's default.
 * @throws ActiveMqNotFoundError when either is missing, or ACTIVEMQ_HOME names something else
 */
export function findActiveMq(
  env: NodeJS.ProcessEnv = process.env,
  homes: readonly string[] = usualHomes,
): ActiveMqInstallation {
  const home = findHome(env.ACTIVEMQ_HOME, homes);
  const java = [
    join(env.JAVA_HOME ?? '', 'bin/java'),
    findOnPath('java', env.PATH),
    '/usr/lib/jvm/default-java/bin/java',
  ]
    .filter((file) => file !== undefined)
    .find((file) => file.startsWith('/') && isExecutable(file));
  if (java === undefined) {
    throw new ActiveMqNotFoundError(`ActiveMQ is in ${home}, but there is no Java: set JAVA_HOME, or put java on PATH`);
  }
  return { home, jar: launcherOf(home), java };
}

function findHome(named: string | undefined, homes: readonly string[]): string {
  if (named !== undefined && named !== '') {
    if (existsSync(launcherOf(named))) return named;
    throw new ActiveMqNotFoundError(
      `ACTIVEMQ_HOME is ${named}, but ${launcherOf(named)} does not exist: ${howToGetIt}`,
    );
  }
  const home = homes.find((folder) => existsSync(launcherOf(folder)));
  if (home === undefined) throw new ActiveMqNotFoundError(`no ActiveMQ is installed: ${howToGetIt}`);
  return home;
}

function launcherOf(home: string): string {
  return join(home, 'bin/activemq.jar');
}
