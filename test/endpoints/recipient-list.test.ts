import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Endpoint } from '../../src/endpoints/endpoint.ts';
import { startSend } from '../../src/mediation/send.ts';
import type { MessageContext } from '../../src/message/message-context.ts';
import { endpoint, endpointProblems, FakeExchange, logged, response, sequence } from '../mediation/harness.ts';
import { type Behaviour, child, ownClock, pass, ScriptedBackEnds } from './scripted-back-ends.ts';

const ABC = child('a') + child('b') + child('c');

function recipients(inside: string, attributes = '', beside = ''): Endpoint {
  return endpoint(`<endpoint name="G" ${attributes}><recipientlist>${inside}</recipientlist>${beside}</endpoint>`);
}

/** A back end that answers when it is told to. */
function onDemand(host: string): { behaviour: Behaviour; answer: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    behaviour: async () => {
      await promise;
      return response(200, host);
    },
    answer: resolve,
  };
}

function hostOf(answer: MessageContext | undefined): string {
  return Buffer.from(answer?.payload.originalBytes() ?? []).toString();
}

beforeEach(ownClock);
afterEach(() => {
  vi.useRealTimers();
});

describe('a recipient list', () => {
  it('sends a copy to everyone, with ids and positions of their own', async () => {
    const backEnds = new ScriptedBackEnds();
    const shown = `<property name="X-Seen" expression="concat($ctx:MESSAGE_SEQUENCE, ' ', $ctx:aggregateCorelation, ' ', $axis2:correlation_id)" scope="transport"/>`;
    const target = recipients(
      child('a', shown) + child('b', shown),
      '',
      '<property name="X-All" value="1" scope="transport"/>',
    );
    const request = backEnds.message('<order/>');
    request.axis2.set('correlation_id', 'k');
    const answer = await target.send(request, { blocking: true });
    expect(backEnds.requests.map(({ url }) => url)).toEqual(['http://a/s', 'http://b/s']);
    const seen = backEnds.requests.map(({ headers }) => headers.find(([name]) => name === 'X-Seen')?.[1] ?? '');
    expect(seen[0]).toMatch(/^0\/2 urn:uuid:1 k_[0-9a-f-]{36}$/);
    expect(seen[1]).toMatch(/^1\/2 urn:uuid:1 k_[0-9a-f-]{36}$/);
    expect(seen[0]).not.toBe(seen[1]?.replace('1/2', '0/2'));
    for (const { headers, body } of backEnds.requests) {
      expect(headers).toContainEqual(['X-All', '1']);
      expect(Buffer.from(body ?? []).toString()).toBe('<order/>');
    }
    expect(answer.relatesTo).not.toBe('urn:uuid:1');
    expect(answer.text('MESSAGE_SEQUENCE')).toBe('0/2');
    // What an aggregate reads.
    expect(answer.text('messageSequence')).toBe('0/2');
    expect(answer.text('aggregateCorelation')).toBe('urn:uuid:1');
    expect(answer.split).toMatchObject({ id: undefined, outer: undefined });
    expect(request.headers.has('X-Seen')).toBe(false);
  });

  it('answers at once with the first answer; later ones go their own way, in the order in which they come', async () => {
    const backEnds = new ScriptedBackEnds();
    const slow = { a: onDemand('a'), b: onDemand('b'), c: onDemand('c') };
    for (const [host, { behaviour }] of Object.entries(slow)) backEnds.behaviours[host] = behaviour;
    const exchange = new FakeExchange();
    const further: string[] = [];
    const onFurtherAnswer = async (answer: MessageContext) => {
      further.push(hostOf(answer));
    };
    const sending = recipients(ABC).send(backEnds.message('<a/>', { exchange }), { onFurtherAnswer });
    slow.b.answer();
    expect(hostOf(await sending)).toBe('b');
    expect(further).toEqual([]);
    slow.c.answer();
    slow.a.answer();
    await exchange.settled();
    expect(further.sort()).toEqual(['a', 'c']);
  });

  it('runs every answer through the response path of the flow', async () => {
    const backEnds = new ScriptedBackEnds();
    const exchange = new FakeExchange();
    const request = backEnds.message('<a/>', { exchange });
    const injected: string[] = [];
    request.responseReceiver = {
      injectResponse: async (answer) => {
        injected.push(`${hostOf(answer)} ${answer.text('MESSAGE_SEQUENCE')}`);
      },
    };
    startSend(request, recipients(ABC));
    await exchange.settled();
    expect(injected.sort()).toEqual(['a 0/3', 'b 1/3', 'c 2/3']);
  });

  it('without a waiting client is work that the server waits for when it stops', async () => {
    const backEnds = new ScriptedBackEnds();
    const slow = onDemand('a');
    backEnds.behaviours.a = slow.behaviour;
    await recipients(child('a') + child('b')).send(backEnds.message());
    expect(backEnds.configuration.flows.size).toBe(1);
    slow.answer();
    expect(await backEnds.configuration.flows.idle(10_000)).toBe(true);
  });

  it.each([{ blocking: true }, { outOnly: true }])(
    '%j waits until all copies have come to their end',
    async (options) => {
      const backEnds = new ScriptedBackEnds();
      const slow = onDemand('a');
      backEnds.behaviours.a = slow.behaviour;
      let ended = false;
      const sending = recipients(child('a') + child('b'))
        .send(backEnds.message(), options)
        .then((answer) => {
          ended = true;
          return answer;
        });
      await new Promise((resolve) => setImmediate(resolve));
      expect(backEnds.takeHosts()).toEqual(['a', 'b']);
      expect(ended).toBe(false);
      slow.answer();
      await sending;
    },
  );
});

