import variantModule from '@jitl/quickjs-wasmfile-release-sync';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';
import { JobError } from '../isolation/jobs.ts';
import { WASM_PAGE_BYTES, type WasmMemory, webAssembly } from '../isolation/web-assembly.ts';

/*
 * The JavaScript engine that user code runs in: QuickJS, compiled to WebAssembly, with nothing of Node.js in it. Runs in a thread of
 * `src/isolation` only. Every run has an engine context of its own, so that no run sees anything of another.
 */

// Its types describe the CommonJS build.
const variant = variantModule as unknown as QuickJSSyncVariant;
const INITIAL_PAGES = 256;
/** Memory of the engine: 64 MiB. Its own limit does not count in this build, so the memory itself is bounded. */
const MAX_PAGES = 1_024;
/** An engine that has grown beyond this is given up after the run: WebAssembly memory never shrinks. */
const KEPT_PAGES = 512;
/** The engine grows by at least a twentieth of what it has: a growth of no more than so many pages is for something small. */
const LITTLE_PAGES = 64;
const MEBIBYTE = 1024 * 1024;
const MAX_STACK_BYTES = 512 * 1024;
const MAX_ERROR_TEXT = 2_000;

/** What user code may ask of its host. @throws anything; it becomes an exception inside the sandbox */
export type HostFunction = (name: string, args: readonly unknown[]) => unknown;

export interface SandboxRun {
  /** The text of a self-contained function `(host, input) => object`: what the user code finds. */
  readonly setup: string;
  /** JSON for it. */
  readonly input: string;
  readonly host: HostFunction;
  readonly limitMs: number;
  /** True as soon as the run is to be given up, whatever it does. */
  readonly stopped?: () => boolean;
}

/** One context while user code runs in it. Everything given back is text or stays inside. */
export class SandboxContext {
  readonly #context: QuickJSContext;
  readonly #environment: QuickJSHandle;
  readonly #handles: QuickJSHandle[] = [];

  constructor(context: QuickJSContext, environment: QuickJSHandle) {
    this.#context = context;
    this.#environment = environment;
  }

  /** Evaluates a script in the global scope; the handle of its value stays good as long as the context. */
  evaluate(code: string, name: string): QuickJSHandle {
    return this.#keep(this.#context.evalCode(code, name, { type: 'global' }));
  }

