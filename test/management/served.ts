import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readConfiguration } from '../../src/config/config.ts';
import { type RunningServer, startServer } from '../../src/server.ts';
import { type Call, call } from '../support/http-call.ts';

/** Artifacts of every kind that the management API tells of. */
export const ARTIFACTS: Readonly<Record<string, string>> = {
  'proxies/Orders.xml': `<proxy xmlns="http://ws.apache.org/ns/synapse" name="Orders" transports="http https" startOnLoad="true">
    <target><inSequence><log/><store messageStore="Memory"/></inSequence></target>
    <parameter name="store.password">topsecret</parameter>
  </proxy>`,
  'api.xml': `<api xmlns="http://ws.apache.org/ns/synapse" name="Shop" context="/shop">
    <resource methods="GET POST" uri-template="/items/{id}"><inSequence><respond/></inSequence></resource>
  </api>`,
  'definitions.xml': `<definitions xmlns="http://ws.apache.org/ns/synapse">
    <sequence name="Audit"><log level="full"/><drop/></sequence>
    <endpoint name="Backend"><http method="post" uri-template="http://user:topsecret@127.0.0.1:9/x">
      <suspendOnFailure><errorCodes>101503</errorCodes><initialDuration>2000</initialDuration><maximumDuration>9000</maximumDuration></suspendOnFailure>
    </http></endpoint>
    <endpoint name="Group"><failover><endpoint name="First"><address uri="http://127.0.0.1:9/a"/></endpoint>
      <endpoint name="Second"><address uri="http://127.0.0.1:9/b"/></endpoint></failover></endpoint>
    <endpoint name="Pointer" key="Backend"/>
    <template name="Greet"><parameter name="who"/><sequence><log/></sequence></template>
    <template name="Place"><parameter name="port"/><endpoint name="$name"><address uri="http://127.0.0.1:$port/"/></endpoint></template>
    <localEntry key="greeting">hello</localEntry>
    <localEntry key="api.token">topsecret</localEntry>
    <localEntry key="fragment"><x xmlns="">1</x></localEntry>
    <task name="Nightly" class="org.apache.synapse.startup.tasks.MessageInjector" group="synapse.simple.quartz">
      <trigger cron="0 0 3 * * ?"/>
      <property xmlns:task="http://www.wso2.org/products/wso2commons/tasks" name="message"><m xmlns="">1</m></property>
      <property xmlns:task="http://www.wso2.org/products/wso2commons/tasks" name="injectTo" value="sequence"/>
      <property xmlns:task="http://www.wso2.org/products/wso2commons/tasks" name="sequenceName" value="Audit"/>
    </task>
  </definitions>`,
  'inbound.xml': `<inboundEndpoint xmlns="http://ws.apache.org/ns/synapse" name="Entry" protocol="file" sequence="Audit" suspend="true">
    <parameters><parameter name="transport.vfs.FileURI">file:///tmp/mini-synapse-none</parameter>
    <parameter name="interval">1000</parameter><parameter name="transport.vfs.ContentType">text/plain</parameter></parameters>
  </inboundEndpoint>`,
  'store.xml': `<messageStore xmlns="http://ws.apache.org/ns/synapse" name="Memory"/>`,
  'processor.xml': `<messageProcessor xmlns="http://ws.apache.org/ns/synapse" name="Forwarder"
    class="org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor"
    targetEndpoint="Backend" messageStore="Memory"><parameter name="is.active">false</parameter></messageProcessor>`,
};

/** How long a start may take on a machine that is busy, ms. */
export const START_MS = 120_000;

export interface Served {
  readonly server: RunningServer;
  readonly folder: string;
  readonly artifacts: string;
  /** Asks the management API; a body that is no text is sent as JSON. */
  ask(path: string, options?: Omit<Call, 'body'> & { readonly body?: unknown }): Promise<Asked>;
  stop(): Promise<void>;
}

export interface Asked {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as they like
  readonly body: any;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A server with these artifacts, on free ports. */
export async function serve(
  options: {
    readonly artifacts?: Readonly<Record<string, string>>;
    readonly toml?: string;
    readonly secure?: boolean;
  } = {},
): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), 'mini-synapse-api-'));
  const artifacts = join(folder, 'artifacts');
  for (const [path, text] of Object.entries(options.artifacts ?? ARTIFACTS)) {
    await mkdir(dirname(join(artifacts, path)), { recursive: true });
    await writeFile(join(artifacts, path), text);
  }
  const config = join(folder, 'deployment.toml');
  await writeFile(config, options.toml ?? '');
  const ports = { httpPort: 0, httpsPort: 0, managementPort: 0 };
  const configuration = readConfiguration({ artifacts, data: join(folder, 'data'), config, ...ports }, {});
  const server = await startServer(configuration, { version: '1.2.3' });
  const base = `${options.secure ? 'https' : 'http'}://127.0.0.1:${server.managementPort}`;
  return {
    server,
    folder,
    artifacts,
    async ask(path, { body, headers = {}, ...others } = {}) {
      const isText = typeof body === 'string' || body instanceof Uint8Array;
      const content = body === undefined ? {} : { body: isText ? body : JSON.stringify(body) };
      const type = body === undefined || isText ? {} : { 'Content-Type': 'application/json' };
      const reply = await call(base + path, { ...others, ...content, headers: { ...type, ...headers } });
      const isJson = String(reply.headers['content-type']).startsWith('application/json');
      return {
        status: reply.status,
        body: isJson && reply.text !== '' ? JSON.parse(reply.text) : undefined,
        text: reply.text,
        headers: reply.headers,
      };
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