describe('recipients that fail', () => {
  it('are reported one by one; the answers of the others are as good as ever', async () => {
    const backEnds = new ScriptedBackEnds({
      sequence: { own: sequence('<log level="custom"><property name="onError" expression="$ctx:ERROR_CODE"/></log>') },
    });
    Object.assign(backEnds.behaviours, { a: 'refuses', c: 'refuses' });
    const target = recipients(child('a').replace('name="a"', 'name="a" onError="own"') + child('b') + child('c'));
    const request = backEnds.message();
    const faults: string[] = [];
    request.faultStack.push({ description: 'of the proxy', handleFault: async () => void faults.push('ran') });
    const records = await logged(async () => expect(await backEnds.sendOne(target, request)).toBe('b'));
    expect(await backEnds.configuration.flows.idle(10_000)).toBe(true);
    const warnings = records.filter(({ category }) => category === 'RecipientListEndpoint');
    expect(warnings.map(({ message, details }) => [message, details.errorCode])).toEqual([
      ['Endpoint [G] Detect a Failure in a child endpoint : Endpoint [a]', 101503],
      ['Endpoint [G] Detect a Failure in a child endpoint : Endpoint [c]', 101503],
    ]);
    expect(records.map(({ message }) => message)).toContain('onError = 101503');
    expect(faults).toEqual([]);
    expect(request.properties.has('ERROR_CODE')).toBe(false);
  });

  it('all of them: 303000, the fault path once, the onError sequence of the list first', async () => {
    const backEnds = new ScriptedBackEnds({ sequence: { group: sequence('<property name="handled" value="1"/>') } });
    Object.assign(backEnds.behaviours, { a: 'refuses', b: 'refuses' });
    const exchange = new FakeExchange();
    const request = backEnds.message('<a/>', { exchange });
    startSend(request, recipients(child('a') + child('b'), 'onError="group"'));
    await exchange.settled();
    expect(request.text('handled')).toBe('1');
    expect(request.text('ERROR_CODE')).toBe('303000');
    expect(request.text('ERROR_MESSAGE')).toBe('RecipientList endpoint : G - no ready child endpoints');
    expect(exchange.failures).toHaveLength(1);
    expect(exchange.responses).toEqual([]);
  });

  it('suspended ones are not asked; the list is ready when one of them is', async () => {
    const backEnds = new ScriptedBackEnds();
    const target = recipients(child('a') + child('b'));
    backEnds.behaviours.a = 'refuses';
    await target.send(backEnds.message(), { blocking: true });
    expect(target.readyAt(backEnds.message())).toBe(0);
    backEnds.takeHosts();
    await target.send(backEnds.message(), { blocking: true });
    expect(backEnds.takeHosts()).toEqual(['b']);
    backEnds.behaviours.b = 'refuses';
    expect(await backEnds.sendMany(target, 1)).toEqual([303000]);
    expect(target.readyAt(backEnds.message())).toBe(Date.now() + 1000);
    expect(target.describe()).toMatchObject({ state: 'SUSPENDED', children: [{ name: 'a' }, { name: 'b' }] });
  });

  it('by statuses that the sender takes for failures: the answer of one is kept for when nobody does better', async () => {
    const backEnds = new ScriptedBackEnds();
    const options = { blocking: true, failsWith: (status: number) => status >= 500 };
    const target = recipients(child('a') + child('b'));
    Object.assign(backEnds.behaviours, { a: 503, b: 202 });
    expect(hostOf(await target.send(backEnds.message(), options))).toBe('b');
    pass(1000);
    backEnds.behaviours.b = 'refuses';
    expect(hostOf(await target.send(backEnds.message(), options))).toBe('a');
  });

  it('because the message cannot be read: that is the failure, and the fault flow meets an empty message', async () => {
    const backEnds = new ScriptedBackEnds();
    const request = backEnds.message('<broken', { contentType: 'text/xml' });
    const soap12 = (child('a') + child('b')).replaceAll('/s">', '/s" format="soap12">');
    expect(await backEnds.sendOne(recipients(soap12), request)).toBe(601000);
    expect(request.payload.isEmpty).toBe(true);
  });
});

