import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ActiveMqBroker } from '../../samples/activemq/broker.ts';
import { messageLine } from '../../src/management/operations/message-lines.ts';
import type { StoredMessage } from '../../src/stores/stored-message.ts';
import { storedMessage } from '../stores/messages.ts';
import { FlowFolder } from '../support/flow-artifacts.ts';
import { call, type Reply } from '../support/http-call.ts';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { waitFor } from '../support/wait-for.ts';

const server = await findOrInstall(activemq);
const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';
const MESSAGES = 300;

/** A back end that remembers which messages it was sent; refuses what `refuses` says, and takes as long as `holds`. */
class BackEnd {
  readonly accepted: string[] = [];
  readonly seen: string[] = [];
  refuses = false;
  holds: Promise<unknown> = Promise.resolve();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const id = String(request.headers['x-message-id']);
      this.seen.push(id);
      request.resume();
      void this.holds.then(() => {
        if (!this.refuses) this.accepted.push(id);
        response.writeHead(this.refuses ? 500 : 202).end();
      });
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** How a test sees the management API of a runtime that comes and goes. */
class Operator {
  readonly #runtime: MiniSynapse;

  constructor(runtime: MiniSynapse) {
    this.#runtime = runtime;
  }

  async ask(
    path: string,
    body?: unknown,
    method?: string,
  ): Promise<Reply & { readonly json: Record<string, unknown> }> {
    const reply = await call(this.#runtime.management(`/management${path}`), {
      headers: { 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(method !== undefined && { method }),
    });
    const isJson = String(reply.headers['content-type']).startsWith('application/json');
    return { ...reply, json: isJson ? JSON.parse(reply.text) : {} };
  }

  async ids(store: string): Promise<string[]> {
    const { text } = await this.ask(`/message-stores/${store}/export`);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as StoredMessage).id);
  }

  /** What happened in the end, be it that the reply says so or that it is a job that takes longer. */
  async outcome(reply: Record<string, unknown>): Promise<{ done: unknown; failed: unknown }> {
    if (reply.job === undefined) return { done: reply.done, failed: reply.failed };
    const { id } = reply.job as { id: string };
    const job = await waitFor(
      async () => {
        const { json } = await this.ask(`/jobs/${id}`);
        return json.state !== 'running' && json;
      },
      { what: `the end of job ${id}`, deadlineMs: 40_000 },
    );
    return { done: job.done, failed: job.errors };
  }

  /** Puts messages into a store, as an import does. */
  async fill(store: string, messages: readonly StoredMessage[]): Promise<void> {
    await waitFor(async () => (await this.ask(`/message-stores/${store}/messages`)).status === 200, { what: store });
    const reply = await this.ask(`/message-stores/${store}/import`, messages.map(messageLine).join('\n'));
    expect(reply.json).toMatchObject({ done: messages.length, failed: [] });
  }
}

function forwarder(attributes: string, parameters: Readonly<Record<string, string>>): string {
  const all = { interval: '10', 'client.retry.interval': '10', ...parameters };
  const written = Object.entries(all).map(([name, value]) => `<parameter name="${name}">${value}</parameter>`);
  return (
    `<messageProcessor ${SYNAPSE} class="org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor" ` +
    `${attributes}>${written.join('')}</messageProcessor>`
  );
}

