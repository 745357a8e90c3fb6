import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Endpoint } from '../../src/endpoints/endpoint.ts';
import { SessionAffinity } from '../../src/endpoints/session-affinity.ts';
import type { MessageContext } from '../../src/message/message-context.ts';
import { endpointProblems, response } from '../mediation/harness.ts';
import { child, loadBalance, ownClock, pass, refused, ScriptedBackEnds } from './scripted-back-ends.ts';

const AB = child('a') + child('b');
const ABC = AB + child('c');
const session = (type: string, timeoutMs?: number) =>
  `<session type="${type}">${timeoutMs === undefined ? '' : `<sessionTimeout>${timeoutMs}</sessionTimeout>`}</session>`;

function soap(header: string): string {
  return `<soapenv:Envelope xmlns:soapenv="http://www.w3.org/2003/05/soap-envelope"><soapenv:Header>${header}</soapenv:Header><soapenv:Body><Value>v1</Value></soapenv:Body></soapenv:Envelope>`;
}

const clientId = (id: string) => `<syn:ClientID xmlns:syn="http://ws.apache.org/ns/synapse">${id}</syn:ClientID>`;
const serviceGroup = (id: string) =>
  `<axis2:ServiceGroupId xmlns:axis2="http://ws.apache.org/namespaces/axis2">${id}</axis2:ServiceGroupId>`;

beforeEach(ownClock);
afterEach(() => {
  vi.useRealTimers();
});

describe('simpleClientSession', () => {
  function prepared(timeoutMs?: number, attributes = '') {
    const backEnds = new ScriptedBackEnds();
    const target = loadBalance(ABC, attributes, session('simpleClientSession', timeoutMs));
    const send = (id: string) =>
      backEnds.sendOne(target, backEnds.message(soap(clientId(id)), { contentType: 'application/soap+xml' }));
    return { backEnds, target, send };
  }

  it('keeps each client with the child that its first message went to', async () => {
    const { send } = prepared();
    expect([await send('c1'), await send('c2'), await send('c3')]).toEqual(['a', 'b', 'c']);
    for (const [id, host] of [
      ['c2', 'b'],
      ['c1', 'a'],
      [' c2 ', 'b'],
      ['c3', 'c'],
    ] as const)
      expect(await send(id)).toBe(host);
  });

  it('holds from the first message on, not from its answer', async () => {
    const { backEnds, target } = prepared();
    const request = () => backEnds.message(soap(clientId('c1')), { contentType: 'application/soap+xml' });
    await Promise.all([target.send(request()), target.send(request()), target.send(request())]);
    expect(backEnds.takeHosts()).toEqual(['a', 'a', 'a']);
  });

  it('balances messages without a session, and those that are no SOAP are not even read', async () => {
    const { backEnds, target } = prepared();
    const sent = await backEnds.sendMany(target, 3);
    expect(sent).toEqual(['a', 'b', 'c']);
    const broken = backEnds.message('{broken', { contentType: 'application/json' });
    expect(await backEnds.sendOne(target, broken)).toBe('a');
    expect(Buffer.from(backEnds.requests.at(-1)?.body ?? []).toString()).toBe('{broken');
  });

  it('moves to another child when its own has failed, and stays there', async () => {
    const { backEnds, send } = prepared();
    expect(await send('c1')).toBe('a');
    backEnds.behaviours.a = 'refuses';
    expect(await send('c1')).toBe('b');
    expect(await send('c1')).toBe('b');
    backEnds.allWell();
    pass(1000);
    expect(await send('c1')).toBe('b');
  });

  it('without failover fails with 309003 until its own child is back', async () => {
    const { backEnds, send } = prepared(undefined, 'failover="false"');
    expect(await send('c1')).toBe('a');
    backEnds.behaviours.a = 'refuses';
    expect(await send('c1')).toBe(101503);
    expect(await send('c1')).toBe(309003);
    expect(await send('c2')).toBe('b');
    backEnds.allWell();
    pass(1000);
    expect(await send('c1')).toBe('a');
  });

  it('ends when it was not used for its timeout, and goes on when it was', async () => {
    const { send } = prepared(500);
    expect(await send('c1')).toBe('a');
    pass(400);
    expect(await send('c1')).toBe('a');
    pass(400);
    expect(await send('c1')).toBe('a');
    pass(500);
    expect(await send('c1')).toBe('b');
  });
});

