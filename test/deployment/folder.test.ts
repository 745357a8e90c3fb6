import { execFileSync, spawnSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ArtifactFolder, Deployer, type RuntimeServices } from '../../src/deployment/index.ts';
import { artifactRuntimes } from '../../src/deployment/runtimes.ts';
import { onLogRecord } from '../../src/logging/index.ts';
import { proxy, sequence } from './deployed-folder.ts';
import { TemporaryFolder } from './temporary-folder.ts';

/** A folder that is served as the server does it, with its own clock and file events. */
class ServedFolder implements AsyncDisposable {
  readonly folder = new TemporaryFolder();
  readonly lines: string[] = [];
  readonly deployer = new Deployer({
    runtimes: artifactRuntimes({ serverName: 'localhost' } as RuntimeServices),
    services: {} as never,
    lookup: { environment: () => undefined, fileProperty: () => undefined, configuration: () => undefined },
  });
  readonly #served = new ArtifactFolder(this.deployer, { directory: this.folder.path });
  readonly #stopListening = onLogRecord(({ message }) => this.lines.push(message));

  async start(): Promise<this> {
    await this.#served.deployAll();
    this.#served.watch();
    this.lines.length = 0;
    return this;
  }

  /** Waits for a line about a deployment; polls with a deadline far above what it takes. */
  async line(text: string): Promise<void> {
    const deadline = Date.now() + 15_000;
    while (!this.lines.some((line) => line.includes(text))) {
      if (Date.now() > deadline) throw new Error(`no line '${text}' in: ${this.lines.join('\n')}`);
      await pause(10);
    }
  }

  /** A change of another file, which is only deployed after everything that is on the move. */
  async flush(): Promise<string[]> {
    this.folder.write('flush.xml', sequence('flush'));
    await this.line("Sequence named 'flush' has been deployed");
    return this.lines.filter((line) => !line.includes('flush'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#served.stop();
    await this.deployer.close();
    this.#stopListening();
    this.folder[Symbol.dispose]();
  }
}

test('a new file, an atomic save, a rename and a removal are one deployment each', async () => {
  await using served = await new ServedFolder().start();
  const { folder } = served;
  folder.write('p.xml', proxy('p', '<log/>'));
  await served.line("ProxyService named 'p' has been deployed");
  folder.replace('p.xml', proxy('p', '<drop/>'));
  await served.line("ProxyService named 'p' has been update");
  const running = served.deployer.snapshot.find('proxy', 'p');
  folder.move('p.xml', 'proxy-services/p.xml');
  await served.flush();
  expect(served.deployer.snapshot.find('proxy', 'p')).toBe(running);
  folder.remove('proxy-services/p.xml');
  await served.line("ProxyService named 'p' has been undeployed");
  expect(served.lines.filter((line) => line.includes("'p'"))).toEqual([
    `ProxyService named 'p' has been deployed from file : ${folder.at('p.xml')}`,
    `ProxyService named 'p' has been update from file : ${folder.at('p.xml')}`,
    "ProxyService named 'p' has been undeployed",
  ]);
});

const hasGit = spawnSync('git', ['--version']).status === 0;

test.skipIf(!hasGit)(
  `git checkout${hasGit ? '' : ' (there is no git)'}: every artifact that differs is deployed once, moved ones are never missing`,
  async () => {
    await using served = await new ServedFolder().start();
    const { folder } = served;
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
        cwd: folder.path,
        stdio: 'pipe',
      });
    git('init', '--quiet', '--initial-branch=one');
    folder.write('moved.xml', sequence('moved', '<log/><drop/>'));
    for (let index = 0; index < 20; index += 1) folder.write(`s/${index}.xml`, sequence(`s${index}`, '<log/>'));
    git('add', '.');
    git('commit', '--quiet', '-m', 'one');
    git('checkout', '--quiet', '-b', 'two');
    git('mv', 'moved.xml', 's/elsewhere.xml');
    for (let index = 0; index < 20; index += 2) folder.write(`s/${index}.xml`, sequence(`s${index}`, '<drop/>'));
    git('commit', '--quiet', '-am', 'two');
    git('checkout', '--quiet', 'one');
    await served.flush();
    served.lines.length = 0;
    folder.remove('flush.xml');

    let gaps = 0;
    served.deployer.subscribe((snapshot) => {
      if (!snapshot.find('sequence', 'moved')) gaps += 1;
    });
    git('checkout', '--quiet', 'two');
    await served.line("Sequence named 'flush' has been undeployed");
    const lines = (await served.flush()).sort();
    const expected = Array.from(
      { length: 10 },
      (_, index) => `Sequence: s${2 * index} has been updated from the file:`,
    );
    expect(lines.map((line) => line.replace(/ [^ ]*$/, '')).sort()).toEqual(expected.sort());
    expect(gaps).toBe(0);
  },
);
