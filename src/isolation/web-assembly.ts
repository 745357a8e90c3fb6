/** The part of WebAssembly's interface that is used here; the types of Node.js do not name it. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  /** Returns how many pages there were. @throws RangeError when there are to be more than its maximum */
  grow(pages: number): number;
}

export interface WasmMemoryLimits {
  readonly initial: number;
  readonly maximum: number;
  readonly shared?: boolean;
}

export interface WebAssemblyNamespace {
  Memory: new (limits: WasmMemoryLimits) => WasmMemory;
  Suspending?: unknown;
  promising?: unknown;
}

export function webAssembly(): WebAssemblyNamespace {
  return (globalThis as unknown as { WebAssembly: WebAssemblyNamespace }).WebAssembly;
}

export const WASM_PAGE_BYTES = 65_536;
