import { describe, expect, it } from 'vitest';
import { defaultEndpoint } from '../../src/endpoints/index.ts';
import { MediationError } from '../../src/message/errors.ts';
import { TemporaryFolder } from '../deployment/temporary-folder.ts';
import { endpoint, endpointProblems, FakeConfiguration, message, response } from '../mediation/harness.ts';

function prepared(xml: string, properties: Record<string, string> = {}) {
  const configuration = new FakeConfiguration({
    endpoint: { B: endpoint('<endpoint name="B"><address uri="http://b/named"/></endpoint>') },
  });
  const request = message({ configuration, body: '<a/>' });
  for (const [name, value] of Object.entries(properties)) request.properties.set(name, value);
  return { request, sender: configuration.sender, target: endpoint(xml) };
}

async function urlOf(xml: string, properties: Record<string, string> = {}): Promise<string | undefined> {
  const { request, sender, target } = prepared(xml, properties);
  await target.send(request);
  return sender.requests.at(-1)?.url;
}

describe('address', () => {
  it('is fixed, but for the properties in it; an unknown one is empty', async () => {
    expect(await urlOf('<endpoint><address uri=" http://b/x "/></endpoint>')).toBe('http://b/x');
    const template = `<endpoint><address uri="http://b/\${a}/\${gone}/x"/></endpoint>`;
    expect(await urlOf(template, { a: '1' })).toBe('http://b/1//x');
  });

  it.each([
    ['<endpoint><address/></endpoint>', "error: The 'uri' attribute is required for an address endpoint"],
    [
      '<endpoint><address uri="mailto:q"/></endpoint>',
      "warning: addresses with 'mailto:' are known, not supported yet: sending to 'mailto:q' will fail",
    ],
    ['<endpoint><address uri="htp://b"/></endpoint>', "warning: 'htp:' is not a transport of this server"],
    ['<endpoint><address uri="http://b" format="soap13"/></endpoint>', 'warning: format="soap13" is ignored'],
  ])('%s is told', (xml, text) => {
    expect(endpointProblems(xml)).toEqual([text]);
  });
});

describe('http', () => {
  const http = (template: string, attributes = '') =>
    `<endpoint><http uri-template="${template}"${attributes}/></endpoint>`;

  it.each([
    ['http://b/{uri.var.id}', { 'uri.var.id': 'a/b c' }, 'http://b/a%2Fb%20c'],
    ['http://b/{+uri.var.id}', { 'uri.var.id': 'a/b' }, 'http://b/a/b'],
    ['http://b/x{?query.param.q}', { 'query.param.q': '1&2' }, 'http://b/x?query.param.q=1%262'],
    ['http://b/{uri.var.id}/{uri.var.none}', { 'uri.var.id': '1' }, 'http://b/1/'],
    ['{uri.var.host}/x', { 'uri.var.host': 'http://b:81' }, 'http://b:81/x'],
    ['http://b/{uri.var.id}', {}, 'http://b/{uri.var.id}'],
    ['http://b/plain', { 'uri.var.id': '1' }, 'http://b/plain'],
    ['{uri.var.none}/x', { 'uri.var.id': '1' }, '{uri.var.none}/x'],
    ['legacy-encoding:http://b/{uri.var.id}', { 'uri.var.id': '1' }, 'http://b/1'],
  ])('%s with %j is %s', async (template, properties, url) => {
    expect(await urlOf(http(template), properties as Record<string, string>)).toBe(url);
  });

  it('takes variables from its own properties', async () => {
    const xml = `<endpoint><http uri-template="http://b/{uri.var.id}"/><property name="uri.var.id" value="7"/></endpoint>`;
    expect(await urlOf(xml)).toBe('http://b/7');
  });

  it('has a method of its own, or ignores a wrong one', async () => {
    const { request, sender, target } = prepared(http('http://b/x', ' method="PUT"'));
    await target.send(request);
    expect(sender.requests[0]?.method).toBe('PUT');
    expect(endpointProblems(http('http://b/x', ' method="fetch"'))).toEqual(['warning: method="fetch" is ignored']);
  });

  it('has no format', () => {
    expect(endpointProblems(http('http://b/x', ' format="pox"'))).toEqual(['warning: format="pox" is ignored']);
  });
});

describe('default', () => {
  it('sends to wherever the message is addressed to', async () => {
    const { request, sender, target } = prepared('<endpoint><default format="soap11"/></endpoint>');
    request.to = 'http://b/to';
    await target.send(request);
    expect(sender.requests[0]?.url).toBe('http://b/to');
  });

  it('fails with 303001 when it is addressed to nowhere', async () => {
    const { request, target } = prepared('<endpoint><default/></endpoint>');
    request.to = undefined;
    await expect(target.send(request)).rejects.toMatchObject({ code: 303001 });
  });

  it('as the implicit endpoint of a send is never suspended: one bad address must not stop the others', async () => {
    const { request, sender } = prepared('<endpoint><default/></endpoint>');
    request.to = 'http://b/to';
    sender.answer = () => {
      throw new MediationError('refused', { code: 101503 });
    };
    await expect(defaultEndpoint().send(request)).rejects.toThrow('refused');
    expect(defaultEndpoint().readyAt(request)).toBeLessThanOrEqual(Date.now());
    sender.answer = () => response(200, '');
    await defaultEndpoint().send(request);
    expect(defaultEndpoint().describe().state).toBe('ACTIVE');
  });
});