  /** Calls a function of the environment with JSON values. */
  call(name: string, ...args: Array<QuickJSHandle | string>): QuickJSHandle {
    const target = this.#own(this.#context.getProp(this.#environment, name));
    const handles = args.map((arg) => (typeof arg === 'string' ? this.#own(this.#context.newString(arg)) : arg));
    return this.#keep(this.#context.callFunction(target, this.#environment, ...handles));
  }

  /** A value of JSON, as an argument. */
  json(value: unknown): QuickJSHandle {
    const parse = this.#own(
      this.#context.getProp(this.#own(this.#context.getProp(this.#context.global, 'JSON')), 'parse'),
    );
    const text = this.#own(this.#context.newString(JSON.stringify(value)));
    return this.#keep(this.#context.callFunction(parse, this.#context.undefined, text));
  }

  text(handle: QuickJSHandle): string {
    return this.#context.getString(handle);
  }

  /** Lets promises go on that can. */
  settle(): void {
    const result = this.#context.runtime.executePendingJobs(10_000);
    if (result.error) this.#keep(result);
  }

  dispose(): void {
    for (const handle of [...this.#handles, this.#environment]) if (handle.alive) handle.dispose();
  }

  #own(handle: QuickJSHandle): QuickJSHandle {
    this.#handles.push(handle);
    return handle;
  }

  #keep(result: { error?: QuickJSHandle | undefined; value?: unknown }): QuickJSHandle {
    if (result.error) throw new ScriptFailure(this.#context.dump(this.#own(result.error)));
    return this.#own(result.value as QuickJSHandle);
  }
}

/** What user code threw. */
export class ScriptFailure extends JobError {
  readonly errorName: string;
  /** As from an engine that has no memory left for an error, or for telling it; user code may throw null as well. */
  readonly saysNothing: boolean;

  constructor(thrown: unknown) {
    const { name, message, stack } = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Record<
      string,
      unknown
    >;
    const errorName = typeof name === 'string' ? name : 'Error';
    const text = typeof message === 'string' ? `${errorName}: ${message}` : `thrown: ${shown(thrown)}`;
    super(text.slice(0, MAX_ERROR_TEXT), typeof stack === 'string' ? { detail: stack.slice(0, MAX_ERROR_TEXT) } : {});
    this.errorName = errorName;
    this.saysNothing = thrown === null || thrown === '';
  }
}

function shown(thrown: unknown): string {
  if (thrown === undefined || thrown === null || typeof thrown === 'string') return String(thrown);
  return JSON.stringify(thrown) ?? typeof thrown;
}

interface Engine {
  readonly module: QuickJSWASMModule;
  readonly memory: BoundedMemory;
}

/**
 * The memory of an engine, which knows whether it is used up: it was to grow by a little, as for any small thing, and could not. That a
 * large thing did not fit is no such sign: user code hears of it and may go on.
 */
class BoundedMemory {
  readonly memory: WasmMemory;
  /** During the last run. */
  usedUp = false;

  constructor() {
    this.memory = new (webAssembly().Memory)({ initial: INITIAL_PAGES, maximum: MAX_PAGES });
    const grow = this.memory.grow.bind(this.memory);
    // The engine asks for more than it needs, then for less, and for what it needs at last.
    this.memory.grow = (pages) => {
      try {
        return grow(pages);
      } catch (error) {
        if (pages <= LITTLE_PAGES) this.usedUp = true;
        throw error;
      }
    };
  }

  get pages(): number {
    return this.memory.buffer.byteLength / WASM_PAGE_BYTES;
  }
}

let engine: Promise<Engine> | undefined;

/**
 * Runs user code in a context of its own.
 * @throws ScriptFailure, JobError
 */
export async function inSandbox<T>(run: SandboxRun, work: (context: SandboxContext) => T): Promise<T> {
  engine ??= loadEngine();
  const { module, memory } = await engine;
  memory.usedUp = false;
  try {
    return runIn(module, run, work);
  } catch (error) {
    if (memory.usedUp && error instanceof ScriptFailure && error.saysNothing) {
      throw new JobError(`out of memory: ${(MAX_PAGES * WASM_PAGE_BYTES) / MEBIBYTE} MiB are all that it may have`, {
        cause: error,
      });
    }
    if (error instanceof JobError) throw error;
    // The engine did not fail in its own way, as when the stack of its host was used up: it may be damaged.
    engine = undefined;
    throw new JobError(`the engine broke down: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  } finally {
    if (memory.pages > KEPT_PAGES) engine = undefined;
  }
}

async function loadEngine(): Promise<Engine> {
  const memory = new BoundedMemory();
  const wasmMemory = memory.memory;
  const module = await newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmMemory } as object));
  return { module, memory };
}

function runIn<T>(module: QuickJSWASMModule, run: SandboxRun, work: (context: SandboxContext) => T): T {
  const runtime = module.newRuntime({ maxStackSizeBytes: MAX_STACK_BYTES });
  const end = performance.now() + run.limitMs;
  let late = false;
  runtime.setInterruptHandler(() => {
    late ||= performance.now() > end;
    return late || (run.stopped?.() ?? false);
  });
  const context = runtime.newContext();
  let sandbox: SandboxContext | undefined;
  const close = () => {
    sandbox?.dispose();
    context.dispose();
    runtime.dispose();
  };
  let result: T;
  try {
    sandbox = prepared(context, run);
    result = work(sandbox);
  } catch (error) {
    const known = late
      ? new JobError(`it took longer than ${run.limitMs} ms and was stopped`, { cause: error })
      : error;
    if (known instanceof JobError) closeOrGiveUp(close);
    throw known;
  }
  closeOrGiveUp(close);
  return result;
}

/** An engine that cannot be tidied up is not used again; what the run has ended with counts all the same. */
function closeOrGiveUp(close: () => void): void {
  try {
    close();
  } catch {
    engine = undefined;
  }
}

function prepared(context: QuickJSContext, { setup, input, host }: SandboxRun): SandboxContext {
  const start = context.unwrapResult(context.evalCode(setup, 'mini-synapse.js'));
  const hostFunction = context.newFunction('host', (name, args) => {
    const answer = host(context.getString(name), JSON.parse(context.getString(args)) as unknown[]);
    return context.newString(JSON.stringify(answer ?? null));
  });
  const text = context.newString(input);
  try {
    return new SandboxContext(
      context,
      context.unwrapResult(context.callFunction(start, context.undefined, hostFunction, text)),
    );
  } finally {
    for (const handle of [start, hostFunction, text]) handle.dispose();
  }
}
