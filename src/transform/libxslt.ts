import type fs from 'node:fs';
import { createRequire } from 'node:module';
import { type WasmMemoryLimits, webAssembly } from '../isolation/web-assembly.ts';

/*
 * libxslt, compiled to WebAssembly. Only in a thread of `src/isolation`: it is loaded in a way that touches the globals of the thread.
 *
 * The library is built to fetch over HTTP, for which it suspends WebAssembly with an experimental feature that Node.js has only behind
 * a flag. Fetching is what must not happen here. So its one suspending function is replaced by one that answers at once, out of
 * documents in memory, and the feature is not needed. Files do not exist for it: it is built without a file system.
 */

type Factory = typeof import('libxslt-wasm');
export type XmlDocument = Awaited<ReturnType<Factory['XmlDocument']['fromString']>>;
export type XsltStylesheet = Awaited<ReturnType<Factory['XsltStylesheet']['fromString']>>;

/** What a stylesheet is named; relative locations in it are resolved against this. */
const BASE = 'http://stylesheet.invalid/';
export const STYLESHEET_URL = `${BASE}main.xsl`;

/** 256 MiB; the library's own limit is 2 GiB. */
const MAX_PAGES = 4_096;
/** A thread whose library has grown beyond this is replaced: WebAssembly memory never shrinks. */
const KEPT_BYTES = 128 * 1024 * 1024;
const MAX_OUTPUT = 64 * 1024;
const NOT_FOUND = 404;

interface Internals {
  readonly HEAPU8: Uint8Array;
  UTF8ToString(pointer: number): string;
  setValue(pointer: number, value: number, type: string): void;
  _malloc(size: number): number;
}

/** The library, and what the run that is going on may see of it. */
export class LibXslt {
  readonly XmlDocument: Factory['XmlDocument'];
  readonly XsltStylesheet: Factory['XsltStylesheet'];
  readonly #outside: Outside;

  private constructor(factory: Factory, outside: Outside) {
    this.XmlDocument = factory.XmlDocument;
    this.XsltStylesheet = factory.XsltStylesheet;
    this.#outside = outside;
  }

  /** Once per thread. */
  static async load(): Promise<LibXslt> {
    const outside = new Outside();
    outside.install();
    const { libxslt } = await import('libxslt-wasm/internal/module.js');
    outside.internals = libxslt as unknown as Internals;
    const factory = await import('libxslt-wasm');
    const { registerAll } = await import('libxslt-wasm/exslt');
    registerAll();
    return new LibXslt(factory, outside);
  }

  /** True when it holds too much memory to be kept. */
  get spent(): boolean {
    return this.#outside.memoryBytes > KEPT_BYTES;
  }

  /** Begins a run that may see these documents. */
  begin(resources: Readonly<Record<string, string>>): void {
    this.#outside.begin(resources);
  }

  /** What the library has written to its error output since {@link begin}: errors, and what `xsl:message` says. */
  get said(): string {
    return this.#outside.said;
  }

  /** Locations that the run asked for and that there are no documents for. */
  get refused(): readonly string[] {
    return this.#outside.refused;
  }
}

/** Everything that the library takes for the world. */
class Outside {
  internals: Internals | undefined;
  said = '';
  readonly refused: string[] = [];
  #resources: Readonly<Record<string, string>> = {};
  #memory: { readonly buffer: ArrayBufferLike } | undefined;

  get memoryBytes(): number {
    return this.#memory?.buffer.byteLength ?? 0;
  }

  begin(resources: Readonly<Record<string, string>>): void {
    this.#resources = resources;
    this.said = '';
    this.refused.length = 0;
  }

  install(): void {
    const wasm = webAssembly();
    const answer = (...pointers: [number, number, number, number]) => this.#answer(...pointers);
    // `new Suspending(function)` is what the library imports: here, the function that answers out of memory.
    wasm.Suspending = function Suspending() {
      return answer;
    };
    wasm.promising = (exported: unknown) => exported;
    const { Memory } = wasm;
    const keep = (memory: { readonly buffer: ArrayBufferLike }) => {
      this.#memory = memory;
      return memory;
    };
    wasm.Memory = function BoundedMemory(limits: WasmMemoryLimits) {
      return keep(new Memory({ ...limits, maximum: Math.min(limits.maximum, MAX_PAGES) }));
    } as unknown as typeof Memory;
    this.#listen();
  }

  /** The library writes with the CommonJS `fs` to the outputs of the process; nothing else in this thread does. */
  #listen(): void {
    const own = createRequire(import.meta.url)('node:fs') as typeof fs;
    Object.assign(own, {
      writeSync: (_descriptor: number, text: unknown) => {
        if (this.said.length < MAX_OUTPUT) this.said += String(text);
        return 0;
      },
    });
  }

  #answer(url: number, buffer: number, size: number, error: number): void {
    const library = this.internals;
    if (!library) return;
    const location = library.UTF8ToString(url);
    const text = this.#find(location);
    library.setValue(buffer, 0, 'i32');
    library.setValue(size, 0, 'i32');
    library.setValue(error, text === undefined ? NOT_FOUND : 0, 'i32');
    if (text === undefined) {
      this.refused.push(relative(location));
      return;
    }
    const bytes = Buffer.from(text, 'utf8');
    const pointer = library._malloc(bytes.length);
    // Asked for anew: the memory may have grown.
    library.HEAPU8.set(bytes, pointer);
    library.setValue(size, bytes.length, 'i32');
    library.setValue(buffer, pointer, '*');
  }

  #find(location: string): string | undefined {
    for (const key of [location, relative(location)])
      if (Object.hasOwn(this.#resources, key)) return this.#resources[key];
    return undefined;
  }
}

function relative(location: string): string {
  return location.startsWith(BASE) ? location.slice(BASE.length) : location;
}
