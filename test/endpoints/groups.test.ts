import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { handleFault } from '../../src/mediation/fault.ts';
import { startSend } from '../../src/mediation/send.ts';
import { MediationError } from '../../src/message/errors.ts';
import { endpoint, endpointProblems, FakeExchange, logged, sequence } from '../mediation/harness.ts';
import {
  child,
  failover,
  loadBalance,
  NEVER_SUSPENDED,
  ONE_SECOND,
  ownClock,
  pass,
  ScriptedBackEnds,
} from './scripted-back-ends.ts';

const ABC = child('a') + child('b') + child('c');
const WEIGHTED = 'algorithm="org.apache.synapse.endpoints.algorithms.WeightedRoundRobin"';
const weight = (value: string) => `<property name="loadbalance.weight" value="${value}"/>`;

async function failure(work: Promise<unknown>): Promise<MediationError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MediationError);
  return error as MediationError;
}

beforeEach(ownClock);
afterEach(() => {
  vi.useRealTimers();
});

describe('load balancing', () => {
  it.each(['', 'policy="roundRobin"', 'algorithm="org.apache.synapse.endpoints.algorithms.RoundRobin"'])(
    'with %j goes round',
    async (attributes) => {
      const backEnds = new ScriptedBackEnds();
      expect(await backEnds.sendMany(loadBalance(ABC, attributes), 5)).toEqual(['a', 'b', 'c', 'a', 'b']);
    },
  );

  it('by weights sends 1, 2 and 3 in a row, as sample 59 does', async () => {
    const children = child('a', weight('1')) + child('b', weight('2')) + child('c', weight(' 3 '));
    const backEnds = new ScriptedBackEnds();
    const sent = await backEnds.sendMany(loadBalance(children, WEIGHTED), 12);
    expect(sent.join('')).toBe('abbcccabbccc');
  });

  it('by weights skips a child that is not ready, until it comes back', async () => {
    const children = child('a', weight('2')) + child('b') + child('c');
    const backEnds = new ScriptedBackEnds();
    const target = loadBalance(children, WEIGHTED);
    backEnds.behaviours.a = 'refuses';
    expect((await backEnds.sendMany(target, 4)).join('')).toBe('bcbc');
    expect(backEnds.takeHosts().join('')).toBe('abcbc');
    backEnds.behaviours.a = 200;
    pass(1000);
    expect((await backEnds.sendMany(target, 4)).join('')).toBe('aabc');
  });

  it('skips a suspended child and offers it messages again when its time has come', async () => {
    const backEnds = new ScriptedBackEnds();
    const target = loadBalance(ABC);
    backEnds.behaviours.b = 'refuses';
    expect(await backEnds.sendMany(target, 4)).toEqual(['a', 'c', 'a', 'c']);
    expect(backEnds.takeHosts().join('')).toBe('abcac');
    backEnds.behaviours.b = 200;
    pass(999);
    expect(await backEnds.sendMany(target, 2)).toEqual(['a', 'c']);
    pass(1);
    expect(await backEnds.sendMany(target, 3)).toEqual(['a', 'b', 'c']);
  });

  it('without failover passes on the failure of the child, with its own code', async () => {
    const backEnds = new ScriptedBackEnds({ sequence: { own: sequence('<drop/>'), group: sequence('<drop/>') } });
    const a = child('a').replace('name="a"', 'name="a" onError="own"');
    const target = endpoint(
      `<endpoint name="G" onError="group"><loadbalance failover="false">${a}${child('b')}</loadbalance></endpoint>`,
    );
    backEnds.behaviours.a = 'refuses';
    const request = backEnds.message();
    expect(await failure(target.send(request))).toMatchObject({ code: 101503 });
    expect(request.faultStack.map(({ description }) => description)).toEqual(["onError sequence 'own' of an endpoint"]);
    expect(backEnds.takeHosts()).toEqual(['a']);
    expect(await backEnds.sendMany(target, 2)).toEqual(['b', 'b']);
  });

  it.each([
    [
      'algorithm="com.example.Fancy"',
      "error: attribute 'algorithm' of <loadbalance>: 'com.example.Fancy' is not allowed",
    ],
    ['policy="random"', "error: attribute 'policy' of <loadbalance>: 'random' is not allowed"],
    [`policy="roundRobin" ${WEIGHTED}`, "error: Both 'algorithm' and 'policy' are given"],
    ['alogorithm="x"', "warning: unknown attribute 'alogorithm' of <loadbalance> is ignored"],
  ])('<loadbalance %s> is told', (attributes, text) => {
    expect(endpointProblems(`<endpoint><loadbalance ${attributes}>${ABC}</loadbalance></endpoint>`)).toEqual([text]);
  });

  it.each(['0', '-1', 'heavy', '1.5', '1000001'])('the weight %s fails the deployment', (value) => {
    const children = child('a', weight(value)) + child('b');
    expect(endpointProblems(`<endpoint><loadbalance ${WEIGHTED}>${children}</loadbalance></endpoint>`)).toEqual([
      `error: loadbalance.weight is not a weight: '${value}'`,
    ]);
  });
});

