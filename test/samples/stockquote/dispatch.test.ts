import { describe, expect, it } from 'vitest';
import { answer, type Deployment, type HttpAnswer } from '../../../samples/stockquote/service/dispatch.ts';
import { loadBalanceService1, loadBalanceService2 } from '../../../samples/stockquote/service/load-balance.ts';
import type { AcceptedOrder, Flavour } from '../../../samples/stockquote/service/operation.ts';
import {
  fastStockQuoteService,
  secureStockQuoteService,
  simpleStockQuoteService,
} from '../../../samples/stockquote/service/stock-quote.ts';
import { NS, openEnvelope, WSA, WSA_SUBMISSION, XSD, XSI } from '../../../samples/stockquote/wire/soap.ts';
import { elementChildren, parseXml, textOf, type XmlElement } from '../../../src/xml/index.ts';

const SQS = '/services/SimpleStockQuoteService';
const ADDRESSES = { host: 'localhost', httpPort: 9000, httpsPort: 9002 };

interface Server extends Deployment {
  readonly printed: string[];
  readonly orders: AcceptedOrder[];
  readonly errors: string[];
}

function server(flavour: Flavour = 'wso2', serverName?: string): Server {
  const printed: string[] = [];
  const orders: AcceptedOrder[] = [];
  const errors: string[] = [];
  let number = 0;
  const services = [
    simpleStockQuoteService,
    secureStockQuoteService,
    fastStockQuoteService,
    loadBalanceService1(),
    loadBalanceService2(),
  ];
  return {
    printed,
    orders,
    errors,
    services: new Map(services.map((service) => [service.name, service])),
    reportError: (text) => errors.push(text),
    world: {
      flavour,
      serverName,
      random: () => 0.25,
      now: () => new Date(Date.UTC(2013, 7, 18, 5, 28)),
      print: (line) => printed.push(line),
      nextOrderNumber: () => ++number,
      accepted: (order) => orders.push(order),
      sleep: async () => undefined,
    },
  };
}

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly contentType?: string;
  readonly soapAction?: string;
  readonly cookie?: string;
}

const SOAP11 = 'http://schemas.xmlsoap.org/soap/envelope/';
const SOAP12 = 'http://www.w3.org/2003/05/soap-envelope';

function envelope(body: string, namespace = SOAP11, header = ''): string {
  return `<s:Envelope xmlns:s="${namespace}">${header}<s:Body>${body}</s:Body></s:Envelope>`;
}

function ask(target: Server, body: string | Uint8Array, sent: Sent = {}): Promise<HttpAnswer> {
  const { path = SQS, method = 'POST', contentType = 'text/xml; charset=UTF-8', soapAction, cookie } = sent;
  const headers = {
    ...(method === 'POST' ? { 'content-type': contentType } : {}),
    ...(soapAction === undefined ? {} : { soapaction: soapAction }),
    ...(cookie === undefined ? {} : { cookie }),
  };
  return answer({ method, url: path, headers, body: Buffer.from(body) }, ADDRESSES, target);
}

function read(result: HttpAnswer): XmlElement {
  const root = parseXml(
    typeof result.body === 'string' ? result.body : Buffer.from(result.body).toString(),
  ).documentElement;
  if (!root) throw new Error('no root');
  return openEnvelope(root)?.payload ?? root;
}

function find(element: XmlElement, name: string): XmlElement[] {
  const own = element.localName === name ? [element] : [];
  return [...own, ...elementChildren(element).flatMap((child) => find(child, name))];
}

function value(element: XmlElement, name: string): string {
  const [found] = find(element, name);
  if (!found) throw new Error(`no ${name}`);
  return textOf(found);
}

const quote = (symbol: string, operation = 'getQuote') =>
  `<m0:${operation} xmlns:m0="${NS}"><m0:request><m0:symbol>${symbol}</m0:symbol></m0:request></m0:${operation}>`;
const order = (price: string, quantity: string, symbol: string) =>
  `<m0:placeOrder xmlns:m0="${NS}"><m0:order><m0:price>${price}</m0:price><m0:quantity>${quantity}</m0:quantity>` +
  `<m0:symbol>${symbol}</m0:symbol></m0:order></m0:placeOrder>`;

