import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Snapshot } from '../../src/deployment/index.ts';
import { type Artifact, artifactKey, readArtifactFile } from '../../src/synapse/index.ts';
import { DeployedFolder, definitions, endpoint, entry, processor, proxy, sequence, store } from './deployed-folder.ts';

const KINDS = ['sequence', 'endpoint', 'localEntry', 'messageStore', 'messageProcessor', 'proxy'] as const;

/** One artifact as the model knows it; `version` makes two definitions of one name differ. */
interface Wanted {
  readonly kind: (typeof KINDS)[number];
  readonly name: string;
  readonly version: number;
}

function textOf({ kind, name, version }: Wanted): string {
  if (kind === 'sequence') return sequence(name, `<property name="v" value="${version}"/>`);
  if (kind === 'endpoint') return endpoint(name, `http://localhost:${9000 + version}/`);
  if (kind === 'localEntry') return entry(name, String(version));
  if (kind === 'messageStore') return store(name, `<parameter name="v">${version}</parameter>`);
  if (kind === 'messageProcessor') return processor(name, 's', 1 + version);
  return proxy(name, `<property name="v" value="${version}"/>`);
}

function fileText(artifacts: readonly Wanted[]): string {
  const [first, ...others] = artifacts.map(textOf);
  return others.length === 0 && first !== undefined ? first : definitions(...artifacts.map(textOf));
}

/** `sequence a <hash>`: name and content in one. */
function label({ kind, name, hash }: Pick<Artifact, 'kind' | 'name' | 'hash'>): string {
  return `${kind} ${name} ${hash}`;
}

function labelsIn(text: string): string[] {
  return readArtifactFile({ file: 'expected', text }).artifacts.map(label);
}

function served(snapshot: Snapshot): string[] {
  return snapshot.artifacts.map(({ artifact }) => label(artifact)).sort();
}

type Edit =
  | { readonly do: 'write'; readonly file: number; readonly artifacts: readonly Wanted[]; readonly atomically: boolean }
  | { readonly do: 'break'; readonly file: number; readonly how: number }
  | { readonly do: 'touch' | 'delete' | 'rename'; readonly file: number }
  | { readonly do: 'swap'; readonly file: number; readonly other: number };

const FILES = 4;
const BROKEN = ['<proxy', '<nonsense/>', sequence('x', '<nonsense/>'), ''];
const anyFile = fc.nat({ max: FILES - 1 });

/** `own`: every file has names of its own; `shared`: names of different files may clash. */
function artifactsOf(file: number, names: 'own' | 'shared') {
  const artifact = fc.record({
    kind: fc.constantFrom(...KINDS),
    name: fc.nat({ max: 2 }).map((number) => (names === 'own' ? `f${file}n${number}` : `n${number}`)),
    version: fc.nat({ max: 3 }),
  });
  return fc.uniqueArray(artifact, {
    minLength: 1,
    maxLength: 3,
    selector: ({ kind, name }) => artifactKey(kind, name),
  });
}

function edits(names: 'own' | 'shared') {
  const write = anyFile.chain((file) =>
    fc.record({
      do: fc.constant('write' as const),
      file: fc.constant(file),
      artifacts: artifactsOf(file, names),
      atomically: fc.boolean(),
    }),
  );
  const edit: fc.Arbitrary<Edit> = fc.oneof(
    { arbitrary: write, weight: 4 },
    { arbitrary: fc.record({ do: fc.constant('break' as const), file: anyFile, how: fc.nat({ max: 3 }) }), weight: 3 },
    { arbitrary: fc.record({ do: fc.constantFrom('touch', 'delete', 'rename'), file: anyFile }), weight: 2 },
    { arbitrary: fc.record({ do: fc.constant('swap' as const), file: anyFile, other: anyFile }), weight: 1 },
  );
  return fc.array(edit, { minLength: 1, maxLength: 14 });
}

/** A file as the model knows it. */
interface Slot {
  path: string;
  text: string;
  /** The text of its last whole version under this path. */
  good: string | undefined;
}

/** The folder under test, and what ought to be served from it when no two files claim one name. */
class EditedFolder {
  readonly deployed = new DeployedFolder();
  readonly slots = new Map<number, Slot>();
  #renames = 0;

  get expected(): string[] {
    return [...this.slots.values()].flatMap(({ good }) => (good === undefined ? [] : labelsIn(good))).sort();
  }

  apply(edit: Edit): void {
    const slot = this.slots.get(edit.file);
    if (edit.do === 'write') this.#write(edit.file, slot, fileText(edit.artifacts), edit.atomically);
    else if (!slot) return;
    else if (edit.do === 'break') this.#save(slot, BROKEN[edit.how] ?? '');
    else if (edit.do === 'touch') this.#save(slot, slot.text);
    else if (edit.do === 'rename') this.#rename(slot);
    else if (edit.do === 'swap') this.#swap(slot, this.slots.get(edit.other));
    else {
      this.slots.delete(edit.file);
      this.deployed.folder.remove(slot.path);
    }
  }