describe('addresses in the message', () => {
  const dynamic = (attributes = '') => recipients(`<endpoints value="{$ctx:EP_LIST}" ${attributes}/>`);
  const listing = (backEnds: ScriptedBackEnds, list: string) => {
    const request = backEnds.message();
    request.properties.set('EP_LIST', list);
    return request;
  };

  it('are separated by commas', async () => {
    const backEnds = new ScriptedBackEnds();
    await dynamic().send(listing(backEnds, ' http://a/1,http://b/2 ,,\n http://c/3'), { blocking: true });
    expect(backEnds.requests.map(({ url }) => url)).toEqual(['http://a/1', 'http://b/2', 'http://c/3']);
  });

  it('keep their state from message to message, as many as max-cache says', async () => {
    const backEnds = new ScriptedBackEnds();
    const target = dynamic('max-cache="2"');
    backEnds.behaviours.a = 'refuses';
    const send = (list: string) => backEnds.sendOne(target, listing(backEnds, list));
    await send('http://a/,http://b/');
    await send('http://a/,http://b/');
    expect(backEnds.takeHosts()).toEqual(['a', 'b', 'b']);
    expect(target.describe().children?.map(({ state, address }) => `${address} ${state}`)).toEqual([
      'http://a/ SUSPENDED',
      'http://b/ ACTIVE',
    ]);
    expect(target.readyAt(listing(backEnds, 'http://a/'))).toBe(Date.now() + 30_000);
    await send('http://a/');
    await send('http://c/');
    expect(target.describe().children?.map(({ address }) => address)).toEqual(['http://a/', 'http://c/']);
    await send('http://b/,http://c/');
    expect(target.readyAt(listing(backEnds, 'http://a/'))).toBe(0);
  });

  it('that are none, or far too many, are a failure', async () => {
    const backEnds = new ScriptedBackEnds();
    await expect(dynamic().send(backEnds.message())).rejects.toMatchObject({
      code: 303000,
      message: 'RecipientList endpoint : G - no child endpoints',
    });
    const many = Array.from({ length: 1001 }, (_, index) => `http://a/${index}`).join(',');
    await expect(dynamic().send(listing(backEnds, many))).rejects.toMatchObject({ code: 303000 });
    expect(backEnds.takeHosts()).toEqual([]);
    expect(dynamic().readyAt(backEnds.message())).toBe(0);
  });

  it.each([
    ['<endpoints/>', "error: The 'value' attribute is required for the endpoints of a recipient list"],
    [
      '<endpoints value="{$ctx:x}" max-cache="none"/>',
      "error: attribute 'max-cache' of <endpoints>: 'none' is not a valid number",
    ],
    [
      `<endpoints value="{$ctx:x}"/>${child('a')}`,
      'error: <recipientlist> has a list of addresses or endpoints of its own, not both',
    ],
  ])('%s fails the deployment', (inside, text) => {
    expect(endpointProblems(`<endpoint><recipientlist>${inside}</recipientlist></endpoint>`)).toEqual([text]);
  });
});