const FIELDS = [
  'change',
  'earnings',
  'high',
  'last',
  'lastTradeTimestamp',
  'low',
  'marketCap',
  'name',
  'open',
  'peRatio',
  'percentageChange',
  'prevClose',
  'symbol',
  'volume',
];

describe('getQuote', () => {
  it('answers in the WSO2 flavour, fields in alphabetical order in their own namespace', async () => {
    const target = server();
    const result = await ask(target, envelope(quote('IBM')), { soapAction: '"urn:getQuote"' });
    expect(result.status).toBe(200);
    expect(result.headers['Content-Type']).toBe('text/xml; charset=UTF-8');
    expect(result.body).toMatch(
      /^<\?xml version='1\.0' encoding='UTF-8'\?><soapenv:Envelope xmlns:soapenv="[^"]+"><soapenv:Body><ns:getQuoteResponse xmlns:ns="http:\/\/services\.samples"><ns:return xmlns:ax21="http:\/\/services\.samples\/xsd" xmlns:xsi="[^"]+" xsi:type="ax21:GetQuoteResponse"><ax21:change>/,
    );
    const [bean] = find(read(result), 'return');
    expect(elementChildren(bean as XmlElement).map(({ localName }) => localName)).toEqual(FIELDS);
    expect(elementChildren(bean as XmlElement).every(({ namespaceURI }) => namespaceURI === XSD)).toBe(true);
    expect(value(read(result), 'last')).toBe('77.5');
    expect(value(read(result), 'marketCap')).toBe('2500000.0');
    expect(value(read(result), 'volume')).toBe('7500');
    expect(target.printed).toHaveLength(1);
    expect(target.printed[0]).toMatch(/ samples\.services\.SimpleStockQuoteService :: Generating quote for : IBM$/);
  });

  it('answers in the Apache flavour with everything in one namespace', async () => {
    const result = await ask(server('apache'), envelope(quote('IBM')));
    expect(result.body).toContain(`<ns:return xmlns:xsi="${XSI}" xsi:type="ns:GetQuoteResponse"><ns:change>`);
    expect(result.body).not.toContain(XSD);
  });

  it('answers SOAP 1.2 in SOAP 1.2, the action in the content type', async () => {
    const contentType = 'application/soap+xml; charset=UTF-8; action="urn:getQuote"';
    const result = await ask(server(), envelope(quote('IBM'), SOAP12), { contentType });
    expect(result.headers['Content-Type']).toBe('application/soap+xml; charset=UTF-8; action="urn:getQuoteResponse"');
    expect(result.body).toContain(`xmlns:soapenv="${SOAP12}"`);
    expect(value(read(result), 'symbol')).toBe('IBM');
  });

  it('answers plain XML in plain XML, without declaration', async () => {
    const result = await ask(server(), quote('IBM'), { contentType: 'application/xml', soapAction: 'urn:getQuote' });
    expect(result.headers['Content-Type']).toBe('application/xml; charset=UTF-8');
    expect(result.body).toMatch(/^<ns:getQuoteResponse xmlns:ns=/);
  });

  it.each([
    ['the SOAPAction before all else', quote('IBM', 'getFullQuote'), { soapAction: 'urn:getQuote' }],
    ['the address', quote('IBM', 'getFullQuote'), { path: `${SQS}/getQuote` }],
    ['the name of the first element', quote('IBM'), { soapAction: '""' }],
    ['a WSDL port address', quote('IBM'), { path: `${SQS}.SimpleStockQuoteServiceHttpSoap11Endpoint` }],
    ['a trailing slash', quote('IBM'), { path: `${SQS}/` }],
    ['the last /services/ of the path', quote('IBM'), { path: '/soap/services/services/SimpleStockQuoteService' }],
    ['an absolute request line', quote('IBM'), { path: `http://test.com${SQS}` }],
  ])('is found by %s', async (_how, body, sent) => {
    expect(read(await ask(server(), envelope(body), sent)).localName).toBe('getQuoteResponse');
  });

  it('is found by wsa:Action when HTTP names none', async () => {
    const header = `<s:Header><a:Action xmlns:a="${WSA}">urn:getQuote</a:Action></s:Header>`;
    const result = await ask(server(), envelope(quote('IBM', 'other'), SOAP11, header));
    expect(read(result).localName).toBe('getQuoteResponse');
  });

  it('reads fields by local name in any namespace, case and order, the first of several, text untrimmed', async () => {
    const body =
      `<q:getQuote xmlns:q="${NS}"><request xmlns="urn:any"><note>x</note><SYMBOL> IBM </SYMBOL><symbol>SUN</symbol></request>` +
      `<q:request><q:symbol>MSFT</q:symbol></q:request></q:getQuote>`;
    expect(value(read(await ask(server(), envelope(body))), 'symbol')).toBe(' IBM ');
    const named = `<q:getQuote xmlns:q="${NS}"><arg0><symbol>A&amp;B</symbol></arg0></q:getQuote>`;
    const result = await ask(server(), envelope(named));
    expect(value(read(result), 'name')).toBe('A&B Company');
  });

  it.each([
    ['absent', '<m0:request/>'],
    ['nil', `<m0:request><m0:symbol xmlns:x="${XSI}" x:nil="true"/></m0:request>`],
  ])('of an %s symbol is one of null', async (_how, request) => {
    const target = server();
    const body = `<m0:getQuote xmlns:m0="${NS}">${request}</m0:getQuote>`;
    const result = await ask(target, envelope(body));
    expect(result.body).toContain('<ax21:symbol xsi:nil="true"/>');
    expect(value(read(result), 'name')).toBe('null Company');
    expect(target.printed[0]).toMatch(/: null$/);
  });

  it('of an empty symbol is one of the empty symbol', async () => {
    expect(value(read(await ask(server(), envelope(quote('')))), 'name')).toBe(' Company');
  });

  it('of ERR is the declared fault, and nothing is printed', async () => {
    const target = server();
    const result = await ask(target, envelope(quote('ERR')), { soapAction: 'urn:getQuote' });
    expect(result.status).toBe(500);
    const fault = read(result);
    expect(value(fault, 'faultcode')).toBe('soapenv:Server');
    expect(value(fault, 'faultstring')).toBe('Invalid stock symbol : ERR');
    const [detail] = find(fault, 'detail');
    const [message] = find(detail as XmlElement, 'Message');
    expect(message?.namespaceURI).toBe(NS);
    expect(message?.parentNode?.parentNode).toMatchObject({ localName: 'SimpleStockQuoteServiceException' });
    expect(target.printed).toEqual([]);
    expect((await ask(server(), envelope(quote('err')))).status).toBe(200);
  });
});

