import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePort } from '../support/free-ports.ts';
import { serve } from '../support/in-process.ts';
import { waitFor } from '../support/wait-for.ts';

const SYN = 'xmlns="http://ws.apache.org/ns/synapse"';
const FORWARDER = 'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor';
const INJECTOR = 'org.apache.synapse.startup.tasks.MessageInjector';
const TASK = 'http://www.wso2.org/products/wso2commons/tasks';
const ROUNDS = 5;
/** Of each kind that holds something: timers, consumers, sockets, files. */
const OF_A_KIND = 50;
const DEADLINE_MS = 60_000;

function artifacts(port: number): string {
  const numbers = Array.from({ length: OF_A_KIND }, (_, number) => number);
  const each = (text: (number: number) => string) => numbers.map(text).join('\n');
  return `<definitions ${SYN}>
    <sequence name="Seq"><drop/></sequence>
    <endpoint name="End"><address uri="http://127.0.0.1:9/"/></endpoint>
    ${each((n) => `<messageStore name="Store${n}"/>`)}
    ${each((n) => `<messageProcessor name="Forwarder${n}" class="${FORWARDER}" messageStore="Store${n}" targetEndpoint="End"/>`)}
    ${each((n) => `<task name="Task${n}" class="${INJECTOR}"><trigger interval="3600"/><property xmlns:t="${TASK}" name="message"><m xmlns=""/></property><property xmlns:t="${TASK}" name="injectTo" value="sequence"/><property xmlns:t="${TASK}" name="sequenceName" value="Seq"/></task>`)}
    ${each((n) => `<proxy name="Proxy${n}"><target><inSequence><drop/></inSequence></target></proxy>`)}
    <inboundEndpoint name="In" protocol="http" sequence="Seq" onError="Seq"><parameters><parameter name="inbound.http.port">${port}</parameter></parameters></inboundEndpoint>
  </definitions>`;
}

/** How many there are of each resource that keeps a process alive. */
function handles(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

function listeners(): number {
  return handles().TCPServerWrap ?? 0;
}

it(
  `${ROUNDS * (4 * OF_A_KIND + 1)} deployments and undeployments leave no handle, timer, port or name behind (OP-32)`,
  async () => {
    const running = await serve({}, '');
    try {
      const least = listeners();
      const port = await freePort();
      const file = join(running.directory, 'many.xml');
      const names = () => running.server.configuration().names('messageProcessor').length;
      const round = async () => {
        writeFileSync(file, artifacts(port));
        await running.server.redeploy();
        await waitFor(() => names() === OF_A_KIND, { what: 'the artifacts to be served', deadlineMs: DEADLINE_MS });
        await waitFor(() => listeners() > least, {
          what: () => `the port to be open: ${JSON.stringify(handles())}`,
          deadlineMs: DEADLINE_MS,
        });
        rmSync(file);
        await running.server.redeploy();
        await waitFor(() => names() === 0, { what: 'the artifacts to be gone', deadlineMs: DEADLINE_MS });
        await waitFor(() => listeners() === least, { what: 'the port to be closed', deadlineMs: DEADLINE_MS });
      };
      // What is made once and kept, as caches are, is made now.
      await round();
      const before = handles();
      for (let number = 0; number < ROUNDS; number += 1) await round();
      const kinds = ['Timeout', 'TCPServerWrap', 'TCPSocketWrap', 'FSEventWrap', 'PipeWrap', 'MessagePort'] as const;
      const grown = () => kinds.filter((kind) => (handles()[kind] ?? 0) > (before[kind] ?? 0));
      await waitFor(() => grown().length === 0, {
        what: () => `as many handles as before (${JSON.stringify(before)}), not ${JSON.stringify(handles())}`,
        deadlineMs: DEADLINE_MS,
      });
      expect(running.lines().filter((line) => /^(?:ERROR|FATAL) /.test(line))).toEqual([]);
      expect(running.server.artifactCount).toBe(0);
    } finally {
      await running.stop();
    }
  },
  2 * DEADLINE_MS,
);