describe('members', () => {
  const members = `<member hostName="a" httpPort="9001" httpsPort="9005"/>
    <member hostName="::1" httpPort="9002"/><member hostName="c" httpsPort="9007"/>`;

  it('take the place of the host in the To address, by its transport', async () => {
    const backEnds = new ScriptedBackEnds();
    const target = loadBalance(members);
    await backEnds.sendOne(target, backEnds.message('<a/>', { to: 'http://elsewhere:80/services/S?x=1' }));
    await backEnds.sendOne(target, backEnds.message('<a/>', { to: '/services/S' }));
    const secure = backEnds.message('<a/>', { to: '/services/S' });
    secure.properties.set('TRANSPORT_IN_NAME', 'https');
    await backEnds.sendOne(target, secure);
    await backEnds.sendOne(target, backEnds.message('<a/>', { to: 'https://elsewhere/services/S' }));
    expect(backEnds.requests.map(({ url }) => url)).toEqual([
      'http://a:9001/services/S?x=1',
      'http://[::1]:9002/services/S',
      'https://c:9007/services/S',
      'https://a:9005/services/S',
    ]);
  });

  it('without a port for the transport are passed over, and not suspended for it', async () => {
    const backEnds = new ScriptedBackEnds();
    const target = loadBalance(members);
    const secure = () => backEnds.message('<a/>', { to: 'https://elsewhere/s' });
    await backEnds.sendOne(target, secure());
    await backEnds.sendOne(target, secure());
    expect(backEnds.takeHosts()).toEqual(['a', 'c']);
    expect(target.describe().children?.map(({ state }) => state)).toEqual(['ACTIVE', 'ACTIVE', 'ACTIVE']);
  });

  it.each([
    ['<member httpPort="1"/>', "error: The 'hostName' attribute is required for the element 'member'"],
    ['<member hostName="a"/>', 'error: A member needs a port'],
    [
      '<member hostName="a" httpPort="70000"/>',
      "error: attribute 'httpPort' of <member>: '70000' is not a valid number",
    ],
    [`<member hostName="a" httpPort="1"/>${child('b')}`, 'error: <loadbalance> has endpoints or members, not both'],
    ['', 'error: FailoverLoadbalance endpoint : AnonymousEndpoint - no child endpoints'],
  ])('%s fails the deployment', (children, text) => {
    expect(endpointProblems(`<endpoint><loadbalance>${children}</loadbalance></endpoint>`)).toEqual([text]);
  });
});

