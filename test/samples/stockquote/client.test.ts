import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { sendJsonQuote } from '../../../samples/stockquote/client/json.ts';
import { type LoadBalanceOptions, runLoadBalanceClient } from '../../../samples/stockquote/client/load-balance.ts';
import {
  CallbackPortError,
  CallFailure,
  type Mode,
  prepareStockQuote,
  type StockQuoteOptions,
  sendStockQuote,
  UsageError,
} from '../../../samples/stockquote/client.ts';
import {
  type Flavour,
  type StockQuoteService,
  type StockQuoteServiceOptions,
  startStockQuoteService,
} from '../../../samples/stockquote/service.ts';
import { doubleText } from '../../../samples/stockquote/wire/java-text.ts';
import { NS, WSA } from '../../../samples/stockquote/wire/soap.ts';

const running: Array<{ close(): Promise<void> }> = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()));
});

async function start(options: Partial<StockQuoteServiceOptions> = {}): Promise<StockQuoteService> {
  const service = await startStockQuoteService({ httpPort: 0, ...options });
  running.push(service);
  return service;
}

const address = (service: StockQuoteService) => `http://localhost:${service.httpPort}/services/SimpleStockQuoteService`;

interface Captured {
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Canned {
  readonly status?: number;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** A server that answers everything alike and shows what it got. */
async function capture(canned: Canned = {}): Promise<{ url: string; requests: Captured[] }> {
  const { status = 202, body = '', headers = {} } = canned;
  const requests: Captured[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({ url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(status, headers).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  running.push({ close: () => new Promise((resolve) => server.close(() => resolve())) });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

async function failure(options: StockQuoteOptions): Promise<CallFailure> {
  const error: unknown = await sendStockQuote(options).catch((reason: unknown) => reason);
  if (!(error instanceof CallFailure)) throw new Error(`expected a CallFailure, got ${String(error)}`);
  return error;
}

const FLAVOURS: readonly Flavour[] = ['wso2', 'apache'];
const FORMATS: ReadonlyArray<readonly [string, Partial<StockQuoteOptions>]> = [
  ['SOAP 1.1', {}],
  ['SOAP 1.2', { soapver: 'soap12' }],
  ['plain XML', { rest: true }],
];

describe.each(FLAVOURS)('every mode against the %s flavour', (flavour) => {
  it.each(FORMATS)('in %s', async (_name, format) => {
    const service = await start({ flavour });
    const ask = (mode: Mode) => sendStockQuote({ addurl: address(service), mode, ...format });
    const quote = await ask('quote');
    expect(quote.lines).toEqual([`Standard :: Stock price = $${quote.price}`]);
    expect(quote.price).toMatch(/^\d+\.\d+$/);
    const full = await ask('fullquote');
    expect(full.average).toBeGreaterThan(55);
    expect(full.average).toBeLessThan(190);
    expect(full.lines).toEqual([`Full :: Average price = $${doubleText(full.average ?? 0)}`]);
    const activity = await ask('marketactivity');
    expect(activity.lines).toEqual([`Activity :: Average price = $${doubleText(activity.average ?? 0)}`]);
    const placed = await ask('placeorder');
    const [accepted] = service.accepted();
    expect(accepted).toMatchObject({ number: 1, ...placed.order });
    expect(placed.lines).toEqual([
      `Order placed for ${accepted?.quantity} shares of stock IBM at a price of $ ${doubleText(accepted?.price ?? 0)}`,
    ]);
    const custom = await ask('customquote').catch((error: CallFailure) => error);
    expect(custom).toMatchObject({ kind: 'fault', status: 500 });
  });

  it('on two channels', async () => {
    const service = await start({ flavour });
    const result = await sendStockQuote({ addurl: address(service), mode: 'dualquote', callbackPort: 0 });
    expect(result.lines).toEqual([
      'Response received to the callback',
      `Standard dual channel :: Stock price = $${result.price}`,
    ]);
  });
});

describe('over HTTPS', () => {
  it('trusts loopback addresses without a certificate, and nobody with another certificate', async () => {
    const { createSelfSignedCertificate } = await import('../../../src/transport/certificate.ts');
    const service = await start({ httpsPort: 0 });
    const addurl = `https://localhost:${service.httpsPort}/services/SimpleStockQuoteService`;
    expect((await sendStockQuote({ addurl })).status).toBe(200);
    const { cert } = await createSelfSignedCertificate({ commonName: 'localhost', altNames: ['localhost'], days: 1 });
    expect((await failure({ addurl, ca: cert })).message).toMatch(/self-signed|certificate/);
    expect((await sendStockQuote({ addurl, ca: cert, insecure: true })).status).toBe(200);
  });
});

describe('what goes on the wire', () => {
  const envelopeBody = (body: string) => /<soapenv:Body>(.*)<\/soapenv:Body>/.exec(body)?.[1];

  it('is the quote of a smart client: sent to trpurl, meant for addurl', async () => {
    const server = await capture();
    await failure({ addurl: 'http://localhost:9000/services/S', trpurl: server.url, symbol: 'A&B' });
    const [request] = server.requests;
    expect(request?.url).toBe('/');
    expect(request?.headers).toMatchObject({
      'content-type': 'text/xml; charset=UTF-8',
      soapaction: '"urn:getQuote"',
      'user-agent': 'Axis2',
      'transfer-encoding': 'chunked',
    });
    expect(request?.body).toMatch(
      new RegExp(
        `^<\\?xml version='1\\.0' encoding='UTF-8'\\?><soapenv:Envelope xmlns:soapenv="http://schemas\\.xmlsoap\\.org/soap/envelope/">` +
          `<soapenv:Header xmlns:wsa="${WSA}"><wsa:To>http://localhost:9000/services/S</wsa:To>` +
          `<wsa:MessageID>urn:uuid:[0-9a-f-]{36}</wsa:MessageID><wsa:Action>urn:getQuote</wsa:Action></soapenv:Header>` +
          `<soapenv:Body><m0:getQuote xmlns:m0="${NS}"><m0:request><m0:symbol>A&amp;B</m0:symbol></m0:request></m0:getQuote>` +
          '</soapenv:Body></soapenv:Envelope>$',
      ),
    );
  });

  it('is an order that wants no reply', async () => {
    const server = await capture();
    await sendStockQuote({
      addurl: `${server.url}/services/Proxy1`,
      mode: 'placeorder',
      symbol: 'WSO2',
      random: () => 0.75,
    });
    const [request] = server.requests;
    expect(request?.url).toBe('/services/Proxy1');
    expect(request?.headers.soapaction).toBe('"urn:placeOrder"');
    expect(request?.body).toContain(`<wsa:ReplyTo><wsa:Address>${WSA}/none</wsa:Address></wsa:ReplyTo><wsa:MessageID>`);
    expect(envelopeBody(request?.body ?? '')).toBe(
      `<m0:placeOrder xmlns:m0="${NS}"><m0:order><m0:price>167.5</m0:price><m0:quantity>17500</m0:quantity>` +
        '<m0:symbol>WSO2</m0:symbol></m0:order></m0:placeOrder>',
    );
  });

  it('has no wsa:To from a dumb client, and no addressing at all as plain XML', async () => {
    const server = await capture();
    await failure({ trpurl: `${server.url}/services/StockQuote` });
    await failure({ trpurl: server.url, addurl: 'http://x/', rest: true });
    expect(server.requests[0]?.body).not.toContain('wsa:To');
    expect(server.requests[0]?.body).toContain('wsa:MessageID');
    expect(server.requests[1]).toMatchObject({
      headers: { 'content-type': 'application/xml; charset=UTF-8', soapaction: 'urn:getQuote' },
      body: `<m0:getQuote xmlns:m0="${NS}"><m0:request><m0:symbol>IBM</m0:symbol></m0:request></m0:getQuote>`,
    });
  });

  it('has the absolute address in front of a proxy', async () => {
    const server = await capture();
    await failure({ addurl: 'http://backend.example:9000/services/S?x=1', prxurl: `${server.url}/` });
    expect(server.requests[0]).toMatchObject({
      url: 'http://backend.example:9000/services/S?x=1',
      headers: { host: 'backend.example:9000' },
    });
  });

  it('is SOAP 1.2 with the action in the content type, custom quotes, several requests, a hundred symbols', async () => {
    const server = await capture();
    await failure({ trpurl: server.url, soapver: 'soap12', mode: 'customquote' });
    await failure({ trpurl: server.url, itr: 3 });
    await failure({ trpurl: server.url, mode: 'marketactivity' });
    const [custom, several, activity] = server.requests;
    expect(custom?.headers['content-type']).toBe('application/soap+xml; charset=UTF-8; action="urn:getQuote"');
    expect(custom?.headers.soapaction).toBeUndefined();
    expect(custom?.body).toContain('xmlns:soapenv="http://www.w3.org/2003/05/soap-envelope"');
    expect(envelopeBody(custom?.body ?? '')).toBe(
      `<m0:CheckPriceRequest xmlns:m0="${NS}"><m0:Code>IBM</m0:Code></m0:CheckPriceRequest>`,
    );
    expect(several?.body.match(/<m0:request>/g)).toHaveLength(3);
    expect(activity?.body.match(/<m0:symbols>[A-Z]{3}<\/m0:symbols>/g)).toHaveLength(100);
  });

  it('has the same payload and a new message id each time', async () => {
    const server = await capture();
    const prepared = prepareStockQuote({ trpurl: server.url, mode: 'placeorder' });
    await prepared.send();
    await prepared.send();
    const [one, two] = server.requests.map(({ body }) => body);
    const id = /urn:uuid:[0-9a-f-]+/;
    expect(one).not.toBe(two);
    expect(one?.replace(id, '')).toBe(two?.replace(id, ''));
  });
});

describe('what comes back', () => {
  const fault = (reason: string) =>
    `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>e:Server</faultcode>` +
    `<faultstring>${reason}</faultstring></e:Fault></e:Body></e:Envelope>`;
  const fault12 =
    '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value></e:Code>' +
    '<e:Reason><e:Text xml:lang="en">Access Denied</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>';

  it.each<[string, Canned, string, CallFailure['kind']]>([
    ['a fault with 500', { status: 500, body: fault('Access Denied') }, 'Access Denied', 'fault'],
    ['a fault with 200', { status: 200, body: fault12 }, 'Access Denied', 'fault'],
    ['a plain fault', { status: 500, body: '<faultstring>No</faultstring>' }, 'No', 'fault'],
    ['a 202', { status: 202 }, 'The input stream for an incoming message is null.', 'transport'],
    ['an empty 200', { status: 200 }, 'The input stream for an incoming message is null.', 'transport'],
    ['a 404', { status: 404, body: 'nothing' }, 'Transport error: 404 Error: Not Found', 'transport'],
    [
      'a 503 with a fault',
      { status: 503, body: fault('busy') },
      'Transport error: 503 Error: Service Unavailable',
      'transport',
    ],
    ['a 500 of text', { status: 500, body: 'oops' }, 'Transport error: 500 Error: Internal Server Error', 'transport'],
    ['another answer', { status: 200, body: '<hello/>' }, 'Unexpected response : <hello/>', 'unexpected'],
    ['no XML', { status: 200, body: 'hello' }, 'Unexpected response : hello', 'unexpected'],
  ])('can be %s', async (_name, canned, message, kind) => {
    const server = await capture(canned);
    expect(await failure({ trpurl: server.url })).toMatchObject({ message, kind });
  });

  it('keeps the reason of a fault behind an error status as its cause', async () => {
    const server = await capture({ status: 503, body: fault('queue is down') });
    expect((await failure({ trpurl: server.url })).cause).toBe('queue is down');
  });

  it('is a price in any namespace, one of the samples first', async () => {
    const any = await capture({ status: 200, body: '<r><last>1.50</last></r>' });
    expect((await sendStockQuote({ trpurl: any.url })).price).toBe('1.50');
    const both = await capture({ status: 200, body: `<r><last>1</last><n:last xmlns:n="${NS}">2</n:last></r>` });
    expect((await sendStockQuote({ trpurl: both.url })).price).toBe('2');
    const custom = await capture({ status: 200, body: '<r><Code>IBM</Code><Price>9.25</Price></r>' });
    const result = await sendStockQuote({ trpurl: custom.url, mode: 'customquote' });
    expect(result.lines).toEqual(['Custom :: Stock price = $9.25']);
  });

  it('has no average without prices', async () => {
    const server = await capture({ status: 200, body: '<r/>' });
    const result = await sendStockQuote({ trpurl: server.url, mode: 'fullquote' });
    expect(result.lines).toEqual(['Full :: Average price = $NaN']);
  });

  it('lets an order pass with any 2xx and nothing else', async () => {
    const ok = await capture({ status: 200, body: 'whatever' });
    expect((await sendStockQuote({ trpurl: ok.url, mode: 'placeorder' })).status).toBe(200);
    const bad = await capture({ status: 500, body: fault('store is full') });
    expect(await failure({ trpurl: bad.url, mode: 'placeorder' })).toMatchObject({
      message: 'store is full',
      status: 500,
    });
  });

  it('can be nothing: reset, late, refused', async () => {
    const service = await start();
    const addurl = address(service);
    service.behave({ reset: true });
    expect((await failure({ addurl })).message).toBe('Connection reset');
    service.behave({ hang: true });
    const late = await failure({ addurl, timeoutMs: 80 });
    expect(late).toMatchObject({ message: 'Read timed out', kind: 'transport' });
    await service.close();
    expect((await failure({ addurl })).message).toBe('Connection refused');
  });
});

describe('two channels', () => {
  it('take an answer on the first channel from a service without addressing', async () => {
    const server = await capture({ status: 200, body: '<r><last>4.5</last></r>' });
    const result = await sendStockQuote({ trpurl: server.url, mode: 'dualquote', callbackPort: 0 });
    expect(result.price).toBe('4.5');
  });

  it('have a deadline for the second', async () => {
    const server = await capture();
    const late = await failure({ trpurl: server.url, mode: 'dualquote', callbackPort: 0, timeoutMs: 80 });
    expect(late.message).toBe('Read timed out');
  });

  it('need the port', async () => {
    const server = await capture();
    const port = Number(new URL(server.url).port);
    await expect(sendStockQuote({ trpurl: server.url, mode: 'dualquote', callbackPort: port })).rejects.toThrow(
      CallbackPortError,
    );
  });
});

describe('options that make no sense', () => {
  it.each<[string, StockQuoteOptions]>([
    ['no address', {}],
    ['a proxy alone', { prxurl: 'http://localhost:8280' }],
    ['no URL', { addurl: 'localhost:9000' }],
    ['another transport', { trpurl: 'ftp://localhost/x' }],
    ['https through a proxy', { addurl: 'https://localhost/', prxurl: 'http://localhost:8280' }],
    ['two channels without SOAP', { addurl: 'http://localhost/', mode: 'dualquote', rest: true }],
  ])('%s', async (_name, options) => {
    await expect(sendStockQuote(options)).rejects.toThrow(UsageError);
  });
});

describe('the load-balancing client', () => {
  async function run(url: string, options: Partial<LoadBalanceOptions> = {}): Promise<string[]> {
    const lines: string[] = [];
    await runLoadBalanceClient({
      mode: 'simple',
      url: new URL(url),
      to: url,
      requests: 3,
      sleepMs: 0,
      httpSession: false,
      connection: { timeoutMs: 10_000 },
      print: (line) => lines.push(line),
      ...options,
    });
    return lines;
  }

  it('says which server answered', async () => {
    const service = await start({ name: 'MyServer1' });
    const lines = await run(`http://localhost:${service.httpPort}/services/LBService1`);
    expect(lines).toEqual([1, 2, 3].map((number) => `Request: ${number} ==> Response from server: MyServer1`));
  });

  it('keeps cookies, and stops at a failure', async () => {
    const server = await capture({
      status: 200,
      body: '<Value>x</Value>',
      headers: { 'Set-Cookie': 'JSESSIONID=7; Path=/' },
    });
    await run(server.url, { requests: 2, to: undefined });
    expect(server.requests.map(({ headers }) => headers.cookie)).toEqual([undefined, 'JSESSIONID=7']);
    expect(server.requests[0]?.body).toContain('<soapenv:Body><Value>Sample string</Value></soapenv:Body>');
    expect(server.requests[0]?.body).not.toContain('soapenv:Header');
    const refused = await capture({ status: 503 });
    await expect(run(refused.url)).rejects.toThrow(/503/);
    expect(refused.requests).toHaveLength(1);
  });

  it('plays three clients in mode session and goes on after failures', async () => {
    const service = await start({ name: 'S' });
    const lines = await run(`http://localhost:${service.httpPort}/services/LBService1`, { mode: 'session' });
    for (const line of lines) {
      expect(line).toMatch(/^Request: \d with Session ID: [123] ---- Response : with {4}Response from server: S$/);
    }
    const server = await capture({ status: 503 });
    const failed = await run(server.url, { mode: 'session' });
    expect(failed).toHaveLength(3);
    expect(failed[0]).toMatch(/^Request with session id [123] - Get a Fault : Transport error: 503/);
    expect(server.requests[0]?.headers['content-type']).toMatch(/^application\/soap\+xml/);
    expect(server.requests[0]?.body).toMatch(
      /<syn:ClientID xmlns:syn="http:\/\/ws\.apache\.org\/ns\/synapse">c[123]<\/syn:ClientID><\/soapenv:Header>/,
    );
  });
});

describe('the JSON client', () => {
  it('asks and reads in JSON', async () => {
    const answer = { getQuoteResponse: { return: { last: 99.9 } } };
    const server = await capture({ status: 200, body: JSON.stringify(answer) });
    expect(await sendJsonQuote(new URL(server.url), 'MSFT', { timeoutMs: 10_000 })).toBe('99.9');
    expect(server.requests[0]?.body).toBe('{"getQuote":{"request":{"symbol":"MSFT"}}}');
    const other = await capture({ status: 200, body: 'no JSON' });
    await expect(sendJsonQuote(new URL(other.url), 'X', { timeoutMs: 10_000 })).rejects.toThrow(
      'Unexpected response : no JSON',
    );
  });
});
