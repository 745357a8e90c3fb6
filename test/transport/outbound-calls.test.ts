import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { echoBackEnd } from '../support/echo-back-end.ts';
import { call } from '../support/http-call.ts';
import { proxy, serve } from '../support/in-process.ts';
import { waitFor } from '../support/wait-for.ts';

const START_MS = 120_000;

/** Where this process has connected to, `host:port`; paths of sockets as they are. */
let peers: Set<string>;
let datagrams: number;

function onConnection(message: unknown): void {
  const { socket } = message as { readonly socket: Socket };
  // Neither known yet when it is made.
  socket.once('connect', () => peers.add(`${socket.remoteAddress}:${socket.remotePort}`));
  socket.once('lookup', (_error: unknown, _address: unknown, _family: unknown, host: string) => peers.add(host));
}
const onDatagrams = () => {
  datagrams += 1;
};

beforeEach(() => {
  [peers, datagrams] = [new Set(), 0];
  subscribe('net.client.socket', onConnection);
  subscribe('udp.socket', onDatagrams);
});
afterEach(() => {
  unsubscribe('net.client.socket', onConnection);
  unsubscribe('udp.socket', onDatagrams);
});

it(
  'a server calls nobody but the back ends of its artifacts (OP-83)',
  async () => {
    const backEnd = await echoBackEnd();
    const uri = `http://127.0.0.1:${backEnd.port}/`;
    const running = await serve({
      P: proxy(
        'P',
        `<inSequence><property name="OUT_ONLY" value="true"/><store messageStore="S"/><respond/></inSequence>`,
      ),
      // What would be fetched if somebody did: a schema, a WSDL, an entity, an address of another machine.
      X: `<localEntry key="schema"><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x"><xs:import namespace="urn:y" schemaLocation="http://schemas.example.org/y.xsd"/></xs:schema></localEntry>`,
      E: `<endpoint name="E"><address uri="${uri}"/></endpoint>`,
      Unused: '<endpoint name="Unused"><address uri="http://unused.example.org/"/></endpoint>',
      S: '<messageStore name="S"/>',
      F: `<messageProcessor name="F" messageStore="S" targetEndpoint="E"
        class="org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor"><parameter name="interval">10</parameter></messageProcessor>`,
    });
    try {
      const body =
        '<!-- see http://see.example.org/ --><m xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x http://schemas.example.org/x.xsd"/>';
      const sent = await call(running.service('P'), { method: 'POST', headers: { 'Content-Type': 'text/xml' }, body });
      expect(sent.status).toBeLessThan(300);
      for (const path of ['/console/', '/management/overview', '/management/graph.svg', '/metrics'])
        expect((await call(running.management(path))).status, path).toBe(200);
      await waitFor(async () => (await running.depth('S')) === 0, { what: 'the message to be delivered' });
      const { httpPort, httpsPort, managementPort } = running.server;
      // The test itself asks the server.
      const own = [httpPort, httpsPort, managementPort].map((port) => `127.0.0.1:${port}`);
      const others = () => [...peers].filter((peer) => !own.includes(peer));
      await waitFor(() => others().length > 0, { what: 'the call of the back end to be seen' });
      expect(others()).toEqual([`127.0.0.1:${backEnd.port}`]);
      expect(datagrams).toBe(0);
    } finally {
      await running.stop();
      await backEnd.close();
    }
  },
  START_MS,
);
