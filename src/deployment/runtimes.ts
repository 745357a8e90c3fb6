import type { InboundServices, InboundTransport } from '../inbound/component.ts';
import { InboundEndpoint } from '../inbound/inbound-endpoint.ts';
import { proxyListeners } from '../inbound/proxy-transports.ts';
import { logger, placeArtifact } from '../logging/index.ts';
import { PriorityExecutor } from '../mediation/priority-executor.ts';
import { ProxyService } from '../mediation/proxy-service.ts';
import type { ProcessorServices } from '../processors/component.ts';
import { UrlRegistry } from '../registry/url-registry.ts';
import { displayName, RestApi } from '../rest/rest-api.ts';
import type { StoreServices } from '../stores/component.ts';
import { Task } from '../tasks/task.ts';
import type { ArtifactRuntime, ArtifactRuntimes } from './runtime.ts';

/** What the server lends to the artifacts that run. */
export interface RuntimeServices {
  /** `SynapseConfig.ServerName`, for `pinnedServers`. */
  readonly serverName: string;
  readonly stores: StoreServices;
  readonly processors: ProcessorServices;
  readonly inbound: InboundServices;
  /** Where relative `file:` roots of registries are looked for. */
  readonly resourceDirectories: readonly string[];
}

/** The life cycles of all kinds. */
export function artifactRuntimes(services: RuntimeServices): ArtifactRuntimes {
  return {
    registry: {
      open: ({ definition }) =>
        definition.root === undefined ? undefined : new UrlRegistry(definition, services.resourceDirectories),
    },
    import: { open: ({ definition }) => definition },
    eventSource: { open: ({ definition }) => definition },
    localEntry: { open: ({ definition }) => definition.entry },
    template: { open: ({ definition }) => definition },
    endpoint: { open: ({ definition }) => definition },
    sequence: { open: ({ definition }) => definition },
    priorityExecutor: { open: ({ definition }) => new PriorityExecutor(definition) },
    messageStore: storeRuntime(services.stores),
    messageProcessor: processorRuntime(services.processors),
    proxy: proxyRuntime(services.serverName, services.inbound),
    api: apiRuntime,
    task: taskRuntime(services),
    inboundEndpoint: inboundRuntime(services.inbound),
  };
}

const proxyLog = logger('ProxyServiceDeployer');
/** How long messages that came in by JMS or from a folder may take to end, ms. */
const PROXY_STOP_MS = 30_000;

/** A proxy that is pinned to other servers is not deployed here (spec proxies 1.1). */
function proxyRuntime(serverName: string, inbound: InboundServices): ArtifactRuntime<'proxy'> {
  const listeners = new WeakMap<ProxyService, ReadonlyMap<string, InboundTransport>>();
  const of = (proxy: ProxyService | undefined) =>
    (proxy && listeners.get(proxy)) ?? new Map<string, InboundTransport>();
  return {
    async start(proxy) {
      await Promise.all([...of(proxy).values()].map((listener) => inbound.running.start(listener)));
    },
    async close(proxy) {
      await Promise.all([...of(proxy).values()].map((listener) => inbound.running.stop(listener, PROXY_STOP_MS)));
    },
    open({ definition, boot, previous }) {
      const { name, pinnedServers } = definition;
      if (pinnedServers.length > 0 && !pinnedServers.includes(serverName)) {
        const server = boot ? 'Server name' : `Server name ${serverName}`;
        proxyLog.info(`${server} not in pinned servers list. Not deploying Proxy service : ${name}`);
        return undefined;
      }
      const proxy = new ProxyService(definition);
      listeners.set(proxy, proxyListeners(definition, inbound, of(previous)));
      return proxy;
    },
  };
}

const apiLog = logger('API');

const apiRuntime: ArtifactRuntime<'api'> = {
  open({ definition }) {
    apiLog.info(`{api:${displayName(definition)}} Initializing API: ${displayName(definition)}`);
    return new RestApi(definition);
  },
  async close({ definition }) {
    apiLog.info(`{api:${displayName(definition)}} Destroying API: ${displayName(definition)}`);
  },
};

const taskLog = logger('TaskDeployer');

function taskRuntime({ serverName, processors }: RuntimeServices): ArtifactRuntime<'task'> {
  return {
    open({ definition }) {
      const { name, pinnedServers } = definition;
      if (pinnedServers.length > 0 && !pinnedServers.includes(serverName)) {
        taskLog.info(`Server name not in pinned servers list. Not starting Task : ${name}`);
        return undefined;
      }
      return new Task(definition, processors);
    },
    async start(task) {
      task.start();
    },
    async close(task) {
      task.stop();
    },
  };
}

const inboundLog = logger('InboundEndpointDeployer');

function inboundRuntime(services: InboundServices): ArtifactRuntime<'inboundEndpoint'> {
  return {
    open({ definition, previous }) {
      const { name, pinnedServers } = definition;
      if (pinnedServers.length > 0 && !pinnedServers.includes(services.serverName)) {
        inboundLog.info(`Server name not in pinned servers list. Not deploying Inbound Endpoint : ${name}`);
        return undefined;
      }
      return new InboundEndpoint(definition, services, previous);
    },
    start: (endpoint) => endpoint.start(),
    close: (endpoint) => endpoint.stop(),
  };
}

const storeLog = logger('MessageStoreFactory');

function storeRuntime(services: StoreServices): ArtifactRuntime<'messageStore'> {
  return {
    open({ definition, previous }) {
      const { kind, name, position, parameters, written } = definition;
      // Another kind of store has nothing to take over from it.
      const former = previous?.type === kind.type ? previous : undefined;
      placeArtifact('messageStore', name, position);
      const store = kind.open({ name, position, parameters, written, services, previous: former });
      storeLog.info(`Successfully added Message Store configuration of : [${name}].`);
      return store;
    },
    close: (store) => store.close(),
  };
}

function processorRuntime(services: ProcessorServices): ArtifactRuntime<'messageProcessor'> {
  return {
    open({ definition, previous }) {
      const { kind, ...opening } = definition;
      placeArtifact('messageProcessor', opening.name, opening.position);
      return kind.open({ ...opening, services, previous });
    },
    start: (processor) => processor.start(),
    close: (processor, reason) => processor.stop({ undeploy: reason === 'undeployed' }),
  };
}
