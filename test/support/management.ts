import type { MiniSynapse } from './mini-synapse.ts';

const DEADLINE_MS = 5_000;

/** What `GET /management/message-processors?name=…` tells, as far as tests look at it. */
export interface SeenProcessor {
  readonly status: 'active' | 'inactive';
  readonly state: string;
  readonly reason?: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly counters: Readonly<Record<'delivered' | 'failed' | 'retried' | 'recognised', number>>;
  readonly current?: { readonly id: string; readonly attempt: number };
}

/** What `GET /management/message-stores?name=…` tells, as far as tests look at it. */
export interface SeenStore {
  readonly state: string;
  readonly size: number;
  readonly lastError?: string;
  readonly properties: Readonly<Record<string, string>>;
}

export async function seeProcessor(runtime: MiniSynapse, name: string): Promise<SeenProcessor> {
  return (await readManagement(runtime, `/management/message-processors?name=${name}`)) as SeenProcessor;
}

export async function seeStore(runtime: MiniSynapse, name: string): Promise<SeenStore> {
  return (await readManagement(runtime, `/management/message-stores?name=${name}`)) as SeenStore;
}

/** As an operator does it. @returns the answer's body */
export async function switchProcessor(
  runtime: MiniSynapse,
  name: string,
  status: 'active' | 'inactive',
): Promise<unknown> {
  const request = { method: 'POST', body: JSON.stringify({ name, status }), signal: AbortSignal.timeout(DEADLINE_MS) };
  return (await fetch(runtime.management('/management/message-processors'), request)).json();
}

/** Any resource of the management API. */
export async function readManagement(runtime: MiniSynapse, path: string): Promise<unknown> {
  const response = await fetch(runtime.management(path), { signal: AbortSignal.timeout(DEADLINE_MS) });
  return response.json();
}