describe('failover', () => {
  it('takes the first ready child in document order', async () => {
    const backEnds = new ScriptedBackEnds();
    const target = failover(ABC);
    expect(await backEnds.sendMany(target, 2)).toEqual(['a', 'a']);
    backEnds.behaviours.a = 'refuses';
    expect(await backEnds.sendMany(target, 2)).toEqual(['b', 'b']);
    backEnds.behaviours.b = 'refuses';
    expect(await backEnds.sendMany(target, 1)).toEqual(['c']);
    backEnds.allWell();
    pass(1000);
    expect(await backEnds.sendMany(target, 1)).toEqual(['a']);
  });

  it('with dynamic="false" stays with the child that took over, until that one fails', async () => {
    const backEnds = new ScriptedBackEnds();
    const target = failover(ABC, 'dynamic="false"');
    backEnds.behaviours.a = 'refuses';
    expect(await backEnds.sendMany(target, 2)).toEqual(['b', 'b']);
    backEnds.behaviours.a = 200;
    pass(1000);
    expect(await backEnds.sendMany(target, 2)).toEqual(['b', 'b']);
    backEnds.behaviours.b = 'refuses';
    expect(await backEnds.sendMany(target, 2)).toEqual(['c', 'c']);
    backEnds.behaviours.c = 'refuses';
    expect(await backEnds.sendMany(target, 1)).toEqual(['a']);
  });

  it('tries a child that fails without being suspended only once per message (REQ-7)', async () => {
    const backEnds = new ScriptedBackEnds();
    const target = failover(child('a', '', NEVER_SUSPENDED) + child('b', '', NEVER_SUSPENDED));
    Object.assign(backEnds.behaviours, { a: 'refuses', b: 'refuses' });
    expect(await backEnds.sendMany(target, 2)).toEqual([303000, 303000]);
    expect(backEnds.takeHosts().join('')).toBe('abab');
  });

  it('takes a SOAP fault or a 500 for an answer, as the reference does', async () => {
    const backEnds = new ScriptedBackEnds();
    backEnds.behaviours.a = 500;
    expect(await backEnds.sendMany(failover(ABC), 2)).toEqual(['a', 'a']);
  });

  it('for a sender that takes a status for a failure tries the next child, and ends with the last such answer', async () => {
    const backEnds = new ScriptedBackEnds({ sequence: { own: sequence('<drop/>') } });
    const target = failover(child('a') + child('b').replace('name="b"', 'name="b" onError="own"'));
    const options = { blocking: true, failsWith: (status: number) => status >= 500 };
    Object.assign(backEnds.behaviours, { a: 503, b: 200 });
    const answer = await target.send(backEnds.message(), options);
    expect(String(answer.axis2.get('HTTP_SC'))).toBe('200');
    expect(backEnds.takeHosts().join('')).toBe('ab');
    pass(1000);
    backEnds.behaviours.b = 'refuses';
    const request = backEnds.message();
    const rejected = await target.send(request, options);
    expect(String(rejected.axis2.get('HTTP_SC'))).toBe('503');
    expect(request.faultStack).toEqual([]);
  });

  it('goes over to another child after a timeout that counts, but not after one that nobody may hear of', async () => {
    const backEnds = new ScriptedBackEnds();
    backEnds.behaviours.a = 'times out';
    const fault = '<timeout><duration>700</duration><responseAction>fault</responseAction></timeout>';
    expect(await backEnds.sendMany(failover(child('a', '', fault) + child('b')), 1)).toEqual(['b']);
    const silent = failover(child('a', '', '') + child('b'));
    expect(await failure(silent.send(backEnds.message()))).toMatchObject({ code: 101504, skipsFaultHandlers: true });
    await silent.send(backEnds.message(), { blocking: true });
    expect(backEnds.takeHosts().join('')).toBe('abaab');
  });

  it('does not go on when the sender gave up', async () => {
    const backEnds = new ScriptedBackEnds();
    const given = new AbortController();
    backEnds.behaviours.a = () => {
      given.abort();
      throw new MediationError('Send aborted', { code: 101509 });
    };
    expect(await failure(failover(ABC).send(backEnds.message(), { signal: given.signal }))).toMatchObject({
      code: 101509,
    });
    expect(backEnds.takeHosts()).toEqual(['a']);
  });

  it('does not go on with a message that cannot be read', async () => {
    const backEnds = new ScriptedBackEnds();
    const soap = failover(ABC.replaceAll('/s">', '/s" format="soap12">'));
    const request = backEnds.message('<broken', { contentType: 'text/xml' });
    expect(await failure(soap.send(request))).toMatchObject({ code: 601000 });
    expect(backEnds.takeHosts()).toEqual([]);
    expect(soap.readyAt(request)).toBe(0);
  });

  it('with buildMessage refuses such a message before it is sent anywhere', async () => {
    const backEnds = new ScriptedBackEnds();
    const broken = () => backEnds.message('<broken', { contentType: 'text/xml' });
    await failover(ABC).send(broken());
    expect(await failure(failover(ABC, 'buildMessage="true"').send(broken()))).toMatchObject({ code: 601000 });
    expect(backEnds.takeHosts()).toEqual(['a']);
  });
});

