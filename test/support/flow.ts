import { type Flow, FlowFolder, PROXY } from './flow-artifacts.ts';
import type { OrderHistory } from './history.ts';
import { type MiniSynapse, runMiniSynapse } from './mini-synapse.ts';
import { OrderClient } from './orders.ts';

export interface FlowOptions extends Flow {
  readonly history: OrderHistory;
  /** Where the broker of the flow's store speaks STOMP; needed when the store is on one. */
  readonly stompPort?: number | undefined;
  /** Of the runtime; 0 is a free one that changes with each restart. Default 0. */
  readonly httpPort?: number;
  /** More artifacts, or others in the place of the flow's: file -> XML. */
  readonly more?: Readonly<Record<string, string>>;
}

/** A runtime as a process of its own with the load-balancing flow, and a client that places orders there. */
export interface RunningFlow {
  readonly runtime: MiniSynapse;
  readonly client: OrderClient;
  readonly folder: FlowFolder;
  /** Kills the runtime, closes the client's connections, removes the files. */
  close(): Promise<void>;
}

/** Writes the artifacts into a temporary folder and starts the runtime on them; the back ends are the caller's. */
export async function startFlow(options: FlowOptions): Promise<RunningFlow> {
  const { history, store, stompPort = 0, httpPort = 0, more = {} } = options;
  const folder = new FlowFolder();
  folder.writeFlow(options);
  for (const [name, xml] of Object.entries(more)) folder.write(name, xml);
  try {
    const runtime = await runMiniSynapse({
      artifacts: folder.artifacts,
      dataDirectory: folder.data,
      ports: { http: httpPort },
      ...(typeof store === 'object' && { config: folder.configureJms(store.providerUrl, stompPort) }),
    });
    // Clients know a fixed port also while the runtime is down.
    const address = `http://127.0.0.1:${httpPort}/services/${PROXY}`;
    const client = new OrderClient({ url: () => (httpPort === 0 ? runtime.service(PROXY) : address), history });
    return { runtime, client, folder, close: () => closeFlow(runtime, client, folder) };
  } catch (error) {
    folder.remove();
    throw error;
  }
}

async function closeFlow(runtime: MiniSynapse, client: OrderClient, folder: FlowFolder): Promise<void> {
  client.close();
  await runtime.kill();
  folder.remove();
}
