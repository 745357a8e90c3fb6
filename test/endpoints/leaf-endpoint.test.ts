import { describe, expect, it } from 'vitest';
import { MediationError } from '../../src/message/errors.ts';
import {
  endpoint,
  endpointProblems,
  FakeConfiguration,
  logged,
  message,
  response,
  sequence,
} from '../mediation/harness.ts';

const expired = () => {
  throw new MediationError('Send timeout', { code: 101504, baseCode: 101504, status: 504 });
};
const refused = () => {
  throw new MediationError('Error connecting to the back end', { code: 101503, baseCode: 101503 });
};

function address(settings: string, attributes = '') {
  return `<endpoint name="E"${attributes}><address uri="http://b/x">${settings}</address></endpoint>`;
}

function prepared(xml: string, artifacts: ConstructorParameters<typeof FakeConfiguration>[0] = {}) {
  const configuration = new FakeConfiguration(artifacts, 5000);
  const request = message({ configuration, body: '<a/>' });
  return { configuration, sender: configuration.sender, request, target: endpoint(xml) };
}

async function failure(work: Promise<unknown>): Promise<MediationError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MediationError);
  return error as MediationError;
}

describe('the deadline of a send', () => {
  it.each([
    ['', 5000],
    ['<timeout><duration>700</duration></timeout>', 700],
    ['<timeout><duration>90000</duration></timeout>', 90_000],
    ['<timeout><duration>{$ctx:ms}</duration></timeout>', 1234],
    ['<timeout><duration>{$ctx:long}</duration></timeout>', 5000],
  ])('%s is %d ms', async (settings, ms) => {
    const { request, sender, target } = prepared(address(settings));
    request.properties.set('ms', '1234');
    request.properties.set('long', '90000');
    await target.send(request);
    expect(sender.requests[0]?.responseTimeoutMs).toBe(ms);
  });

  it('that evaluates to no number is the global one, with a WARN', async () => {
    const { request, sender, target } = prepared(address('<timeout><duration>{$ctx:none}</duration></timeout>'));
    const records = await logged(() => target.send(request));
    expect(sender.requests[0]?.responseTimeoutMs).toBe(5000);
    expect(records.map(({ level }) => level)).toContain('warn');
  });

  it.each([
    [
      '<timeout><duration>soon</duration></timeout>',
      'Endpoint timeout duration expected as a number but was not a number',
    ],
    [
      '<timeout><responseAction>never</responseAction></timeout>',
      'Invalid timeout action, action : never is not supported',
    ],
    [
      '<suspendOnFailure><errorCodes>101503;x</errorCodes></suspendOnFailure>',
      'The error codes should be specified as valid numbers separated by commas or spaces : 101503;x',
    ],
    [
      '<suspendOnFailure><progressionFactor>fast</progressionFactor></suspendOnFailure>',
      "<progressionFactor> is not a number: 'fast'",
    ],
  ])('%s fails the deployment', (settings, text) => {
    expect(endpointProblems(address(settings))).toEqual([`error: ${text}`]);
  });
});

describe('no answer in time', () => {
  const action = (word: string) =>
    address(`<timeout><duration>700</duration><responseAction>${word}</responseAction></timeout>`);

  it('with responseAction fault is a failure for the fault stack, and counts', async () => {
    const { request, sender, target } = prepared(action('FAULT'));
    sender.answer = expired;
    expect(await failure(target.send(request))).toMatchObject({ code: 101504, status: 504, skipsFaultHandlers: false });
    expect(target.describe().state).toBe('SUSPENDED');
  });

  it('with responseAction discard counts, but no fault handler runs', async () => {
    const { request, sender, target } = prepared(action('discard'));
    sender.answer = expired;
    const records = await logged(async () => {
      expect(await failure(target.send(request))).toMatchObject({
        code: 101504,
        status: 504,
        skipsFaultHandlers: true,
      });
    });
    expect(records.map((record) => record.message)).toContain(
      'Ignoring fault handlers since the timeout action is set to DISCARD',
    );
    expect(target.describe().state).toBe('SUSPENDED');
  });

  it('without responseAction changes nothing, and no fault handler runs', async () => {
    const { request, sender, target } = prepared(address('<timeout><duration>700</duration></timeout>'));
    sender.answer = expired;
    expect(await failure(target.send(request))).toMatchObject({ skipsFaultHandlers: true, status: 504 });
    expect(target.describe().state).toBe('ACTIVE');
  });

  it('is a failure for a message processor, whatever responseAction says', async () => {
    for (const xml of [address(''), action('discard')]) {
      const { request, sender, target } = prepared(xml);
      sender.answer = expired;
      expect(await failure(target.send(request, { blocking: true }))).toMatchObject({ skipsFaultHandlers: false });
      expect(target.describe().state).toBe('SUSPENDED');
    }
  });

  it('is logged with the endpoint, its address and the proxy', async () => {
    const { request, sender, target } = prepared(action('fault').replace('http://b', 'http://me:secret@b'));
    request.properties.set('proxy.name', 'P');
    request.axis2.set('correlation_id', 'c-1');
    sender.answer = expired;
    const records = await logged(() => failure(target.send(request)));
    expect(records.map((record) => record.message)).toContain(
      'Expiring message ID : urn:uuid:1; dropping message after ENDPOINT_TIMEOUT of : 0.7 seconds for E, URI : http://me:*****@b/x, Received through Proxy service : PCorrelation ID : c-1',
    );
  });

  it('discard is for timeouts only: a refused connection runs the fault stack (REQ-3)', async () => {
    const { request, sender, target } = prepared(action('discard'));
    sender.answer = refused;
    expect(await failure(target.send(request))).toMatchObject({ code: 101503, skipsFaultHandlers: false });
  });
});

