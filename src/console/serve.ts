import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import type { Answer } from '../management/resource.ts';
import { CORE, coreModule, coreOf, withCore } from './core-module.ts';
import { withoutRemarks } from './shrink.ts';

const gzipped = promisify(gzip);
const brotlied = promisify(brotliCompress);
const GZIP_LEVEL = 9;
/** Smaller files do not get smaller. */
const WORTH_COMPRESSING_BYTES = 400;

/** Of the hash of a file: enough to tell its versions apart. */
const TAG_CHARACTERS = 11;

const MOUNT = '/console';
const INDEX = 'index.html';
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  // Modules are UTF-8 whatever is said, and all others are when the page is.
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};

/** Style sheets that are sent as one, in this order: together they are smaller than apart. */
const SHEET = 'console.css';
const SHEETS = ['base.css', 'components.css', 'pages.css'];

/** What the page may do: load from here and talk to here, nothing else (OP-83). Its one inline script is the import map. */
function policy(importMap: string | undefined): string {
  const script = importMap === undefined ? '' : ` 'sha256-${createHash('sha256').update(importMap).digest('base64')}'`;
  return [
    `default-src 'self'`,
    `script-src 'self'${script}`,
    `object-src 'none'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ].join('; ');
}

/** A file as it is sent. */
interface ConsoleFile {
  readonly type: string;
  readonly plain: Uint8Array;
  /** Content encoding -> bytes, the smallest first. */
  readonly compressed: ReadonlyMap<string, Uint8Array>;
  readonly tag: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The part of a request that decides what is sent. */
export interface FileRequest {
  readonly method?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * Serves the web console (OP-40): its files from this package, its libraries from theirs, to anybody, as they hold no data. Every file is
 * read and compressed once; a path leads nowhere but to a file that was there at the start.
 */
export class ConsoleFiles {
  readonly #paths: ReadonlyMap<string, readonly string[]>;
  readonly #files = new Map<string, Promise<ConsoleFile>>();
  readonly #keep: boolean;
  #core: Promise<CoreFiles> | undefined;

  /** @param options.keep false: files are read anew for each request, for those who work on them */
  constructor(options: { readonly keep?: boolean } = {}) {
    this.#paths = new Map([...ownFiles(), ...libraries()]);
    this.#keep = options.keep ?? true;
  }

  /** The answer to a request for `/` or below `/console`; undefined: it is for somebody else. */
  async answer(request: FileRequest, path: string): Promise<Answer | undefined> {
    const mine = path === '/' || path === MOUNT || path.startsWith(`${MOUNT}/`);
    if (!mine) return undefined;
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return { status: 405, headers: { Allow: 'GET, HEAD' }, body: { Error: 'The console can only be read' } };
    if (path === '/' || path === MOUNT)
      return { status: 302, headers: { Location: `${MOUNT}/` }, type: 'text/plain', text: `See ${MOUNT}/\n` };
    const name = path.slice(MOUNT.length + 1) || INDEX;
    const places = this.#keep && name === CORE ? [CORE] : this.#paths.get(name);
    if (places === undefined)
      return { status: 404, type: 'text/plain; charset=utf-8', text: 'There is no such file\n' };
    return sent(await this.#file(name, places), request);
  }

  #file(name: string, places: readonly string[]): Promise<ConsoleFile> {
    const known = this.#files.get(name);
    if (known) return known;
    const file = this.#read(name, places);
    if (!this.#keep) return file;
    this.#files.set(name, file);
    // What could not be read is tried again.
    file.catch(() => this.#files.delete(name));
    return file;
  }

  async #read(name: string, places: readonly string[]): Promise<ConsoleFile> {
    if (!this.#keep) return await consoleFile(name, await bytesOf(places));
    if (name === CORE) return await consoleFile(name, Buffer.from((await this.#coreFiles()).text));
    const bytes = await bytesOf(places);
    if (name === INDEX)
      return await consoleFile(name, Buffer.from(withCore(bytes.toString('utf8'), (await this.#coreFiles()).order)));
    const shrinks = !name.startsWith('lib/') && /\.(?:js|css)$/.test(name);
    return await consoleFile(name, shrinks ? Buffer.from(withoutRemarks(bytes.toString('utf8'))) : bytes);
  }

  #coreFiles(): Promise<CoreFiles> {
    if (this.#core) return this.#core;
    const core = readCore(this.#paths);
    this.#core = core;
    core.catch(() => {
      this.#core = undefined;
    });
    return core;
  }
}

/** The modules that are sent as one. */
interface CoreFiles {
  readonly order: readonly string[];
  readonly text: string;
}

async function readCore(paths: ReadonlyMap<string, readonly string[]>): Promise<CoreFiles> {
  const own = [...paths].filter(([name]) => name.endsWith('.js') && !name.startsWith('lib/'));
  const modules = new Map(
    await Promise.all(
      own.map(async ([name, places]) => [name, withoutRemarks((await bytesOf(places)).toString('utf8'))] as const),
    ),
  );
  const order = coreOf(modules);
  return { order, text: coreModule(modules, order) };
}

async function bytesOf(places: readonly string[]): Promise<Buffer> {
  return Buffer.concat(await Promise.all(places.map((place) => readFile(place))));
}

function sent(file: ConsoleFile, { headers }: FileRequest): Answer {
  const encoding = [...file.compressed.keys()].find((name) => accepts(headers['accept-encoding'], name));
  const tag = `"${file.tag}${encoding === undefined ? '' : `-${encoding}`}"`;
  const own = { ...file.headers, ETag: tag, 'Cache-Control': 'no-cache', Vary: 'Accept-Encoding' };
  if (headers['if-none-match'] === tag) return { status: 304, headers: own, body: undefined };
  const bytes = encoding === undefined ? undefined : file.compressed.get(encoding);
  if (encoding === undefined || !bytes) return { status: 200, headers: own, type: file.type, text: file.plain };
  return { status: 200, headers: { ...own, 'Content-Encoding': encoding }, type: file.type, text: bytes };
}

function accepts(accepted: string | string[] | undefined, encoding: string): boolean {
  const wanted = String(accepted ?? '').split(',');
  const found = wanted.map((part) => part.trim().split(/\s*;\s*q=/)).find(([name]) => name === encoding);
  return found !== undefined && Number(found[1] ?? 1) > 0;
}

async function consoleFile(name: string, plain: Uint8Array): Promise<ConsoleFile> {
  const page = name === INDEX;
  return {
    type: TYPES[extname(name)] ?? 'application/octet-stream',
    plain,
    compressed: plain.length < WORTH_COMPRESSING_BYTES ? new Map() : await compressed(plain),
    tag: createHash('sha256').update(plain).digest('base64url').slice(0, TAG_CHARACTERS),
    headers: page
      ? {
          'Content-Security-Policy': policy(importMapOf(Buffer.from(plain).toString('utf8'))),
          'Referrer-Policy': 'no-referrer',
        }
      : {},
  };
}

/** As small as it gets: it is done once. Browsers take brotli where nobody on the way could change it. */
async function compressed(plain: Uint8Array): Promise<ReadonlyMap<string, Uint8Array>> {
  const [br, gz] = await Promise.all([brotlied(plain), gzipped(plain, { level: GZIP_LEVEL })]);
  return new Map([
    ['br', br],
    ['gzip', gz],
  ]);
}

function importMapOf(page: string): string | undefined {
  return /<script type="importmap">([\s\S]*?)<\/script>/.exec(page)?.[1];
}

/** Name below `/console/` -> places on disk, of our own files. */
function* ownFiles(): Generator<readonly [string, readonly string[]]> {
  const folder = staticFolder();
  yield [SHEET, SHEETS.map((name) => join(folder, name))];
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || TYPES[extname(entry.name)] === undefined) continue;
    const place = join(entry.parentPath, entry.name);
    const name = relative(folder, place).split(sep).join('/');
    if (!SHEETS.includes(name)) yield [name, [place]];
  }
}

/** Beside this file in a checkout; the compiled one finds them in the package's `src`. */
function staticFolder(): string {
  const places = ['./static/', '../../../src/console/static/'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const found = places.find((place) => existsSync(join(place, INDEX)));
  if (found === undefined)
    throw new Error(`The console's files are missing: looked for them in ${places.join(' and ')}`);
  return found;
}

/** The libraries under `lib/`, as their packages bring them for browsers: beside what they bring for `require`. */
function* libraries(): Generator<readonly [string, readonly string[]]> {
  const { resolve } = createRequire(import.meta.url);
  yield ['lib/preact.js', [resolve('preact')]];
  yield ['lib/hooks.js', [resolve('preact/hooks')]];
  yield ['lib/htm.js', [join(dirname(resolve('htm')), 'htm.module.js')]];
  yield ['lib/dagre.js', [join(dirname(resolve('@dagrejs/dagre')), 'dagre.esm.js')]];
  yield ['lib/uplot.js', [resolve('uplot/dist/uPlot.iife.min.js')]];
  yield ['lib/uplot.css', [resolve('uplot/dist/uPlot.min.css')]];
}
