import type { ArtifactKind } from '../synapse/index.ts';

/** The reference's lines about one kind of artifact, byte for byte (spec proxies 7.3, 7.4, spec stores 8): monitoring matches on them. */
export interface KindTexts {
  /** The reference's short class name. */
  readonly category: string;
  readonly deployed: (name: string, file: string) => string;
  readonly updated: (name: string, file: string) => readonly string[];
  /** Its file has another artifact now. */
  readonly renamed: (name: string) => string;
  readonly undeployed: (name: string) => string;
  /** `Proxy` in `Proxy configuration cannot be built from : <file>`. */
  readonly title: string;
}

/** What the kind is called in each line; the reference is not consistent. */
interface KindWords {
  readonly deployed: string;
  readonly updated: string;
  readonly renamed: string;
  readonly undeployed: string;
  readonly title: string;
  /** An update says first that it is undeployed. */
  readonly undeploysFirst?: boolean;
}

/** With one word for everything that is not said otherwise. */
function textsOf(deployer: string, word: string, others: Partial<KindWords> = {}): KindTexts {
  const words: KindWords = {
    deployed: word,
    updated: word,
    renamed: word,
    undeployed: word,
    title: word,
    ...others,
  };
  const renamed = (name: string) => `${words.renamed}: ${name} has been undeployed`;
  return {
    category: `${deployer}Deployer`,
    deployed: (name, file) => `${words.deployed} named '${name}' has been deployed from file : ${file}`,
    updated: (name, file) => [
      ...(words.undeploysFirst ? [renamed(name)] : []),
      `${words.updated}: ${name} has been updated from the file: ${file}`,
    ],
    renamed,
    undeployed: (name) => `${words.undeployed} named '${name}' has been undeployed`,
    title: words.title,
  };
}

export const TEXTS: Readonly<Record<ArtifactKind, KindTexts>> = {
  proxy: {
    ...textsOf('ProxyService', 'ProxyService', { title: 'Proxy' }),
    updated: (name, file) => [`ProxyService named '${name}' has been update from file : ${file}`],
    renamed: (name) => `ProxyService named ${name} has been Undeployed`,
  },
  api: textsOf('API', 'API'),
  task: textsOf('Task', 'StartupTask', { title: 'Task' }),
  inboundEndpoint: textsOf('InboundEndpoint', 'Inbound Endpoint'),
  sequence: textsOf('Sequence', 'Sequence'),
  template: textsOf('Template', 'Template', { deployed: 'Endpoint Template' }),
  endpoint: textsOf('Endpoint', 'Endpoint'),
  registry: textsOf('Registry', 'Registry'),
  localEntry: textsOf('LocalEntry', 'LocalEntry', {
    updated: 'Endpoint',
    renamed: 'Local entry',
    title: 'Local Entry',
  }),
  import: textsOf('Import', 'Synapse Import', { title: 'Import' }),
  eventSource: textsOf('EventSource', 'EventSource', { title: 'Event source' }),
  priorityExecutor: textsOf('PriorityExecutor', 'PriorityExecutor', { title: 'Priority executor' }),
  messageStore: textsOf('MessageStore', 'MessageStore', {
    deployed: 'Message Store',
    title: 'Message store',
    undeploysFirst: true,
  }),
  messageProcessor: textsOf('MessageProcessor', 'MessageProcessor', {
    deployed: 'Message Processor',
    title: 'Message processor',
    undeploysFirst: true,
  }),
};