describe('retryConfig', () => {
  const retry = (kind: string, codes: string) => `${ONE_SECOND}<retryConfig><${kind}>${codes}</${kind}></retryConfig>`;

  it.each([
    ['disabledErrorCodes', '101504, 101503', false],
    ['disabledErrorCodes', '101504 101500', true],
    ['disabledErrorCodes', '', true],
    ['enabledErrorCodes', '101503', true],
    ['enabledErrorCodes', '101504', false],
  ])('%s %s: goes on after 101503 is %s', async (kind, codes, goesOn) => {
    const backEnds = new ScriptedBackEnds();
    const target = failover(child('a', '', retry(kind, codes)) + child('b'));
    backEnds.behaviours.a = 'refuses';
    if (goesOn) {
      expect(await backEnds.sendMany(target, 1)).toEqual(['b']);
      return;
    }
    expect(await failure(target.send(backEnds.message()))).toMatchObject({
      code: 303000,
      message:
        'Failover endpoint : G - one of the child endpoints encounterd a non-retry error, not sending message to another endpoint',
      cause: { code: 101503 },
    });
    expect(backEnds.takeHosts()).toEqual(['a']);
  });

  it('holds for an endpoint behind a key, too', async () => {
    const named = endpoint(child('a', '', retry('disabledErrorCodes', '101503')));
    const backEnds = new ScriptedBackEnds({ endpoint: { A: named } });
    backEnds.behaviours.a = 'refuses';
    expect(await backEnds.sendMany(loadBalance(`<endpoint key="A"/>${child('b')}`), 1)).toEqual([303000]);
  });

  it('with both lists is warned about', () => {
    const both =
      '<retryConfig><disabledErrorCodes>1</disabledErrorCodes><enabledErrorCodes>x</enabledErrorCodes></retryConfig>';
    expect(endpointProblems(child('a', '', both))).toEqual([
      'warning: both disabledErrorCodes and enabledErrorCodes are given: a code must pass both',
      'error: The error codes should be specified as valid numbers separated by commas or spaces : x',
    ]);
  });
});

