import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endpointXml, FlowFolder, forwarderXml, PROXY, proxyXml, STORE } from '../support/flow-artifacts.ts';
import { OrderHistory } from '../support/history.ts';
import { readManagement } from '../support/management.ts';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { type BackEnd, OrderClient, startBackEnds } from '../support/orders.ts';
import { waitFor } from '../support/wait-for.ts';

/** Where the nodes of a test meet. */
export interface Medium {
  readonly name: string;
  /** Class and parameters of the store. */
  readonly store: { readonly className: string; readonly parameters: Readonly<Record<string, string>> };
  /** Lines of deployment.toml. */
  readonly configuration: readonly string[];
}

export interface ClusterOptions {
  readonly medium: Medium;
  /** Absent: the nodes do not know of each other. */
  readonly leaseMs?: number;
  /** Of the only processor, `Forwarder1`. */
  readonly forwarder?: Readonly<Record<string, string>>;
  readonly names?: readonly string[];
}

/** A runtime with a back end of its own, by which its deliveries are known. */
export interface ClusterNode {
  readonly name: string;
  readonly runtime: MiniSynapse;
  readonly client: OrderClient;
  /** SIGSTOP to all of its processes. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
}

export interface TaskView {
  readonly task: string;
  readonly state: string;
  readonly holder?: string;
  readonly here: boolean;
  readonly where?: string;
}

export interface ProcessorView {
  readonly status: string;
  readonly state: string;
  readonly reason?: string;
  readonly cluster?: { readonly node: string; readonly tasks: readonly TaskView[] };
}

export interface TestCluster {
  readonly history: OrderHistory;
  readonly nodes: readonly ClusterNode[];
  readonly backEnds: readonly BackEnd[];
  /** The node that has the first task, as soon as there is one; of those that are given. */
  holder(among?: readonly ClusterNode[]): Promise<ClusterNode>;
  close(): Promise<void>;
}

const DEADLINE_MS = 60_000;

export async function startCluster(options: ClusterOptions): Promise<TestCluster> {
  const { names = ['a', 'b'] } = options;
  const history = new OrderHistory();
  const backEnds = await startBackEnds(history, names.length);
  const folders = names.map(() => new FlowFolder());
  const nodes: ClusterNode[] = [];
  const cluster: TestCluster = {
    history,
    nodes,
    backEnds,
    holder: async (among = nodes) => {
      let found: ClusterNode | undefined;
      const look = async () => {
        for (const node of among) if ((await tasksOf(node))[0]?.here) found = node;
        return found !== undefined;
      };
      await waitFor(look, { what: 'a node that has the task', deadlineMs: DEADLINE_MS });
      return found as ClusterNode;
    },
    close: async () => {
      for (const node of nodes) node.client.close();
      await Promise.all(nodes.map(({ runtime }) => runtime.kill()));
      await Promise.all(backEnds.map((backEnd) => backEnd.stop()));
      for (const folder of folders) folder.remove();
    },
  };
  try {
    for (const [index, name] of names.entries()) {
      const folder = folders[index] as FlowFolder;
      nodes.push(await startNode(name, folder, backEnds[index]?.port ?? 0, history, options));
    }
    return cluster;
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

export async function seeForwarder({ runtime }: ClusterNode): Promise<ProcessorView> {
  return (await readManagement(runtime, '/management/message-processors?name=Forwarder1')) as ProcessorView;
}

export async function tasksOf(node: ClusterNode): Promise<readonly TaskView[]> {
  return (await seeForwarder(node)).cluster?.tasks ?? [];
}

async function startNode(
  name: string,
  folder: FlowFolder,
  backEndPort: number,
  history: OrderHistory,
  { medium, leaseMs, forwarder }: ClusterOptions,
): Promise<ClusterNode> {
  folder.write('proxy.xml', proxyXml());
  folder.write('store.xml', storeXml(medium));
  folder.write('endpoint.xml', endpointXml(1, backEndPort));
  folder.write('forwarder.xml', forwarderXml(1, forwarder));
  const config = join(folder.path, 'deployment.toml');
  const cluster =
    leaseMs === undefined
      ? []
      : ['[mini_synapse.cluster]', 'enabled = true', `node_id = "${name}"`, `lease_ms = ${leaseMs}`];
  writeFileSync(config, ['[server]', `name = "${name}"`, ...cluster, ...medium.configuration, ''].join('\n'));
  const runtime = await runMiniSynapse({ artifacts: folder.artifacts, dataDirectory: folder.data, config });
  const client = new OrderClient({ url: () => runtime.service(PROXY), history, prefix: `${name.toUpperCase()}-` });
  const signal = (what: NodeJS.Signals) => {
    if (runtime.pid !== undefined) process.kill(-runtime.pid, what);
  };
  return { name, runtime, client, pause: () => signal('SIGSTOP'), resume: () => signal('SIGCONT') };
}

function storeXml({ store: { className, parameters } }: Medium): string {
  const written = Object.entries(parameters).map(([name, value]) => `<parameter name="${name}">${value}</parameter>`);
  return `<messageStore xmlns="http://ws.apache.org/ns/synapse" class="${className}" name="${STORE}">
  ${written.join('\n  ')}
</messageStore>
`;
}
