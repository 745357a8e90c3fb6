import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { afterTheTest } from '../support/clean-up.ts';
import { CORPUS } from '../support/corpus-table.ts';
import { serve } from '../support/in-process.ts';
import { findOrInstall, rabbitmq } from '../support/servers/index.ts';
import type { RabbitMqBroker } from '../support/servers/rabbitmq.ts';

/*
 * MI's sample GuaranteedDelivery (stockquote-samples 3.2): its API, mock API, store and error sequence from their files, with the broker's
 * port exchanged; its message processor, endpoint and reply sequence, which are not in the open corpus, after its row in the catalogue.
 */

const server = await findOrInstall(rabbitmq);
const file = (name: string) => readFileSync(join(CORPUS ?? '', name), 'utf8');
const SYN = 'xmlns="http://ws.apache.org/ns/synapse"';

const suite = CORPUS === undefined ? describe.skip : server.describe;

suite('guaranteed delivery over RabbitMQ', () => {
  const onCleanUp = afterTheTest();
  let broker: RabbitMqBroker;
  beforeAll(async () => {
    broker = await server.start();
  });
  afterAll(() => broker.close());

  const reply = (what: string) =>
    `<log level="custom"><property name="Name" expression="json-eval($.name)"/><property name="Registration" value="${what}"/></log>`;

  async function running(backEnd: string) {
    const served = await serve({
      UserRegistrationAPI: file('api/UserRegistrationAPI-edbb1c.xml'),
      UserRegistrationErrorSeq: file('sequence/UserRegistrationErrorSeq-d281f5.xml'),
      UserRegistrationMS: file('messageStore/UserRegistrationMS-34aaaa.xml').replace('>5672<', `>${broker.port}<`),
      UserRegistrationEP: `<endpoint ${SYN} name="UserRegistrationEP"><http method="POST" uri-template="${backEnd}"><suspendOnFailure><errorCodes>-1</errorCodes></suspendOnFailure></http></endpoint>`,
      UserRegistrationReplySeq: `<sequence ${SYN} name="UserRegistrationReplySeq"><filter source="$axis2:HTTP_SC" regex="2\\d\\d"><then>${reply('Successful')}</then><else>${reply('Fail')}</else></filter></sequence>`,
      UserRegistrationMP: `<messageProcessor ${SYN} class="org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor" name="UserRegistrationMP" targetEndpoint="UserRegistrationEP" messageStore="UserRegistrationMS">
        <parameter name="interval">1000</parameter><parameter name="client.retry.interval">100</parameter><parameter name="max.delivery.attempts">4</parameter><parameter name="max.delivery.drop">Disabled</parameter>
        <parameter name="message.processor.reply.sequence">UserRegistrationReplySeq</parameter><parameter name="message.processor.fault.sequence">UserRegistrationErrorSeq</parameter><parameter name="is.active">true</parameter></messageProcessor>`,
    });
    onCleanUp('the server', () => served.stop());
    return served;
  }

  const register = (url: string) =>
    fetch(url, { method: 'POST', body: '{"id":7,"name":"Ada"}', headers: { 'Content-Type': 'application/json' } });

  it('the user is registered, and the reply sequence says so', async () => {
    const mock = await serve({ MockAPI: file('api/MockAPI-bc9d71.xml') });
    onCleanUp('the mock', () => mock.stop());
    const served = await running(mock.url('/mock'));
    expect((await register(served.url('/registeruserapi'))).status).toBe(202);
    expect(await served.logged(/Registration = /)).toContain('Name = Ada, Registration = Successful');
    await expect.poll(() => served.depth('UserRegistrationMS'), { timeout: 10_000 }).toBe(0);
  });

  it('four failures log the error and deactivate the processor; the message stays', async () => {
    const served = await running('http://127.0.0.1:1/mock');
    expect((await register(served.url('/registeruserapi'))).status).toBe(202);
    await served.logged(/MESSAGE = An unexpected error occurred\., ERROR_CODE = 101503/);
    const url = served.management('/management/message-processors?name=UserRegistrationMP');
    const status = async () => ((await (await fetch(url)).json()) as { status: string }).status;
    await expect.poll(status, { timeout: 20_000 }).toBe('inactive');
    expect(served.lines().filter((line) => /An unexpected error occurred/.test(line))).toHaveLength(4);
    expect(await served.depth('UserRegistrationMS')).toBe(1);
  }, 40_000);
});