describe('indirect', () => {
  it.each(['<endpoint key="B"/>', '<endpoint key="{$ctx:which}"/>', '<endpoint key-expression="$ctx:which"/>'])(
    '%s is looked up for every send',
    async (xml) => {
      expect(await urlOf(xml, { which: 'B' })).toBe('http://b/named');
    },
  );

  it('fails with 305100 when there is none of that name', async () => {
    const { request, target } = prepared('<endpoint key="gone"/>');
    await expect(target.send(request)).rejects.toMatchObject({
      code: 305100,
      message: "Couldn't find the endpoint with the key : gone",
    });
  });

  it('that leads to itself is a fault, not a crash', async () => {
    const { request, target } = prepared('<endpoint key="{$ctx:itself}"/>');
    request.properties.set('itself', 'loop');
    const { find } = request.configuration;
    request.configuration.find = ((kind: string, name: string) =>
      name === 'loop' ? target : find.call(request.configuration, kind as never, name)) as typeof find;
    await expect(target.send(request)).rejects.toThrow('The endpoint with the key loop leads to itself');
    expect(() => target.allowsRetry?.(undefined, request)).toThrow('leads to itself');
  });

  it('refuses a bad expression', () => {
    expect(endpointProblems('<endpoint key="{//a[}"/>')).toHaveLength(1);
    expect(endpointProblems('<endpoint key-expression="//a["/>')).toHaveLength(1);
  });
});

describe('wsdl', () => {
  const WSDL = (address: string) => `<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"
    xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"><service name="S"><port name="P" binding="b">
    <soap:address location="${address}"/></port></service></definitions>`;

  it('finds its address in an inline WSDL', async () => {
    expect(await urlOf(`<endpoint><wsdl service="S" port="P">${WSDL('http://b/w')}</wsdl></endpoint>`)).toBe(
      'http://b/w',
    );
  });

  it('fetches a WSDL with the first message, once, and again after a failure', async () => {
    const { request, sender, target } = prepared(
      '<endpoint><wsdl uri="http://w/s?wsdl" service="S" port="P"/></endpoint>',
    );
    sender.answer = ({ url }) => (url.endsWith('?wsdl') ? response(503, '') : response(200, '<a/>'));
    await expect(target.send(request)).rejects.toThrow("has no port 'P' of service 'S'");
    sender.answer = ({ url }) => (url.endsWith('?wsdl') ? response(200, WSDL('http://b/w')) : response(200, '<a/>'));
    await target.send(request);
    await target.send(request);
    expect(sender.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET http://w/s?wsdl',
      'GET http://w/s?wsdl',
      'POST http://b/w',
      'POST http://b/w',
    ]);
  });

  it('reads a WSDL in a file, looked for where resources are (sample 56)', async () => {
    using folder = new TemporaryFolder();
    folder.write('proxy/s.wsdl', WSDL('http://b/w'));
    folder.write('proxy/t.wsdl', WSDL('http://b/w').replace('"P"', '"Q"'));
    const send = async (uri: string) => {
      const { request, sender, target } = prepared(`<endpoint><wsdl uri="${uri}" service="S" port="P"/></endpoint>`);
      request.configuration.services.resourceDirectories = ['/nowhere', folder.path];
      await target.send(request);
      return sender.requests.map(({ url }) => url);
    };
    expect(await send('file:proxy/s.wsdl')).toEqual(['http://b/w']);
    expect(await send(`file:${folder.at('proxy/s.wsdl')}`)).toEqual(['http://b/w']);
    await expect(send('file:proxy/t.wsdl')).rejects.toThrow("The WSDL at file:proxy/t.wsdl has no port 'P'");
    await expect(send('file:proxy/u.wsdl')).rejects.toThrow('The WSDL at file:proxy/u.wsdl cannot be read');
    expect(endpointProblems('<endpoint><wsdl uri="file:s.wsdl" service="S" port="P"/></endpoint>')).toEqual([]);
  });

  it('fails as a mediation error when what it gets is no WSDL', async () => {
    const { request, sender, target } = prepared(
      '<endpoint><wsdl uri="http://w/s?wsdl" service="S" port="P"/></endpoint>',
    );
    sender.answer = () => response(200, 'no xml');
    await expect(target.send(request)).rejects.toBeInstanceOf(MediationError);
  });

  it.each([
    ['<endpoint><wsdl port="P"/></endpoint>', "error: The 'service' attribute is required for a WSDL endpoint"],
    ['<endpoint><wsdl service="S" port="P"/></endpoint>', 'error: A WSDL endpoint needs a uri or an inline WSDL 1.1'],
    [
      `<endpoint><wsdl service="S" port="Q">${WSDL('http://b')}</wsdl></endpoint>`,
      'error: The WSDL has no such service and port with an address',
    ],
  ])('%s fails the deployment', (xml, text) => {
    expect(endpointProblems(xml)).toContain(text);
  });
});

describe('what is no endpoint yet, or none at all', () => {
  it.each(['dynamicLoadbalance', 'class'])('<%s> is known', (kind) => {
    expect(endpointProblems(`<endpoint><${kind}/></endpoint>`)).toEqual([
      expect.stringMatching(new RegExp(`^error: endpoint kind <${kind}> is not supported: .{20}`)),
    ]);
  });

  it('says what is wrong', () => {
    expect(endpointProblems('<endpoint/>')).toEqual(['error: Invalid endpoint configuration.']);
    expect(endpointProblems('<endpoint><adress uri="http://b"/></endpoint>')).toEqual([
      'warning: unknown element <adress> inside <endpoint> is ignored',
      'error: Invalid endpoint configuration.',
    ]);
    expect(endpointProblems('<endpoint><default/></endpoint>', true)).toEqual([
      'error: Invalid endpoint definition without a name',
    ]);
  });
});