describe('http', () => {
  /** Back ends that start a session for every client without one. */
  function prepared() {
    const backEnds = new ScriptedBackEnds();
    let started = 0;
    for (const host of ['a', 'b']) {
      backEnds.behaviours[host] = ({ headers }) => {
        const cookie = headers.find(([name]) => name === 'Cookie')?.[1];
        started += cookie === undefined ? 1 : 0;
        const cookies: [string, string][] = [
          ['Set-Cookie', 'theme=dark; Path=/'],
          ['Set-Cookie', `JSESSIONID=s=${started}; Path=/; HttpOnly`],
        ];
        return response(200, host, cookie === undefined ? cookies : []);
      };
    }
    const target = loadBalance(AB, '', session('http'));
    return { backEnds, target };
  }

  async function send(backEnds: ScriptedBackEnds, target: Endpoint, cookie?: string) {
    const request = backEnds.message();
    if (cookie !== undefined) request.headers.set('Cookie', cookie);
    const answer = await target.send(request);
    return { host: backEnds.takeHosts().at(-1), answer };
  }

  function cookieOf(answer: MessageContext): string {
    const cookies = [...answer.headers.pairs()].filter(([name]) => name === 'Set-Cookie');
    return cookies.map(([, value]) => value.split(';')[0]).join('; ');
  }

  it('keeps a client with the child that gave it its cookie', async () => {
    const { backEnds, target } = prepared();
    const [first, second] = [await send(backEnds, target), await send(backEnds, target)];
    expect([first.host, second.host]).toEqual(['a', 'b']);
    expect(cookieOf(first.answer)).toBe('theme=dark; JSESSIONID=s=1');
    for (const [cookie, host] of [
      [cookieOf(second.answer), 'b'],
      [cookieOf(second.answer), 'b'],
      [cookieOf(first.answer), 'a'],
      ['JSESSIONID=s=2', 'b'],
    ] as const)
      expect((await send(backEnds, target, cookie)).host).toBe(host);
  });

  it('keeps a cookie that it never saw being given with the child that answered to it', async () => {
    const { backEnds, target } = prepared();
    const { host } = await send(backEnds, target, 'PHPSESSID=old');
    for (let more = 0; more < 3; more += 1) expect((await send(backEnds, target, 'PHPSESSID=old')).host).toBe(host);
  });

  it('is blind to other cookies', async () => {
    const { backEnds, target } = prepared();
    const hosts = [];
    for (let more = 0; more < 4; more += 1) hosts.push((await send(backEnds, target, 'theme=dark; x=JSESSIONID')).host);
    expect(hosts).toEqual(['a', 'b', 'a', 'b']);
  });

  it('is not bound by a child that failed', async () => {
    const { backEnds, target } = prepared();
    const { answer } = await send(backEnds, target);
    const giving = backEnds.behaviours.a as () => never;
    backEnds.behaviours.a = () => {
      throw refused();
    };
    expect((await send(backEnds, target, cookieOf(answer))).host).toBe('b');
    backEnds.behaviours.a = giving;
    pass(1000);
    expect((await send(backEnds, target, cookieOf(answer))).host).toBe('b');
  });
});

describe('soap', () => {
  it.each([
    ['a header block', serviceGroup('g1')],
    [
      'a reference parameter',
      `<wsa:ReplyTo xmlns:wsa="http://www.w3.org/2005/08/addressing"><wsa:ReferenceParameters>${serviceGroup('g1')}</wsa:ReferenceParameters></wsa:ReplyTo>`,
    ],
  ])('keeps a service group, given in %s, with the child that gave it', async (_, header) => {
    const backEnds = new ScriptedBackEnds();
    backEnds.behaviours.b = () => response(200, soap(header), [['Content-Type', 'application/soap+xml']]);
    const target = loadBalance(AB, '', session('soap'));
    await backEnds.sendMany(target, 2);
    expect(backEnds.takeHosts()).toEqual(['a', 'b']);
    for (let more = 0; more < 3; more += 1) {
      const request = backEnds.message(soap(serviceGroup('g1')), { contentType: 'application/soap+xml' });
      await target.send(request);
    }
    expect(backEnds.takeHosts()).toEqual(['b', 'b', 'b']);
  });

  it('passes on an answer that cannot be read as it is', async () => {
    const backEnds = new ScriptedBackEnds();
    backEnds.behaviours.a = () => response(200, '<broken', [['Content-Type', 'application/soap+xml']]);
    const answer = await loadBalance(AB, '', session('soap')).send(backEnds.message());
    expect(Buffer.from(answer.payload.originalBytes() ?? []).toString()).toBe('<broken');
  });
});

describe('the sessions that an answer starts', () => {
  it.each([
    ['soap', true],
    ['http', false],
    ['simpleClientSession', false],
  ] as const)('of %s are in its body: %s', (type, reads) => {
    expect(new SessionAffinity(type, 1000).readsAnswers).toBe(reads);
  });
});

describe('the memory of sessions', () => {
  it('is bounded by number, the longest unused first, and gives back what has expired', () => {
    const backEnds = new ScriptedBackEnds();
    const message = backEnds.message();
    const affinity = new SessionAffinity('simpleClientSession', 1000);
    affinity.chosen(7, ['first'], message);
    affinity.chosen(7, ['second'], message);
    for (let client = 0; client < 49_998; client += 1) affinity.chosen(1, [`c${client}`], message);
    affinity.chosen(7, ['first'], message);
    affinity.chosen(1, ['one too many'], message);
    expect(affinity.size).toBe(50_000);
    expect(affinity.childOf(['first'])).toBe(7);
    expect(affinity.childOf(['second'])).toBeUndefined();
    pass(1000);
    expect(affinity.childOf(['first'])).toBeUndefined();
    affinity.chosen(2, ['later'], message);
    expect(affinity.size).toBe(1);
  });

  it('does not take ids of any length', () => {
    const message = new ScriptedBackEnds().message();
    const affinity = new SessionAffinity('simpleClientSession', 1000);
    affinity.chosen(1, ['x'.repeat(513)], message);
    expect(affinity.size).toBe(0);
  });
});

describe('<session>', () => {
  it.each([
    ['<session/>', "error: The 'type' attribute is required for a session"],
    ['<session type="soup"/>', "error: attribute 'type' of <session>: 'soup' is not allowed"],
    [
      '<session type="http"><sessionTimeout>1s</sessionTimeout></session>',
      "error: <sessionTimeout>: '1s' is not a valid number",
    ],
  ])('%s fails the deployment', (beside, text) => {
    expect(endpointProblems(`<endpoint><loadbalance>${AB}</loadbalance>${beside}</endpoint>`)).toEqual([text]);
  });

  it('beside another group is warned about', () => {
    for (const kind of ['failover', 'recipientlist'])
      expect(endpointProblems(`<endpoint><${kind}>${AB}</${kind}><session type="http"/></endpoint>`)).toEqual([
        'warning: <session> is ignored: only <loadbalance> keeps sessions together',
      ]);
  });
});