describe('when no child is left', () => {
  it('the group fails with 303000, in the words of the reference, with the last failure behind it', async () => {
    const backEnds = new ScriptedBackEnds();
    Object.assign(backEnds.behaviours, { a: 'refuses', b: 'refuses' });
    const target = loadBalance(child('a') + child('b'));
    const records = await logged(async () => {
      expect(await failure(target.send(backEnds.message()))).toMatchObject({
        code: 303000,
        baseCode: undefined,
        errorCause: 'refused',
        message: 'Loadbalance endpoint : G - no ready child endpoints',
        cause: { code: 101503 },
      });
    });
    expect(
      records.filter(({ category }) => category === 'LoadbalanceEndpoint').map((record) => record.message),
    ).toEqual([
      'Endpoint [G] Detect a Failure in a child endpoint : Endpoint [a]',
      'Endpoint [G] Detect a Failure in a child endpoint : Endpoint [b]',
      'Loadbalance endpoint : G - no ready child endpoints',
    ]);
  });

  it('nobody is asked while all are suspended, and readyAt is when the first one comes back', async () => {
    const backEnds = new ScriptedBackEnds();
    Object.assign(backEnds.behaviours, { a: 'refuses', b: 'refuses' });
    const target = failover(child('a') + child('b', '', ONE_SECOND.replace('1000', '400')));
    expect(target.readyAt(backEnds.message())).toBe(0);
    expect(await backEnds.sendMany(target, 1)).toEqual([303000]);
    expect(backEnds.takeHosts().join('')).toBe('ab');
    expect(target.readyAt(backEnds.message())).toBe(Date.now() + 400);
    expect(await failure(target.send(backEnds.message()))).toMatchObject({
      code: 303000,
      status: 503,
    });
    expect(backEnds.takeHosts()).toEqual([]);
    pass(400);
    expect(await backEnds.sendMany(target, 1)).toEqual([303000]);
    expect(backEnds.takeHosts().join('')).toBe('b');
  });

  it('operators see the group as suspended, and every child', async () => {
    const backEnds = new ScriptedBackEnds();
    const target = failover(child('a') + child('b'));
    expect(target.describe()).toMatchObject({ state: 'ACTIVE', nextRetryTime: undefined });
    backEnds.behaviours.a = 'refuses';
    await backEnds.sendMany(target, 1);
    expect(target.describe()).toMatchObject({
      state: 'ACTIVE',
      children: [
        { name: 'a', kind: 'address', state: 'SUSPENDED', address: 'http://a/s', nextRetryTime: Date.now() + 1000 },
        { name: 'b', kind: 'address', state: 'ACTIVE' },
      ],
    });
    backEnds.behaviours.b = 'refuses';
    await backEnds.sendMany(target, 1);
    expect(target.describe()).toMatchObject({ state: 'SUSPENDED', nextRetryTime: Date.now() + 1000 });
  });

  it('the fault path runs once, with the code of the group', async () => {
    const artifacts = { sequence: { group: sequence('<property name="handled" value="by the group"/>') } };
    const backEnds = new ScriptedBackEnds(artifacts);
    Object.assign(backEnds.behaviours, { a: 'refuses', b: 'refuses' });
    const ran: string[] = [];
    const exchange = new FakeExchange();
    const request = backEnds.message('<a/>', { exchange });
    request.faultStack.push({
      description: 'of the proxy',
      handleFault: async ({ properties }) => {
        ran.push(String(properties.get('ERROR_CODE')));
      },
    });
    startSend(request, failover(child('a') + child('b')));
    await exchange.settled();
    expect(ran).toEqual(['303000']);
    expect(request.text('ERROR_MESSAGE')).toBe('Failover endpoint : G - no ready child endpoints');
    expect(request.text('ERROR_DETAIL')).toContain('Error connecting to the back end');
    expect(request.text('ERROR_CAUSE')).toBe('refused');
    expect(exchange.failures).toHaveLength(1);
  });

  it('the onError sequence of the group runs instead of those of its children', async () => {
    const backEnds = new ScriptedBackEnds({
      sequence: {
        group: sequence('<property name="handled" value="by the group"/>'),
        own: sequence('<property name="handled" value="by the child"/>'),
      },
    });
    Object.assign(backEnds.behaviours, { a: 'refuses', b: 'refuses' });
    const children = (child('a') + child('b')).replaceAll('<endpoint ', '<endpoint onError="own" ');
    for (const [onError, handler] of [
      [' onError="group"', 'by the group'],
      ['', 'by the child'],
    ]) {
      const target = endpoint(`<endpoint name="G"${onError}><failover>${children}</failover></endpoint>`);
      const request = backEnds.message();
      await handleFault(request, await failure(target.send(request)));
      expect(request.text('handled')).toBe(handler);
      expect(request.faultStack).toEqual([]);
      pass(1000);
    }
  });

  it('the onError sequence of a child that another one stood in for does not run', async () => {
    const backEnds = new ScriptedBackEnds({ sequence: { own: sequence('<drop/>') } });
    backEnds.behaviours.a = 'refuses';
    const request = backEnds.message();
    await failover(child('a').replace('name="a"', 'name="a" onError="own"') + child('b')).send(request);
    expect(request.faultStack).toEqual([]);
  });
});