  #write(file: number, slot: Slot | undefined, text: string, atomically: boolean): void {
    const path = slot?.path ?? this.#freePath(file);
    this.slots.set(file, { path, text, good: text });
    if (atomically) this.deployed.folder.replace(path, text);
    else this.deployed.folder.write(path, text);
  }

  /** After a swap another file may have the path. */
  #freePath(file: number): string {
    const path = `file${file}.xml`;
    if (![...this.slots.values()].some((other) => other.path === path)) return path;
    this.#renames += 1;
    return `sub/again${this.#renames}.xml`;
  }

  #save(slot: Slot, text: string): void {
    slot.text = text;
    this.deployed.folder.write(slot.path, text);
  }

  /** A broken file has no last good version under its new path. */
  #rename(slot: Slot): void {
    this.#renames += 1;
    const path = `sub/renamed${this.#renames}.xml`;
    this.deployed.folder.move(slot.path, path);
    slot.path = path;
    if (slot.text !== slot.good) slot.good = undefined;
  }

  /** Two whole files exchange their contents in one go. */
  #swap(one: Slot, other: Slot | undefined): void {
    if (!other || one.text !== one.good || other.text !== other.good) return;
    [one.path, other.path] = [other.path, one.path];
    this.#save(one, one.text);
    this.#save(other, other.text);
  }
}

describe('random edits (OP-31)', () => {
  test('a file that is written anew where another one has its old path', async () => {
    const edited = new EditedFolder();
    await using _ = edited.deployed;
    const artifacts = [{ kind: 'sequence', name: 'n0', version: 0 }] as const;
    edited.apply({ do: 'write', file: 1, artifacts, atomically: false });
    edited.apply({ do: 'write', file: 3, artifacts, atomically: false });
    edited.apply({ do: 'swap', file: 3, other: 1 });
    edited.apply({ do: 'delete', file: 3 });
    edited.apply({ do: 'write', file: 3, artifacts, atomically: false });
    await expectRecovery(edited);
  });

  test('files with names of their own: served is exactly the last whole version of every file', async () => {
    await fc.assert(
      fc.asyncProperty(edits('own'), async (all) => {
        const edited = new EditedFolder();
        await using deployed = edited.deployed;
        for (const edit of all) {
          edited.apply(edit);
          await deployed.deploy();
          expect(served(deployed.deployer.snapshot)).toEqual(edited.expected);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('files that claim each other’s names: nothing is served twice, lost without a reason or left behind', async () => {
    await fc.assert(
      fc.asyncProperty(edits('shared'), async (all) => {
        const edited = new EditedFolder();
        await using deployed = edited.deployed;
        for (const edit of all) {
          const before = new Map(deployed.deployer.snapshot.artifacts.map((running) => [running.key, running]));
          edited.apply(edit);
          await deployed.deploy();
          expectSound(edited, before);
        }
        await expectRecovery(edited);
      }),
      { numRuns: 60 },
    );
  });

  test('200 edits, half of them broken: what is not edited is never touched', async () => {
    await using deployed = new DeployedFolder();
    const { folder, deployer } = deployed;
    folder.write('p.xml', proxy('untouched'));
    folder.write('all.xml', definitions(store('s'), processor('mp', 's'), endpoint('ep'), sequence('sq')));
    await deployed.deploy();
    const untouched = () => [
      deployer.snapshot.find('proxy', 'untouched'),
      deployer.snapshot.find('messageStore', 's'),
      deployer.snapshot.find('messageProcessor', 'mp'),
      deployer.snapshot.find('endpoint', 'ep'),
      deployer.snapshot.find('sequence', 'sq'),
    ];
    const before = untouched();
    expect(before).not.toContain(undefined);
    let disturbed = 0;
    deployer.subscribe(() => {
      if (untouched().some((running, index) => running !== before[index])) disturbed += 1;
    });
    for (let edit = 0; edit < 200; edit += 1) {
      const text = edit % 2 === 0 ? proxy(`p${edit % 7}`, `<property name="v" value="${edit}"/>`) : BROKEN[edit % 4];
      folder.write(`edited${edit % 5}.xml`, text ?? '');
      if (edit % 11 === 0) folder.write(`edited${edit % 5}.xml`, sequence('sq', '<log/>'));
      await deployed.deploy();
    }
    expect(disturbed).toBe(0);
    expect(untouched()).toEqual(before);
  }, 60_000);
});

/** What must hold after every deployment, whoever has won which name. */
function expectSound(edited: EditedFolder, before: ReadonlyMap<string, { path: string }>): void {
  const { artifacts } = edited.deployed.deployer.snapshot;
  const slots = [...edited.slots.values()];
  const paths = new Set(slots.map(({ path }) => path));
  const keys = artifacts.map(({ key }) => key);
  expect(new Set(keys).size).toBe(keys.length);
  for (const { path } of artifacts) expect(paths).toContain(path);
  for (const { path, good } of slots) {
    if (good === undefined) continue;
    for (const artifact of readArtifactFile({ file: path, text: good }).artifacts) {
      // Whatever a file claims is served: by this file, or because another one has the name.
      const key = artifactKey(artifact.kind, artifact.name);
      const holder = artifacts.find((running) => running.key === key);
      const refused = edited.deployed.deployer.faulty().some((faulty) => faulty.path === path);
      if (!holder) expect(refused).toBe(true);
      // Nobody loses a name that it had and still claims.
      if (before.get(key)?.path === path) expect(holder?.path).toBe(path);
    }
  }
}

/** Once no two files claim one name, everything is as if it had been so from the beginning. */
async function expectRecovery(edited: EditedFolder): Promise<void> {
  for (const file of edited.slots.keys()) {
    const artifacts = [{ kind: 'sequence', name: `own${file}`, version: 1 }] as const;
    edited.apply({ do: 'write', file, artifacts, atomically: false });
  }
  await edited.deployed.deploy();
  expect(served(edited.deployed.deployer.snapshot)).toEqual(edited.expected);
  expect(edited.deployed.deployer.faulty()).toEqual([]);
}
