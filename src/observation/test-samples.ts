/** A message to begin with. */
export interface TestSample {
  readonly name: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly body: string;
}

const SOAP_11 = 'http://schemas.xmlsoap.org/soap/envelope/';

/** The messages of the stock quote samples, and one of each other kind. */
export const TEST_MESSAGES: readonly TestSample[] = [
  {
    name: 'SOAP 1.1: stock quote',
    method: 'POST',
    headers: { SOAPAction: '"urn:getQuote"' },
    contentType: 'text/xml; charset=UTF-8',
    body: `<soapenv:Envelope xmlns:soapenv="${SOAP_11}">
  <soapenv:Body>
    <m:getQuote xmlns:m="http://services.samples">
      <m:request><m:symbol>IBM</m:symbol></m:request>
    </m:getQuote>
  </soapenv:Body>
</soapenv:Envelope>`,
  },
  {
    name: 'SOAP 1.1: place order (one-way)',
    method: 'POST',
    headers: { SOAPAction: '"urn:placeOrder"' },
    contentType: 'text/xml; charset=UTF-8',
    body: `<soapenv:Envelope xmlns:soapenv="${SOAP_11}">
  <soapenv:Body>
    <m:placeOrder xmlns:m="http://services.samples">
      <m:order><m:price>140.5</m:price><m:quantity>2000</m:quantity><m:symbol>IBM</m:symbol></m:order>
    </m:placeOrder>
  </soapenv:Body>
</soapenv:Envelope>`,
  },
  {
    name: 'JSON: order',
    method: 'POST',
    headers: {},
    contentType: 'application/json',
    body: '{\n  "order": { "symbol": "IBM", "quantity": 2000, "price": 140.5 }\n}',
  },
  {
    name: 'XML: order',
    method: 'POST',
    headers: {},
    contentType: 'application/xml',
    body: '<order><symbol>IBM</symbol><quantity>2000</quantity><price>140.5</price></order>',
  },
  { name: 'Text', method: 'POST', headers: {}, contentType: 'text/plain', body: 'hello' },
  { name: 'GET without a body', method: 'GET', headers: {}, contentType: '', body: '' },
];