describe('the state of an endpoint', () => {
  it('is changed by failures, not by statuses', async () => {
    const { request, sender, target } = prepared(address(''));
    for (const status of [200, 404, 500, 503]) {
      sender.answer = () => response(status, '<soap:Fault/>');
      await target.send(request);
    }
    expect(target.describe()).toMatchObject({ state: 'ACTIVE', address: 'http://b/x' });
    expect(target.readyAt(request)).toBe(0);
    sender.answer = refused;
    await failure(target.send(request));
    expect(target.describe().state).toBe('SUSPENDED');
    expect(target.readyAt(request)).toBeGreaterThan(Date.now() + 20_000);
  });

  it('SUSPENDED fails the next send without asking the back end', async () => {
    const { request, sender, target } = prepared(address(''));
    sender.answer = refused;
    await failure(target.send(request));
    const records = await logged(async () => {
      expect(await failure(target.send(request))).toMatchObject({ code: 303001, status: 503 });
    });
    expect(sender.requests).toHaveLength(1);
    expect(records.map((record) => record.message)).toEqual([
      'Endpoint failure - Error Code: 303001, Error Message: Currently , Address endpoint : [ Name : E ] [ State : SUSPENDED ]',
    ]);
  });

  it('is not changed by a send that we gave up', async () => {
    const { request, sender, target } = prepared(address(''));
    const given = new AbortController();
    sender.answer = () => {
      given.abort();
      throw new MediationError('Send aborted', { code: 101509 });
    };
    await failure(target.send(request, { signal: given.signal }));
    expect(target.describe().state).toBe('ACTIVE');
  });
});

describe('sending', () => {
  it('sets the properties of the endpoint first, and says where it sent', async () => {
    const xml = `<endpoint name="E"><address uri="http://b/\${where}"/><property name="where" value="there"/>
      <property name="X-B" expression="concat('b', $ctx:where)" scope="transport"/>
      <property name="HTTP_METHOD" value="PUT" scope="axis2"/></endpoint>`;
    const { request, sender, target } = prepared(xml);
    await target.send(request);
    expect(sender.requests[0]).toMatchObject({ url: 'http://b/there', method: 'PUT' });
    expect(sender.requests[0]?.headers).toContainEqual(['X-B', 'bthere']);
    expect(request.text('last_endpoint')).toBe('E');
    expect(request.text('ENDPOINT_PREFIX')).toBe('http://b/there');
  });

  it('one-way keeps no body of the answer', async () => {
    const { request, sender, target } = prepared(address(''));
    await target.send(request, { outOnly: true });
    expect(sender.requests[0]?.discardBody).toBe(true);
  });

  it('puts its onError sequence on the fault stack when it failed, above the others', async () => {
    const { request, sender, target } = prepared(address('', ' onError="handler"'), {
      sequence: { handler: sequence('<property name="handled" value="1"/>') },
    });
    request.faultStack.push({ description: 'of the proxy', handleFault: async () => {} });
    sender.answer = refused;
    await failure(target.send(request));
    expect(request.faultStack.map(({ description }) => description)).toEqual([
      'of the proxy',
      "onError sequence 'handler' of an endpoint",
    ]);
  });
});