describe('the next child', () => {
  it('gets the message as the first one got it', async () => {
    const backEnds = new ScriptedBackEnds();
    const ofA = `<property name="X-Of-A" value="a" scope="transport"/><property name="X-Both" value="a" scope="transport"/>
      <property name="of.a" value="a"/><property name="HTTP_METHOD" value="PUT" scope="axis2"/>
      <property name="messageType" value="application/json" scope="axis2"/>`;
    const ofB = '<property name="X-Saw" expression="concat($ctx:of.a, $ctx:ERROR_CODE, \'.\')" scope="transport"/>';
    const ofGroup = '<property name="X-Group" value="g" scope="transport"/>';
    const target = failover(child('a', ofA) + child('b', ofB), '', ofGroup);
    backEnds.behaviours.a = 'refuses';
    const request = backEnds.message('<order><n>1</n></order>');
    request.headers.set('X-Both', 'from the client');
    request.headers.add('X-Many', '1');
    request.headers.add('X-Many', '2');
    await target.send(request);
    const [first, second] = backEnds.requests;
    expect(first).toMatchObject({ method: 'PUT' });
    expect(first?.headers).toEqual(
      expect.arrayContaining([
        ['X-Of-A', 'a'],
        ['X-Both', 'a'],
        ['X-Group', 'g'],
      ]),
    );
    expect(Buffer.from(first?.body ?? []).toString()).toBe('{"order":{"n":1}}');
    expect(second).toMatchObject({ method: 'POST' });
    expect(second?.headers.filter(([name]) => name.startsWith('X-'))).toEqual([
      ['X-Both', 'from the client'],
      ['X-Many', '1'],
      ['X-Many', '2'],
      ['X-Group', 'g'],
      ['X-Saw', '.'],
    ]);
    expect(Buffer.from(second?.body ?? []).toString()).toBe('<order><n>1</n></order>');
    expect(request.text('of.a')).toBeUndefined();
    expect(request.text('last_endpoint')).toBe('b');
  });
});