/** A move that is killed and begun again: on one medium nothing is lost and nothing is there twice. */
async function survivesKill(folder: FlowFolder): Promise<void> {
  const runtime = await runMiniSynapse({ artifacts: folder.artifacts, dataDirectory: folder.data });
  const operator = new Operator(runtime);
  const move = (confirm: number, ratePerSecond: number) =>
    operator.ask('/message-stores/From/messages/actions', {
      action: 'move',
      all: true,
      to: 'To',
      confirm,
      ratePerSecond,
    });
  const begin = async (confirm: number) => {
    const { status, json } = await move(confirm, 60);
    expect(status).toBe(202);
    return (json.job as { id: string }).id;
  };
  try {
    const messages = Array.from({ length: MESSAGES }, () => storedMessage());
    await operator.fill('From', messages);
    let left = MESSAGES;
    for (let kill = 0; kill < 2; kill += 1) {
      const job = await begin(left);
      await waitFor(async () => Number((await operator.ask(`/jobs/${job}`)).json.done) > 20, {
        what: () => 'progress',
      });
      await runtime.kill();
      await runtime.restart();
      await waitFor(async () => (await operator.ids('From')).length + (await operator.ids('To')).length >= MESSAGES, {
        what: () => 'both stores again',
        deadlineMs: 40_000,
      });
      const [from, to] = [await operator.ids('From'), await operator.ids('To')];
      left = from.length;
      expect(to.length).toBeGreaterThan(20);
      expect([...to, ...from].toSorted()).toEqual(messages.map(({ id }) => id).toSorted());
    }
    // 409 as long as the medium has not given back all that the killed runtime had in hand.
    const begun = await waitFor(
      async () => {
        const reply = await move(left, 100_000);
        return (reply.status === 200 || reply.status === 202) && reply.json;
      },
      { what: () => 'a move of the rest', deadlineMs: 40_000 },
    );
    expect(await operator.outcome(begun)).toEqual({ done: left, failed: [] });
    expect(await operator.ids('To')).toEqual(messages.map(({ id }) => id));
    expect(await operator.ids('From')).toEqual([]);
  } finally {
    await runtime.kill();
  }
}