describe('the other questions', () => {
  it('getSimpleQuote takes its symbol directly, over SOAP and by REST, and knows no ERR', async () => {
    const body = `<m0:getSimpleQuote xmlns:m0="${NS}"><m0:symbol>ERR</m0:symbol></m0:getSimpleQuote>`;
    const soap = await ask(server(), envelope(body));
    expect(soap.status).toBe(200);
    expect(soap.body).toContain('xsi:type="ax21:GetQuoteResponse"');
    expect(read(soap).localName).toBe('getSimpleQuoteResponse');
    const rest = await ask(server(), '', { method: 'GET', path: `${SQS}/getSimpleQuote?symbol=A%26B` });
    expect(rest.headers['Content-Type']).toBe('application/xml; charset=UTF-8');
    expect(value(read(rest), 'symbol')).toBe('A&B');
    const contentType = 'application/x-www-form-urlencoded';
    const form = await ask(server(), 'symbol=SUN+W', { path: `${SQS}/getSimpleQuote`, contentType });
    expect(value(read(form), 'symbol')).toBe('SUN W');
  });

  it.each(['getQuote', 'getFullQuote', 'getMarketActivity'])('%s cannot be asked by REST', async (operation) => {
    const result = await ask(server(), '', { method: 'GET', path: `${SQS}/${operation}?symbol=IBM` });
    expect(result.status).toBe(500);
    expect(result.body).toBe(
      `<faultstring>Exception occurred while trying to invoke service method ${operation}</faultstring>`,
    );
  });

  it('getFullQuote gives 365 trading days', async () => {
    const target = server();
    const result = await ask(target, envelope(quote('IBM', 'getFullQuote')));
    const days = find(read(result), 'tradeHistory');
    expect(days.map((day) => value(day, 'day'))).toEqual(Array.from({ length: 365 }, (_, day) => String(day)));
    expect(find(read(result), 'quote')).toHaveLength(365);
    expect(result.body).toContain('<ax21:tradeHistory xsi:type="ax21:TradingDay"><ax21:day>0</ax21:day>');
    expect(target.printed[0]).toMatch(/ :: Full quote for : IBM$/);
  });

  it('getMarketActivity gives a quote per symbol, in order', async () => {
    const target = server('apache');
    const symbols = ['IBM', 'MSFT', 'SUN'].map((name) => `<m0:symbols>${name}</m0:symbols>`).join('');
    const body = `<m0:getMarketActivity xmlns:m0="${NS}"><m0:request>${symbols}</m0:request></m0:getMarketActivity>`;
    const result = await ask(target, envelope(body));
    expect(find(read(result), 'quotes').map((one) => value(one, 'symbol'))).toEqual(['IBM', 'MSFT', 'SUN']);
    expect(target.printed[0]).toMatch(/ :: Generating Market activity report for : \[IBM, MSFT, SUN\]$/);
    const none = `<m0:getMarketActivity xmlns:m0="${NS}"><m0:request/></m0:getMarketActivity>`;
    expect((await ask(server(), envelope(none))).status).toBe(500);
  });
});

