import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { parseFlags, takeArguments } from './arguments.ts';
import { commentedConfiguration } from './commented-configuration.ts';
import { CommandFailure, type CommandIo, EXIT } from './io.ts';
import { INIT } from './table/server.ts';

const ARTIFACT = `<!--
  Takes messages at http://127.0.0.1:8280/services/Orders, stores them and answers 202 at once; a processor delivers them.
  Try it:  curl -H 'Content-Type: application/json' -d '{"order": 1}' http://127.0.0.1:8280/services/Orders
  Change something and save: it is deployed anew.
-->
<definitions xmlns="http://ws.apache.org/ns/synapse">
  <proxy name="Orders" transports="http https" startOnLoad="true">
    <target>
      <inSequence>
        <property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/>
        <property name="OUT_ONLY" value="true"/>
        <store messageStore="OrderStore"/>
      </inSequence>
    </target>
  </proxy>

  <!-- In memory: delivered while the server lives. With a database, RabbitMQ or ActiveMQ, or a file, messages survive anything. -->
  <messageStore name="OrderStore"/>

  <!-- One message a second, in order; tried again every second, 4 times, before the processor stops. -->
  <messageProcessor class="org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor"
                    name="OrderForwarder" targetEndpoint="BackEnd" messageStore="OrderStore">
    <parameter name="interval">1000</parameter>
    <parameter name="client.retry.interval">1000</parameter>
    <parameter name="max.delivery.attempts">4</parameter>
  </messageProcessor>

  <!-- Your back end; until you have one, the proxy below plays it. -->
  <endpoint name="BackEnd">
    <address uri="http://127.0.0.1:8280/services/BackEndStandIn"/>
  </endpoint>

  <proxy name="BackEndStandIn" transports="http" startOnLoad="true">
    <target>
      <inSequence>
        <log level="custom">
          <property name="delivered" expression="$body"/>
        </log>
        <respond/>
      </inSequence>
    </target>
  </proxy>
</definitions>
`;

/** `mini-synapse init [DIR]` (OP-127): what one needs to begin. Files that are there stay as they are. */
export async function init(args: string[], io: CommandIo): Promise<number> {
  const { positionals } = parseFlags(args, INIT.options);
  if (positionals.length > 1) takeArguments(positionals, ['DIR'], INIT);
  const [directory = '.'] = positionals;
  const files = [
    { path: join(directory, 'deployment.toml'), text: commentedConfiguration() },
    { path: join(directory, 'artifacts', 'Orders.xml'), text: ARTIFACT },
  ];
  for (const { path, text } of files) {
    const written = await writeNew(path, text);
    io.stdout.write(`${written ? 'wrote' : 'kept '} ${relative('.', path) || path}\n`);
  }
  const go = directory === '.' ? '' : `cd ${directory} && `;
  io.stdout.write(`
${go}mini-synapse start
curl -i -H 'Content-Type: application/json' -d '{"order": 1}' http://127.0.0.1:8280/services/Orders
mini-synapse get processors        or open http://127.0.0.1:9164/
`);
  return EXIT.fine;
}

/** False when there is one already, which is left alone. */
async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new CommandFailure(`${path} cannot be written: ${(cause as Error).message}`, EXIT.unavailable, { cause });
  }
}