describe('groups inside groups', () => {
  it('fail over group by group, and balance group by group', async () => {
    const inner = (name: string, one: string, two: string) =>
      `<endpoint name="${name}"><failover>${child(one)}${child(two)}</failover></endpoint>`;
    const backEnds = new ScriptedBackEnds();
    const target = loadBalance(inner('F1', 'a', 'b') + inner('F2', 'c', 'd'));
    expect(await backEnds.sendMany(target, 2)).toEqual(['a', 'c']);
    backEnds.behaviours.a = 'refuses';
    expect(await backEnds.sendMany(target, 2)).toEqual(['b', 'c']);
    backEnds.behaviours.b = 'refuses';
    expect(await backEnds.sendMany(target, 3)).toEqual(['c', 'c', 'c']);
    Object.assign(backEnds.behaviours, { c: 'refuses', d: 'refuses' });
    expect(await backEnds.sendMany(target, 1)).toEqual([303000]);
    expect(target.readyAt(backEnds.message())).toBe(Date.now() + 1000);
    backEnds.allWell();
    pass(1000);
    expect((await backEnds.sendMany(target, 2)).sort()).toEqual(['a', 'c']);
  });

  it('by key are looked up for every send; a key without an endpoint is not ready', async () => {
    const backEnds = new ScriptedBackEnds({ endpoint: { B: endpoint(child('b')) } });
    const target = failover('<endpoint key="gone"/><endpoint key="{$ctx:which}"/>');
    const request = backEnds.message();
    request.properties.set('which', 'B');
    const records = await logged(async () => expect(await backEnds.sendOne(target, request)).toBe('b'));
    expect(records.map((record) => record.message)).toContain(
      'Could not find endpoint with key gone. Could not verify Endpoint ready to send status.',
    );
    expect(await backEnds.sendMany(target, 1)).toEqual([303000]);
    expect(target.readyAt(backEnds.message())).toBe(Number.POSITIVE_INFINITY);
  });

  it('by a key in a message that cannot be read: nobody gets what is left of it', async () => {
    const backEnds = new ScriptedBackEnds({ endpoint: { B: endpoint(child('b')) } });
    const target = failover(`<endpoint key="{//a}"/>${child('b')}`);
    const broken = backEnds.message('<a>B<broken');
    expect(target.readyAt(broken)).toBe(0);
    expect(Buffer.from(broken.payload.originalBytes() ?? []).toString()).toBe('<a>B<broken');
    expect(await backEnds.sendOne(target, broken)).toBe(601000);
    expect(backEnds.takeHosts()).toEqual([]);
    const fine = backEnds.message('<r><a>B</a></r>');
    expect(await backEnds.sendOne(target, fine)).toBe('b');
  });

  it('that contain themselves end with 303000, or with another child', async () => {
    const artifacts: Record<string, ReturnType<typeof endpoint>> = {};
    const backEnds = new ScriptedBackEnds({ endpoint: artifacts });
    artifacts.A = failover('<endpoint key="B"/>');
    artifacts.B = failover('<endpoint key="A"/>');
    expect(await backEnds.sendMany(artifacts.A, 1)).toEqual([303000]);
    artifacts.A = failover(`<endpoint key="B"/>${child('a')}`);
    expect(await backEnds.sendMany(artifacts.A, 2)).toEqual(['a', 'a']);
    artifacts.A = failover(`<endpoint key="B"/>${child('a', '', NEVER_SUSPENDED)}`);
    backEnds.behaviours.a = 'refuses';
    backEnds.takeHosts();
    expect(await backEnds.sendMany(artifacts.A, 1)).toEqual([303000]);
    expect(backEnds.takeHosts()).toEqual(['a']);
  });

  it('the same key twice among siblings fails the deployment', () => {
    const twice = '<endpoint key="A"/><endpoint key="B"/><endpoint key="A"/>';
    for (const kind of ['failover', 'loadbalance', 'recipientlist']) {
      expect(endpointProblems(`<endpoint><${kind}>${twice}</${kind}></endpoint>`)).toEqual([
        'error: Same endpoint definition cannot be used with in the siblings',
      ]);
    }
  });

  it('everything that is wrong with the children is told at once', () => {
    const children = '<endpoint><address/></endpoint><endpoint><adress/></endpoint><endpont/>';
    expect(endpointProblems(`<endpoint><failover fast="1">${children}</failover></endpoint>`)).toEqual([
      "warning: unknown attribute 'fast' of <failover> is ignored",
      'warning: unknown element <endpont> inside <failover> is ignored',
      "error: The 'uri' attribute is required for an address endpoint",
      'warning: unknown element <adress> inside <endpoint> is ignored',
      'error: Invalid endpoint configuration.',
    ]);
  });

  it('a group without children fails the deployment', () => {
    expect(endpointProblems('<endpoint name="F"><failover/></endpoint>')).toEqual([
      'error: FailoverLoadbalance endpoint : F - no child endpoints',
    ]);
    expect(endpointProblems('<endpoint><recipientlist/></endpoint>')).toEqual([
      'error: RecipientList endpoint : AnonymousEndpoint - no child endpoints',
    ]);
  });
});