describe('placeOrder', () => {
  it('is acknowledged with 202 and the line of the guides', async () => {
    const target = server();
    for (let number = 1; number <= 4; number += 1) await ask(target, envelope(order('1', '1', 'IBM')));
    const result = await ask(target, envelope(order('61.782478265721714', '18851', 'WSO2')));
    expect(result).toEqual({ status: 202, headers: {}, body: '' });
    expect(target.printed.at(-1)).toMatch(
      /^\w{3} Aug 18 \d\d:\d\d:00 \S+ 2013 samples\.services\.SimpleStockQuoteService :: Accepted order #5 for : 18851 stocks of WSO2 at \$ 61\.782478265721714$/,
    );
    expect(target.orders.at(-1)).toMatchObject({
      number: 5,
      service: 'SimpleStockQuoteService',
      symbol: 'WSO2',
      quantity: 18_851,
      price: 61.782478265721714,
      line: target.printed.at(-1),
    });
  });

  it.each([
    ['soap12', 'application/soap+xml; charset=UTF-8; action="urn:placeOrder"', envelope(order('50', '1', 'A'), SOAP12)],
    ['plain XML', 'application/xml', order('50', '1', 'A')],
  ])('is taken as %s too', async (_format, contentType, body) => {
    const target = server();
    expect((await ask(target, body, { contentType })).status).toBe(202);
    expect(target.printed[0]).toMatch(/#1 for : 1 stocks of A at \$ 50\.0$/);
  });

  it('takes what is missing for zero and null', async () => {
    const target = server();
    await ask(target, envelope(`<m0:placeOrder xmlns:m0="${NS}"><m0:order/></m0:placeOrder>`));
    expect(target.printed[0]).toMatch(/for : 0 stocks of null at \$ 0\.0$/);
  });

  it.each([
    ['a broken quantity', order('1', '1.5', 'IBM')],
    ['a price that is no number', order('dear', '1', 'IBM')],
    ['no order at all', `<m0:placeOrder xmlns:m0="${NS}"/>`],
    ['the wrong namespace', '<placeOrder xmlns="urn:x"><order/></placeOrder>'],
  ])('with %s is still 202, but not counted, and an error is logged', async (_what, body) => {
    const target = server();
    const result = await ask(target, envelope(body), { soapAction: 'urn:placeOrder' });
    expect(result.status).toBe(202);
    expect(target.printed).toEqual([]);
    expect(target.orders).toEqual([]);
    expect(target.errors).toHaveLength(1);
    await ask(target, envelope(order('1', '1', 'IBM')));
    expect(target.orders[0]?.number).toBe(1);
  });
});

describe('faults', () => {
  const reasonOf = async (body: string, sent: Sent = {}) => {
    const result = await ask(server(), body, sent);
    expect(result.status).toBe(500);
    return read(result);
  };

  it.each([
    ['none', '<getQuote/>', 'namespace mismatch require http://services.samples found none'],
    ['another', '<getQuote xmlns="urn:x"/>', 'namespace mismatch require http://services.samples found urn:x'],
  ])('name the namespace that is wrong: %s', async (_what, body, reason) => {
    expect(value(await reasonOf(envelope(body)), 'faultstring')).toBe(reason);
  });

  it('say that an argument is missing or misnamed', async () => {
    const missing = await reasonOf(envelope(`<m0:getQuote xmlns:m0="${NS}"/>`));
    expect(value(missing, 'faultstring')).toBe('Exception occurred while trying to invoke service method getQuote');
    const custom = `<m0:CheckPriceRequest xmlns:m0="${NS}"><m0:Code>IBM</m0:Code></m0:CheckPriceRequest>`;
    const misnamed = await reasonOf(envelope(custom), { soapAction: 'urn:getQuote' });
    expect(value(misnamed, 'faultstring')).toMatch(/^Index/);
    const empty = await reasonOf(envelope(''), { soapAction: 'urn:getQuote' });
    expect(value(empty, 'faultstring')).toBe('Exception occurred while trying to invoke service method getQuote');
  });

  it('say that the operation is not known, with a generated prefix on the code', async () => {
    const fault = await reasonOf(envelope('<x/>'), { soapAction: '"urn:mediate"' });
    expect(value(fault, 'faultstring')).toBe(
      'The endpoint reference (EPR) for the Operation not found is /services/SimpleStockQuoteService and the WSA Action = ' +
        'urn:mediate. If this EPR was previously reachable, please contact the server administrator.',
    );
    const [code] = find(fault, 'faultcode');
    expect(textOf(code as XmlElement)).toBe('axis2ns1:Client');
    expect((code as XmlElement).lookupNamespaceURI('axis2ns1')).toBe(SOAP11);
    expect(value(await reasonOf(envelope('<x/>')), 'faultstring')).toContain('WSA Action = null.');
  });

  it.each(['/services/Nothing', '/services/SimpleStockQuoteService.NoSuchEndpoint', '/nowhere'])(
    'say that there is no service at %s',
    async (path) => {
      const fault = await reasonOf(envelope(quote('IBM')), { path });
      expect(value(fault, 'faultstring')).toBe(`The service cannot be found for the endpoint reference (EPR) ${path}`);
    },
  );

  it('are SOAP 1.2 for SOAP 1.2', async () => {
    const contentType = 'application/soap+xml; action="urn:getQuote"';
    const fault = await reasonOf(envelope(quote('ERR'), SOAP12), { contentType });
    expect(value(fault, 'Value')).toBe('soapenv:Receiver');
    expect(value(fault, 'Text')).toBe('Invalid stock symbol : ERR');
    expect(find(fault, 'Detail')).toHaveLength(1);
    expect(find(fault, 'Message')).toHaveLength(1);
  });

  it('are the bare detail, or the bare reason, for plain XML', async () => {
    const contentType = 'application/xml';
    const declared = await reasonOf(quote('ERR'), { contentType });
    expect(declared.localName).toBe('SimpleStockQuoteServiceException');
    const other = await reasonOf('<getQuote/>', { contentType });
    expect(other.localName).toBe('faultstring');
  });

  it.each([
    ['nothing', ''],
    ['no XML', 'quote please'],
    ['XML without an envelope', quote('IBM')],
    ['an envelope of the other version', envelope(quote('IBM'), SOAP12)],
    ['a document type', `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>${envelope('<x>&e;</x>')}`],
  ])('answer a SOAP request that holds %s', async (_what, body) => {
    expect(value(await reasonOf(body), 'faultstring')).not.toBe('');
  });
});

describe('charsets', () => {
  it('reads and answers in the charset of the request', async () => {
    const body = Buffer.from(envelope(quote('Zürich')), 'latin1');
    const result = await ask(server(), body, { contentType: 'text/xml; charset=ISO-8859-1' });
    expect(result.headers['Content-Type']).toBe('text/xml; charset=ISO-8859-1');
    const text = Buffer.from(result.body).toString('latin1');
    expect(text).toContain("encoding='ISO-8859-1'");
    expect(text).toContain('<ax21:symbol>Zürich</ax21:symbol>');
  });

  it('writes what the charset cannot say as references', async () => {
    const body = Buffer.from(envelope(quote('&#8364;&#252;')), 'ascii');
    const result = await ask(server(), body, { contentType: 'text/xml; charset=us-ascii' });
    expect(Buffer.from(result.body).toString('latin1')).toContain('<ax21:symbol>&#8364;&#252;</ax21:symbol>');
  });

  it('answers UTF-16 with a byte order mark', async () => {
    const body = Buffer.from(`\uFEFF${envelope(quote('IBM'))}`, 'utf16le');
    const result = await ask(server(), body, { contentType: 'text/xml; charset=UTF-16' });
    const text = Buffer.from(result.body).toString('utf16le');
    expect(text).toMatch(/^\uFEFF<\?xml version='1\.0' encoding='UTF-16'\?>/);
    expect(text).toContain('IBM Company');
  });
});

describe('addressing', () => {
  const header = (blocks: string, namespace = WSA) => `<s:Header xmlns:a="${namespace}">${blocks}</s:Header>`;
  const withHeader = (blocks: string, symbol = 'IBM', namespace = WSA) =>
    envelope(quote(symbol), SOAP11, header(`<a:MessageID>urn:uuid:1</a:MessageID>${blocks}`, namespace));
  const replyTo = (address: string) => `<a:ReplyTo><a:Address>${address}</a:Address></a:ReplyTo>`;

  it('gets an answer that relates to it, and only then', async () => {
    const result = await ask(server(), withHeader('<a:Action>urn:getQuote</a:Action>'));
    expect(result.body).toContain(
      `<soapenv:Header xmlns:wsa="${WSA}"><wsa:Action>urn:getQuoteResponse</wsa:Action><wsa:RelatesTo>urn:uuid:1</wsa:RelatesTo></soapenv:Header>`,
    );
    expect((await ask(server(), envelope(quote('IBM')))).body).not.toContain('soapenv:Header');
  });

  it('is answered in the submission namespace when it came so', async () => {
    const anonymous = replyTo(`${WSA_SUBMISSION}/role/anonymous`);
    const result = await ask(server(), withHeader(anonymous, 'IBM', WSA_SUBMISSION));
    expect(result.status).toBe(200);
    expect(result.body).toContain(`<soapenv:Header xmlns:wsa="${WSA_SUBMISSION}">`);
  });

  it('gives faults their action', async () => {
    const declared = await ask(server(), withHeader('', 'ERR'));
    expect(declared.body).toContain('<wsa:Action>urn:getQuoteSimpleStockQuoteServiceException</wsa:Action>');
    const other = envelope('<getQuote/>', SOAP11, header('<a:MessageID>1</a:MessageID>'));
    expect((await ask(server(), other)).body).toContain(`<wsa:Action>${WSA}/soap/fault</wsa:Action>`);
  });

  it('sends the answer elsewhere, or nowhere, as ReplyTo says', async () => {
    const elsewhere = await ask(server(), withHeader(replyTo('http://localhost:8200/reply')));
    expect(elsewhere).toMatchObject({ status: 202, body: '' });
    expect(elsewhere.forward).toMatchObject({
      url: 'http://localhost:8200/reply',
      headers: { 'Content-Type': 'text/xml; charset=UTF-8', SOAPAction: '"urn:getQuoteResponse"' },
    });
    expect(elsewhere.forward?.body).toContain('<wsa:To>http://localhost:8200/reply</wsa:To>');
    const nowhere = await ask(server(), withHeader(replyTo(`${WSA}/none`)));
    expect(nowhere).toEqual({ status: 202, headers: {}, body: '' });
    const here = await ask(server(), withHeader(replyTo(`${WSA}/anonymous`)));
    expect(here.status).toBe(200);
  });

  it('sends faults where FaultTo says', async () => {
    const faultTo = '<a:FaultTo><a:Address>http://localhost:8200/faults</a:Address></a:FaultTo>';
    const result = await ask(server(), withHeader(faultTo, 'ERR'));
    expect(result.status).toBe(202);
    expect(result.forward?.url).toBe('http://localhost:8200/faults');
    expect(result.forward?.body).toContain('Invalid stock symbol : ERR');
  });
});

describe('the other services', () => {
  const value1 = '<Value>Sample string</Value>';

  it('LBService1 answers with its name, in the element it got', async () => {
    const sent = { path: '/services/LBService1', soapAction: '"urn:sampleOperation"' };
    const named = await ask(server('wso2', 'MyServer1'), envelope(value1), sent);
    expect(named.body).toContain('<Value>Response from server: MyServer1</Value>');
    const unnamed = await ask(server(), envelope('<q:v xmlns:q="urn:q"/>'), sent);
    expect(read(unnamed)).toMatchObject({ localName: 'v', namespaceURI: 'urn:q' });
    expect(textOf(read(unnamed))).toBe('Response from anonymous server');
    const clientName = await ask(server(), envelope(value1), { ...sent, soapAction: 'urn:setClientName' });
    expect(textOf(read(clientName))).toBe('Sessions are not supported in this service.');
  });

  it('LBService1 works as much as the load says', async () => {
    const target = server('wso2', 'S');
    const body = envelope('<SampleMsg><load>3</load><more/></SampleMsg>');
    const result = await ask(target, body, { path: '/services/LBService1', soapAction: 'urn:loadOperation' });
    expect(target.printed).toEqual(['Iteration: 0', 'Iteration: 1', 'Iteration: 2']);
    expect(value(read(result), 'load')).toBe('Response from server: S');
    const slept = await ask(target, body, { path: '/services/LBService1', soapAction: 'urn:sleepOperation' });
    expect(value(read(slept), 'load')).toBe('Response from server: S');
    for (const load of ['much', '100000000']) {
      const bad = envelope(`<SampleMsg><load>${load}</load></SampleMsg>`);
      const refused = await ask(target, bad, { path: '/services/LBService1', soapAction: 'urn:loadOperation' });
      expect(refused.status).toBe(500);
    }
  });

  it('LBService2 knows its clients by their cookie', async () => {
    const target = server('wso2', 'S');
    const path = '/services/LBService2';
    const started = await ask(target, envelope('<n>bob</n>'), { path, soapAction: 'urn:setClientName' });
    expect(textOf(read(started))).toBe('Server S started a session with client bob');
    const cookie = started.headers['Set-Cookie']?.split(';')[0] ?? '';
    expect(cookie).toMatch(/^JSESSIONID=/);
    const body = envelope('<m><load>0</load></m>');
    for (const number of [1, 2]) {
      const next = await ask(target, body, { path, soapAction: 'urn:sleepOperation', cookie });
      expect(value(read(next), 'load')).toBe(`Server: S processed the request ${number} from client: bob`);
    }
    const stranger = await ask(target, body, { path, soapAction: 'urn:sleepOperation' });
    expect(value(read(stranger), 'load')).toBe('Server: S processed the request 1 from client: anonymous');
  });

  it('SecureStockQuoteService is the simple one without numbers and without ERR', async () => {
    const target = server();
    const path = '/services/SecureStockQuoteService';
    expect((await ask(target, envelope(quote('ERR')), { path })).status).toBe(200);
    expect((await ask(target, envelope(order('1', '2', 'IBM')), { path })).status).toBe(202);
    expect(target.printed[1]).toMatch(/ SecureStockQuoteService :: Accepted order for : 2 stocks of IBM at \$ 1\.0$/);
  });

  it('FastStockQuoteService answers the same to everything', async () => {
    const target = server('apache');
    const result = await ask(target, 'not even XML', { path: '/services/FastStockQuoteService' });
    expect(result.status).toBe(200);
    expect(value(read(result), 'last')).toBe('79.93167957835779');
    expect(find(read(result), 'last')[0]?.namespaceURI).toBe(XSD);
    expect(target.printed).toEqual([]);
  });
});

describe('pages', () => {
  const get = (path: string) => ask(server(), '', { method: 'GET', path });

  it('list the services and their operations', async () => {
    for (const path of ['/services', '/services/']) {
      const page = await get(path);
      expect(page.status).toBe(200);
      expect(page.body).toContain('<title>Axis2: Services</title>');
      expect(page.body).toContain('<h1>Deployed services</h1>');
      expect(page.body).toContain('href="/services/SimpleStockQuoteService?wsdl"');
      expect(page.body).toContain('<li>placeOrder</li>');
    }
    expect((await get(`${SQS}?info`)).body).toContain('<li>getFullQuote</li>');
  });

  it('answer 500 where there is nothing, and 301 for the icon', async () => {
    expect((await get('/services/Nothing?wsdl')).status).toBe(500);
    expect((await get('/anything')).status).toBe(500);
    expect((await get(SQS)).status).toBe(500);
    expect((await get('/services/LBService1?wsdl')).status).toBe(500);
    expect((await get('/favicon.ico')).status).toBe(301);
  });
});