server.describe('operations on stores of ActiveMQ', () => {
  const folder = new FlowFolder();
  const backEnd = new BackEnd();
  let broker: ActiveMqBroker;
  let runtime: MiniSynapse;
  let operator: Operator;

  const store = (name: string) =>
    `<messageStore ${SYNAPSE} class="org.apache.synapse.message.store.impl.jms.JmsStore" name="${name}">` +
    '<parameter name="java.naming.factory.initial">org.apache.activemq.jndi.ActiveMQInitialContextFactory</parameter>' +
    '<parameter name="java.naming.provider.url">tcp://127.0.0.1:61616</parameter>' +
    `<parameter name="x.stomp.url">stomp://127.0.0.1:${broker.stompPort}</parameter>` +
    `<parameter name="store.jms.destination">operations.${name}</parameter></messageStore>`;

  beforeAll(async () => {
    broker = await server.start();
    const port = await backEnd.listen();
    folder.write('orders.xml', store('Orders'));
    folder.write('failed.xml', store('Failed'));
    folder.write(
      'endpoint.xml',
      `<endpoint ${SYNAPSE} name="Backend"><address uri="http://127.0.0.1:${port}/"><suspendOnFailure><errorCodes>-1</errorCodes></suspendOnFailure></address></endpoint>`,
    );
    const parameters = { 'max.delivery.attempts': '2', 'message.processor.failMessagesStore': 'Failed' };
    folder.write(
      'forwarder.xml',
      forwarder('name="Forwarder" messageStore="Orders" targetEndpoint="Backend"', parameters),
    );
    folder.write(
      'proxy.xml',
      `<proxy ${SYNAPSE} name="Place"><target><inSequence><property name="OUT_ONLY" value="true"/>` +
        '<property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/><store messageStore="Orders"/></inSequence></target></proxy>',
    );
    runtime = await runMiniSynapse({ artifacts: folder.artifacts, dataDirectory: folder.data });
    operator = new Operator(runtime);
  });

  afterAll(async () => {
    await runtime?.kill();
    await broker?.close();
    backEnd.close();
    folder.remove();
  });

  afterEach(() => {
    backEnd.refuses = false;
    backEnd.holds = Promise.resolve();
  });

  const place = async () => {
    const reply = await call(runtime.service('Place'), { body: '<order/>', headers: { 'Content-Type': 'text/xml' } });
    expect(reply.status).toBe(202);
  };

  it('what failed is found in the fail store, sent again, and delivered with the same id', async () => {
    backEnd.refuses = true;
    await place();
    const [row] = await waitFor(
      async () => {
        const list = (await operator.ask('/message-stores/Failed/messages')).json.list as Array<
          Record<string, unknown>
        >;
        return list.length === 1 && list;
      },
      { what: () => 'the message in the fail store' },
    );
    const id = String(row?.id);
    expect(row).toMatchObject({ attempts: 2, lastStatus: 500, replays: 0, kind: 'xml', service: 'Place' });
    expect(backEnd.accepted).toEqual([]);
    const detail = await operator.ask(`/message-stores/Failed/messages/${encodeURIComponent(id)}`);
    expect(detail.json).toMatchObject({
      history: [{ processor: 'Forwarder', sourceStore: 'Orders', endpoint: 'Backend', attempts: 2 }],
      body: { language: 'xml', text: '<order/>' },
    });
    expect((await operator.ask('/message-stores/Failed/failures')).json).toMatchObject({ count: 1 });
    backEnd.refuses = false;
    const resent = await operator.ask(`/message-stores/Failed/messages/${encodeURIComponent(id)}/resend`, {});
    expect(resent).toMatchObject({ status: 200, json: { done: 1 } });
    await waitFor(() => backEnd.accepted.length === 1, { what: () => 'the delivery' });
    expect(backEnd.accepted).toEqual([id]);
    expect(new Set(backEnd.seen)).toEqual(new Set([id]));
    expect(await operator.ids('Failed')).toEqual([]);
  });

  it('a message in delivery is not taken, and is delivered once', async () => {
    const before = backEnd.seen.length;
    const held = Promise.withResolvers<void>();
    backEnd.holds = held.promise;
    await place();
    await waitFor(() => backEnd.seen.length > before, { what: () => 'the attempt' });
    const id = backEnd.seen.at(-1) ?? '';
    const path = `/message-stores/Orders/messages/${encodeURIComponent(id)}`;
    for (const [more, body, method] of [
      ['', undefined, 'DELETE'],
      ['/move', { to: 'Failed' }, 'POST'],
    ] as const) {
      const refused = await operator.ask(`${path}${more}`, body, method);
      expect(refused).toMatchObject({ status: 409, json: { Error: expect.stringContaining('in delivery') } });
    }
    held.resolve();
    await waitFor(() => backEnd.accepted.includes(id), { what: () => 'the delivery' });
    await waitFor(async () => (await operator.ids('Orders')).length === 0, { what: () => 'an empty store' });
    expect(backEnd.seen.filter((seen) => seen === id)).toHaveLength(1);
    expect(await operator.ids('Failed')).toEqual([]);
  });

  it('a move that is killed loses nothing and doubles nothing', async () => {
    const moving = new FlowFolder();
    moving.write('from.xml', store('From'));
    moving.write('to.xml', store('To'));
    await survivesKill(moving);
    moving.remove();
  });
});

describe('operations on tables of one database', () => {
  it('a move that is killed loses nothing and doubles nothing', async () => {
    const folder = new FlowFolder();
    const url = `jdbc:sqlite:${join(folder.path, 'messages.db')}`;
    const store = (name: string) =>
      `<messageStore ${SYNAPSE} class="org.apache.synapse.message.store.impl.jdbc.JDBCMessageStore" name="${name}">` +
      `<parameter name="store.jdbc.driver">org.sqlite.JDBC</parameter><parameter name="store.jdbc.connection.url">${url}</parameter>` +
      `<parameter name="store.jdbc.table">messages_${name}</parameter><parameter name="x.create.table">true</parameter></messageStore>`;
    folder.write('from.xml', store('From'));
    folder.write('to.xml', store('To'));
    await survivesKill(folder);
    folder.remove();
  });
});
