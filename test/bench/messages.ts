import { randomUUID } from 'node:crypto';
import { newStoredId } from '../../src/stores/stored-id.ts';
import type { StoredMessage } from '../../src/stores/stored-message.ts';

const PADDING = 'x'.repeat(230);

/** A SOAP order of about 0.6 KB, as the proxies of the samples take it. */
export function order(number: number): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">' +
    '<soapenv:Body><m0:placeOrder xmlns:m0="http://services.samples"><m0:order>' +
    `<m0:price>${(number % 1000) / 10}</m0:price><m0:quantity>${number}</m0:quantity><m0:symbol>ORDER-${number}</m0:symbol>` +
    `<m0:note>${PADDING}</m0:note></m0:order></m0:placeOrder></soapenv:Body></soapenv:Envelope>\n`
  );
}

/** A SOAP message with as many orders as fit into about so many bytes, one at least. */
export function soapOrders(bytes: number): string {
  const begin =
    '<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">' +
    '<soapenv:Body><m0:placeOrder xmlns:m0="http://services.samples">';
  const end = '</m0:placeOrder></soapenv:Body></soapenv:Envelope>\n';
  const orders: string[] = [];
  let left = bytes - begin.length - end.length;
  do {
    const number = orders.length;
    const one =
      `<m0:order id="${number}"><m0:price>${(number % 1000) / 10}</m0:price><m0:quantity>${number}</m0:quantity>` +
      `<m0:symbol>ORDER-${number}</m0:symbol><m0:note>${PADDING}</m0:note></m0:order>`;
    orders.push(one);
    left -= one.length;
  } while (left >= 360);
  return begin + orders.join('') + end;
}

const HEADERS = [
  ['Host', '127.0.0.1:8280'],
  ['Content-Type', 'text/xml; charset=UTF-8'],
  ['SOAPAction', '"urn:placeOrder"'],
  ['User-Agent', 'stockquote-client'],
  ['Connection', 'keep-alive'],
  ['Content-Length', '620'],
] as const;

/** That order as a proxy stores it. */
export function storedOrder(number: number): StoredMessage {
  const originalId = `urn:uuid:${randomUUID()}`;
  const storedAt = Date.now();
  return {
    v: 1,
    id: newStoredId(storedAt),
    originalId,
    correlationId: undefined,
    storedAt,
    service: 'Orders',
    body: { kind: 'soap11', bytes: Buffer.from(order(number)), contentType: 'text/xml; charset=UTF-8' },
    addressing: { to: '/services/Orders', action: 'urn:placeOrder' },
    direction: 'request',
    doingRest: false,
    headers: HEADERS,
    axis2: new Map([
      ['HTTP_METHOD', 'POST'],
      ['TransportInURL', '/services/Orders'],
      ['REMOTE_ADDR', '127.0.0.1'],
    ]),
    properties: new Map([
      ['OUT_ONLY', 'true'],
      ['aggregateCorelation', originalId],
    ]),
    variables: new Map(),
    priority: undefined,
    history: [],
  };
}
