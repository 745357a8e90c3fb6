import { describe, expect, it } from 'vitest';
import { type ActiveMqInstallation, findActiveMq } from '../../../samples/activemq/installation.ts';
import type { ServerKind } from './kind.ts';
import { MissingServerError, provision, type Surroundings } from './provision.ts';

/** A machine on which the server is, is not, or becomes installed. */
function machine(options: { installed: boolean; installable?: boolean; ci?: boolean; aptWorks?: boolean }) {
  const { installable = false, ci = false, aptWorks = true } = options;
  let { installed } = options;
  const said: string[] = [];
  const installations: string[] = [];
  const kind: ServerKind<string, never, { close(): Promise<void> }> = {
    name: 'Postbox',
    debianPackage: 'postbox-server',
    find() {
      if (!installed) throw new Error('no Postbox in /opt: apt-get install postbox-server');
      return '/opt/postbox';
    },
    start: () => Promise.reject(new Error('not started here')),
  };
  const surroundings: Surroundings = {
    ci,
    canInstall: installable,
    async install(name) {
      installations.push(name);
      if (!aptWorks) throw new Error('apt-get could not\n    E: no network');
      installed = true;
    },
    say: (line) => said.push(line),
  };
  return { said, installations, provision: () => provision(kind, surroundings) };
}

describe('a real server for tests', () => {
  it('is the installed one where there is one', async () => {
    const { said, installations, provision } = machine({ installed: true, installable: true });
    expect(await provision()).toEqual({ found: '/opt/postbox' });
    expect({ said, installations }).toEqual({ said: [], installations: [] });
  });

  it('is installed as a Debian package where that can be done', async () => {
    const { said, installations, provision } = machine({ installed: false, installable: true });
    expect(await provision()).toEqual({ found: '/opt/postbox' });
    expect({ said, installations }).toEqual({ said: [], installations: ['postbox-server'] });
  });

  it('is missing otherwise, with one line that says how to get it', async () => {
    const { said, installations, provision } = machine({ installed: false });
    expect(await provision()).toEqual({ missing: 'no Postbox in /opt: apt-get install postbox-server' });
    expect(said).toEqual(['SKIPPING the tests that need Postbox: no Postbox in /opt: apt-get install postbox-server']);
    expect(installations).toEqual([]);
  });

  it('is missing when the installation fails', async () => {
    const { said, provision } = machine({ installed: false, installable: true, aptWorks: false });
    expect((await provision()).missing).toContain('no network');
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('SKIPPING the tests that need Postbox');
  });

  it('must not be missing in CI', async () => {
    await expect(machine({ installed: false, ci: true }).provision()).rejects.toThrow(MissingServerError);
    const broken = machine({ installed: false, installable: true, aptWorks: false, ci: true });
    await expect(broken.provision()).rejects.toThrow(/Postbox is missing, and with CI=true.*no network/s);
    expect(await machine({ installed: true, ci: true }).provision()).toEqual({ found: '/opt/postbox' });
  });
});

describe('an installed ActiveMQ', () => {
  const find = (env: NodeJS.ProcessEnv, homes: string[] = []): ActiveMqInstallation => findActiveMq(env, homes);

  it('is not looked for elsewhere when ACTIVEMQ_HOME names a folder without one', () => {
    expect(() => find({ ACTIVEMQ_HOME: '/nowhere' })).toThrow(
      /ACTIVEMQ_HOME is \/nowhere, but \/nowhere\/bin\/activemq\.jar does not exist/,
    );
  });

  it('is told how to get when there is none', () => {
    expect(() => find({})).toThrow(/no ActiveMQ is installed: install the Debian package \(apt-get install activemq\)/);
  });
});
