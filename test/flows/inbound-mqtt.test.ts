import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type IPublishPacket, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inboundArtifact, serving } from '../inbound/queue-suite.ts';
import { afterTheTest } from '../support/clean-up.ts';
import { type EchoBackEnd, echoBackEnd } from '../support/echo-back-end.ts';
import { call } from '../support/http-call.ts';
import { inOnly } from '../support/in-process.ts';
import { runMiniSynapse } from '../support/mini-synapse.ts';
import { testAuthority } from '../support/servers/certificates.ts';
import { findOrInstall, mosquitto } from '../support/servers/index.ts';
import type { MosquittoBroker } from '../support/servers/mosquitto.ts';
import { waitFor } from '../support/wait-for.ts';

const server = await findOrInstall(mosquitto);
const authority = testAuthority();

server.describe('MQTT', () => {
  const onCleanUp = afterTheTest();
  let broker: MosquittoBroker;
  let topics = 0;
  const newTopic = () => `test/${++topics}`;
  beforeAll(async () => {
    broker = await server.start({ tls: authority.issue({ names: ['localhost'] }) });
  });
  afterAll(() => broker.close());

  async function client(options: { clean?: boolean; clientId?: string } = {}): Promise<MqttClient> {
    const connected = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, options);
    connected.on('error', () => undefined);
    onCleanUp('an MQTT client', () => connected.endAsync(true));
    return connected;
  }

  async function backEnd(): Promise<EchoBackEnd> {
    const started = await echoBackEnd();
    onCleanUp('the back end', () => started.close());
    return started;
  }

  const parameters = (topic: string, more: Readonly<Record<string, string>> = {}) => ({
    sequential: 'true',
    'mqtt.connection.factory': 'mqttFactory',
    'mqtt.server.host.name': '127.0.0.1',
    'mqtt.server.port': String(broker.port),
    'mqtt.topic.name': topic,
    'x.redelivery.initial': '20',
    'x.redelivery.max': '50',
    ...more,
  });
  const KEPT = { 'mqtt.session.clean': 'false', 'mqtt.client.id': 'kept' } as const;
  const calls = ({ url }: EchoBackEnd) =>
    `<sequence name="s"><call><endpoint><address uri="${url}/x"/></endpoint></call></sequence>`;
  const FAULT = '<sequence name="f"><log level="custom"><property name="fault" value="f"/></log></sequence>';
  const bodies = ({ received }: EchoBackEnd) => received.map(({ body }) => body.toString());
  const subscribed = /has subscribed to topic/;

  it('takes messages in order through its sequence; topic and flags are headers', async () => {
    const topic = newTopic();
    const line = ['json-eval($.n)', '$trp:MQTT_TOPIC_NAME', "get-property('axis2','messageType')", '$trp:MQTT_QOS'].map(
      (expression, index) => `<property name="p${index}" expression="${expression}"/>`,
    );
    await serving(
      {
        i: inboundArtifact('mqtt', parameters(`${topic}/+`, { 'mqtt.subscription.qos': '1' })),
        s: `<sequence name="s"><log level="custom">${line.join('')}</log></sequence>`,
      },
      async (running) => {
        await running.logged(subscribed);
        const publisher = await client();
        for (const n of [1, 2, 3]) await publisher.publishAsync(`${topic}/a`, `{"n":${n}}`, { qos: 1 });
        await publisher.publishAsync(`${topic}/b`, '{"n":4}', { qos: 0 });
        await running.logged(/p0 = 4/);
        expect(running.lines().filter((text) => /p0 = /.test(text))).toEqual([
          ...[1, 2, 3].map(
            (n) => `INFO {inboundendpoint:in} p0 = ${n}, p1 = ${topic}/a, p2 = application/json, p3 = 1`,
          ),
          `INFO {inboundendpoint:in} p0 = 4, p1 = ${topic}/b, p2 = application/json, p3 = 0`,
        ]);
      },
    );
  });

  it.each([1, 2] as const)(
    'a message of QoS %i that fails is tried again in its place, and comes once when it is taken',
    async (qos) => {
      const topic = newTopic();
      const { url, received } = await (async () => {
        const started = await backEnd();
        let failures = 2;
        started.answer = () => (failures-- > 0 ? { status: 500, body: 'no' } : {});
        return started;
      })();
      const picky = `<call><endpoint><address uri="${url}/x"/></endpoint></call><filter source="get-property('axis2','HTTP_SC')" regex="200"><then/><else><property name="SET_ROLLBACK_ONLY" value="true"/></else></filter>`;
      await serving(
        {
          i: inboundArtifact('mqtt', parameters(topic, { 'mqtt.subscription.qos': String(qos) }), ''),
          s: `<sequence name="s">${picky}</sequence>`,
        },
        async (running) => {
          await running.logged(subscribed);
          const publisher = await client();
          await publisher.publishAsync(topic, 'first', { qos });
          await publisher.publishAsync(topic, 'second', { qos });
          await waitFor(() => received.length === 4, { what: () => `four calls, not ${received.length}` });
          expect(received.map(({ body }) => body.toString())).toEqual(['first', 'first', 'first', 'second']);
          expect(running.lines().filter((text) => /is tried again/.test(text))).toHaveLength(2);
        },
      );
    },
  );

  it('what fails too often is given up, of QoS 0 at once, with an error in the log', async () => {
    const topic = newTopic();
    await serving(
      {
        i: inboundArtifact('mqtt', parameters(topic, { 'mqtt.subscription.qos': '1', 'x.max.attempts': '3' }), ''),
        s: '<sequence name="s"><filter source="$body//text()" regex="bad.*"><then><sequence key="nowhere"/></then><else><log level="custom"><property name="took" expression="$body//text()"/></log></else></filter></sequence>',
      },
      async (running) => {
        await running.logged(subscribed);
        const publisher = await client();
        await publisher.publishAsync(topic, 'bad 1', { qos: 1 });
        await publisher.publishAsync(topic, 'bad 0', { qos: 0 });
        await publisher.publishAsync(topic, 'good', { qos: 1 });
        await running.logged(/took = good/);
        const errors = running.lines().filter((text) => /^ERROR Inbound/.test(text));
        expect(errors).toEqual([
          expect.stringMatching(/QoS 1 .* is given up after 3 attempts: .*nowhere/),
          expect.stringMatching(/QoS 0 .* is lost: .*nowhere/),
        ]);
      },
    );
  });

  it('waits for a broker that is down; the broker keeps what comes while nobody is there', async () => {
    const topic = newTopic();
    const target = await backEnd();
    const artifacts = {
      i: inboundArtifact('mqtt', parameters(topic, { ...KEPT, 'mqtt.subscription.qos': '1' })),
      s: calls(target),
      f: FAULT,
    };
    await serving(artifacts, (running) => running.logged(subscribed).then(() => undefined));
    await (await client()).publishAsync(topic, 'while away', { qos: 1 });
    await broker.stop();
    await serving(artifacts, async (running) => {
      await running.logged(/ERROR .*cannot connect to its broker/);
      await broker.restart();
      await waitFor(() => bodies(target).length === 1, { what: 'the message', deadlineMs: 20_000 });
      await broker.stop();
      const lost = running.records.length;
      await broker.restart();
      await running.logged(subscribed, lost);
      await (await client()).publishAsync(topic, 'back', { qos: 1 });
      await waitFor(() => bodies(target).includes('back'), { what: 'the next message' });
      expect(bodies(target)).toEqual(['while away', 'back']);
    });
  }, 60_000);

  it.each([1, 2] as const)(
    'loses nothing of QoS %i to kill -9 of the runtime',
    async (qos) => {
      const topic = newTopic();
      const target = await backEnd();
      target.answer = () => ({ delayMs: 5 });
      const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-mqtt-'));
      onCleanUp('the folder', () => rmSync(folder, { recursive: true, force: true }));
      const artifacts = join(folder, 'artifacts');
      mkdirSync(artifacts);
      const kept = { ...KEPT, 'mqtt.client.id': `killed-${qos}`, 'mqtt.subscription.qos': String(qos) };
      writeFileSync(join(artifacts, 'i.xml'), inboundArtifact('mqtt', parameters(topic, kept)));
      writeFileSync(
        join(artifacts, 's.xml'),
        calls(target).replace('<sequence', '<sequence xmlns="http://ws.apache.org/ns/synapse"'),
      );
      const runtime = await runMiniSynapse({ artifacts, dataDirectory: join(folder, 'data') });
      onCleanUp('the runtime', () => runtime.stop());
      const publisher = await client();
      await publisher.publishAsync(topic, 'probe', { qos });
      await waitFor(
        async () => {
          // It may have been published before anybody had subscribed.
          if (target.received.length === 0) await publisher.publishAsync(topic, 'probe', { qos });
          return target.received.length > 0;
        },
        { what: 'the first message', deadlineMs: 20_000 },
      );
      const sent = Array.from({ length: 80 }, (_, index) => `message ${index}`);
      await Promise.all(sent.map((body) => publisher.publishAsync(topic, body, { qos })));
      const distinct = () => new Set(bodies(target).filter((body) => body !== 'probe')).size;
      const reaches = (count: number) =>
        waitFor(() => distinct() >= count, { what: () => `${count} messages; ${distinct()} came`, deadlineMs: 30_000 });
      for (const count of [15, 40]) {
        await reaches(count);
        await runtime.kill();
        await runtime.restart();
      }
      await reaches(sent.length);
      const repeated = bodies(target).filter((body) => body !== 'probe').length - sent.length;
      // In hand at each kill: one message, and one whose acknowledgement may not have been written.
      expect(repeated).toBeLessThanOrEqual(4);
    },
    90_000,
  );

  it('a flow that lasts longer than the keep-alive keeps its connection', async () => {
    const topic = newTopic();
    const target = await backEnd();
    target.answer = ({ body }) => (body.toString() === 'slow' ? { delayMs: 4_000 } : {});
    await serving(
      {
        i: inboundArtifact('mqtt', parameters(topic, { 'mqtt.subscription.qos': '1', 'x.mqtt.keepalive': '1' })),
        s: calls(target),
        f: FAULT,
      },
      async (running) => {
        await running.logged(subscribed);
        const publisher = await client();
        await publisher.publishAsync(topic, 'slow', { qos: 1 });
        await publisher.publishAsync(topic, 'next', { qos: 1 });
        await waitFor(() => bodies(target).includes('next'), { what: 'the next message', deadlineMs: 15_000 });
        expect(bodies(target)).toEqual(['slow', 'next']);
        expect(running.lines().filter((text) => /lost its connection/.test(text))).toEqual([]);
      },
    );
  }, 30_000);

  it('a message that is larger than the limit ends the connection, and says so', async () => {
    const topic = newTopic();
    const target = await backEnd();
    await serving({ i: inboundArtifact('mqtt', parameters(topic)), s: calls(target), f: FAULT }, async (running) => {
      await running.logged(subscribed);
      const publisher = await client();
      await publisher.publishAsync(topic, Buffer.alloc(17 * 1024 * 1024), { qos: 0 });
      await running.logged(/WARN .*lost its connection.*a message of 178\d{5} bytes is larger than the limit/);
      const lost = running.records.length;
      await running.logged(subscribed, Math.max(0, lost - 3));
      await waitFor(
        async () => {
          await publisher.publishAsync(topic, 'small', { qos: 0 });
          return bodies(target).includes('small');
        },
        { what: 'a small message' },
      );
    });
  }, 30_000);

  it('TLS: a broker is asked for a certificate that is trusted', async () => {
    const topic = newTopic();
    const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-mqtt-tls-'));
    onCleanUp('the folder', () => rmSync(folder, { recursive: true, force: true }));
    const trust = join(folder, 'authority.pem');
    writeFileSync(trust, authority.certificate);
    const secure = {
      'mqtt.server.host.name': 'localhost',
      'mqtt.server.port': String(broker.tlsPort),
      'mqtt.ssl.enable': 'true',
    };
    const sequence =
      '<sequence name="s"><log level="custom"><property name="took" expression="$body//text()"/></log></sequence>';
    await serving({ i: inboundArtifact('mqtt', parameters(topic, secure)), s: sequence }, async (running) => {
      await running.logged(/ERROR .*cannot connect.*mqtts:.*certificate.*name a trust store/);
    });
    const trusting = { ...secure, 'mqtt.ssl.truststore.location': trust, 'mqtt.ssl.truststore.type': 'PEM' };
    await serving({ i: inboundArtifact('mqtt', parameters(topic, trusting)), s: sequence }, async (running) => {
      await running.logged(subscribed);
      await (await client()).publishAsync(topic, 'secret', { qos: 0 });
      await running.logged(/took = secret/);
    });
  });

  it('a new version takes over, and an undeployed one takes nothing any more', async () => {
    const [first, second] = [newTopic(), newTopic()];
    await serving(
      {
        i: inboundArtifact('mqtt', parameters(first)),
        s: '<sequence name="s"><log level="custom"><property name="took" expression="$body//text()"/></log></sequence>',
      },
      async (running) => {
        await running.logged(subscribed);
        const file = join(running.directory, 'i.xml');
        writeFileSync(file, inboundArtifact('mqtt', parameters(second)));
        const before = running.records.length;
        await running.logged(new RegExp(`has subscribed to topic \\[${second}\\]`), before);
        const publisher = await client();
        await publisher.publishAsync(first, 'old', { qos: 1 });
        await publisher.publishAsync(second, 'new', { qos: 1 });
        await running.logged(/took = new/);
        unlinkSync(file);
        await running.logged(/Inbound Endpoint named 'in' has been undeployed/);
        await waitFor(() => running.server.configuration().find('inboundEndpoint', 'in') === undefined, {
          what: 'its end',
        });
        const count = running.records.length;
        await publisher.publishAsync(second, 'late', { qos: 1 });
        expect(running.lines(count).filter((text) => /took = /.test(text))).toEqual([]);
        expect(running.lines().filter((text) => /took = /.test(text))).toHaveLength(1);
      },
      { watch: true },
    );
  });

  const address = (topic: string, more = '') =>
    `mqtt:/x?mqtt.server.host.name=127.0.0.1&amp;mqtt.server.port=${broker.port}&amp;mqtt.topic.name=${topic}${more}`;

  async function received(topic: string): Promise<IPublishPacket[]> {
    const subscriber = await client();
    const packets: IPublishPacket[] = [];
    subscriber.on('message', (_topic, _payload, packet) => packets.push(packet));
    await subscriber.subscribeAsync(topic, { qos: 2 });
    return packets;
  }

  it('addresses publish: the client has its answer when the broker has the message', async () => {
    const topic = newTopic();
    const packets = await received(topic);
    const send = (uri: string) =>
      `<property name="OUT_ONLY" value="true"/><send><endpoint><address uri="${uri}"/></endpoint></send>`;
    await serving(
      {
        p: inOnly('P', send(address(topic, '&amp;mqtt.subscription.qos=2&amp;mqtt.message.retained=true'))),
        q: inOnly('Q', send(address(topic))),
        r: inOnly('R', send(address('wild/%23'))),
      },
      async (running) => {
        const options = { headers: { 'Content-Type': 'application/json' }, body: '{"n":1}' };
        expect((await call(running.service('P'), options)).status).toBe(202);
        expect((await call(running.service('Q'), options)).status).toBe(202);
        await waitFor(() => packets.length === 2, { what: 'two messages' });
        expect(packets.map(({ payload, qos }) => [String(payload), qos]).sort()).toEqual([
          ['{"n":1}', 1],
          ['{"n":1}', 2],
        ]);
        const late = await received(topic);
        await waitFor(() => late.length > 0, { what: 'the retained message' });
        expect(late.map(({ retain, qos }) => [retain, qos])).toEqual([[true, 2]]);
        await call(running.service('R'), options);
        await running.logged(/The MQTT address cannot be used: .* has wildcards/);
      },
    );
  });

  const CORPUS = '../shared/corpus/open/definitions/PublishToMqttTestSequence-861dc5.xml';
  it.skipIf(!existsSync(CORPUS))(
    'an artifact of the corpus takes from one topic and publishes to another',
    async () => {
      const packets = await received('carbon.super/sato/ble/store/data');
      const xml = readFileSync(CORPUS, 'utf8').replaceAll('1883', String(broker.port));
      await serving({ a: xml }, async (running) => {
        await running.logged(subscribed);
        await (await client()).publishAsync('carbon.super/test/listener/1', '{"temperature":21.5}', { qos: 1 });
        await waitFor(() => packets.length === 1, { what: 'the message' });
        expect(packets.map(({ payload }) => String(payload))).toEqual(['{"temperature":21.5}']);
      });
    },
  );
});
