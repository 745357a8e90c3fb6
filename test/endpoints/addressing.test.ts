import { describe, expect, it } from 'vitest';
import { parseXml, type XmlElement } from '../../src/xml/index.ts';
import { endpoint, endpointProblems, FakeConfiguration, message, response } from '../mediation/harness.ts';

const FINAL = 'http://www.w3.org/2005/08/addressing';
const SUBMISSION = 'http://schemas.xmlsoap.org/ws/2004/08/addressing';
const S11 = 'http://schemas.xmlsoap.org/soap/envelope/';
const soap = (header = '') =>
  `<S:Envelope xmlns:S="${S11}"><S:Header>${header}<o:Other xmlns:o="urn:o">kept</o:Other></S:Header><S:Body><a/></S:Body></S:Envelope>`;
const address = (inside: string, attributes = '') =>
  `<endpoint><address uri="http://b/s" ${attributes}>${inside}</address></endpoint>`;

/** The header blocks that a back end gets: [namespace, name, text]. */
async function sent(
  xml: string,
  options: {
    body?: string;
    contentType?: string;
    axis2?: Record<string, string>;
    outOnly?: boolean;
    preserve?: boolean;
  } = {},
) {
  const configuration = new FakeConfiguration();
  configuration.sender.answer = () => response(200, '<ok/>', [['Content-Type', 'application/xml']]);
  const context = message({
    configuration,
    body: options.body ?? soap(),
    contentType: options.contentType ?? 'text/xml',
  });
  context.action = 'urn:do';
  for (const [name, value] of Object.entries(options.axis2 ?? {})) context.axis2.set(name, value);
  if (options.preserve) context.properties.set('PRESERVE_WS_ADDRESSING', 'true');
  await endpoint(xml).send(context, { outOnly: options.outOnly ?? false });
  const text = Buffer.from(configuration.sender.requests[0]?.body ?? []).toString();
  if (!text.includes('Header>')) return text;
  const header = (parseXml(text).documentElement as XmlElement).firstChild as XmlElement;
  return Array.from(header.childNodes as unknown as ArrayLike<XmlElement>).map((block) => [
    block.namespaceURI,
    block.localName,
    block.textContent,
  ]);
}

const ID = expect.stringMatching(/^urn:uuid:[0-9a-f-]{36}$/);
const OTHER = ['urn:o', 'Other', 'kept'];

describe('<enableAddressing>', () => {
  it('writes To, MessageID and Action; one-way messages want no answer', async () => {
    const written = [
      [FINAL, 'MessageID', ID],
      [FINAL, 'Action', 'urn:do'],
    ];
    const to = [FINAL, 'To', 'http://b/s'];
    expect(await sent(address('<enableAddressing/>'))).toEqual([OTHER, to, ...written]);
    expect(await sent(address('<enableAddressing/>'), { outOnly: true })).toEqual([
      OTHER,
      to,
      [FINAL, 'ReplyTo', `${FINAL}/none`],
      ...written,
    ]);
  });

  it('writes the headers of the submission', async () => {
    expect(await sent(address('<enableAddressing version="submission"/>'))).toEqual([
      OTHER,
      [SUBMISSION, 'To', 'http://b/s'],
      [SUBMISSION, 'ReplyTo', `${SUBMISSION}/role/anonymous`],
      [SUBMISSION, 'MessageID', ID],
      [SUBMISSION, 'Action', 'urn:do'],
    ]);
  });

  const clients = `<w:To xmlns:w="${FINAL}">http://us/</w:To><w:MessageID xmlns:w="${FINAL}">urn:1</w:MessageID><w:Action xmlns:w="${FINAL}">urn:x</w:Action>`;

  it("takes the place of the client's headers, whose message id stays", async () => {
    expect(await sent(address('<enableAddressing/>'), { body: soap(clients) })).toEqual([
      OTHER,
      [FINAL, 'To', 'http://b/s'],
      [FINAL, 'MessageID', 'urn:1'],
      [FINAL, 'Action', 'urn:do'],
    ]);
  });

  it.each([
    ['without it', '', {}],
    ['with PRESERVE_WS_ADDRESSING', '<enableAddressing/>', { preserve: true }],
    [
      'with disableAddressingForOutMessages',
      '<enableAddressing/>',
      { axis2: { disableAddressingForOutMessages: 'true' } },
    ],
  ])("the client's headers stay %s", async (_, inside, options) => {
    const headers = await sent(address(inside), { ...options, body: soap(clients) });
    expect(headers).toContainEqual([FINAL, 'To', 'http://us/']);
  });

  it('leaves alone what is no SOAP', async () => {
    expect(await sent(address('<enableAddressing/>'), { body: '{"a":1}', contentType: 'application/json' })).toBe(
      '{"a":1}',
    );
    expect(await sent(address('<enableAddressing/>', 'format="pox"'))).toBe('<a/>');
  });

  it('says what is wrong, and what has no effect', () => {
    expect(endpointProblems(address('<enableAddressing/>'))).toEqual([]);
    expect(endpointProblems(address('<enableAddressing version="draft"/>'))).toEqual([
      "error: Unknown value for the addressing version. Possible values for the addressing version are 'final' and 'submission' only.",
    ]);
    expect(endpointProblems(address('<enableAddressing separateListener="true"/>'))).toEqual([
      'warning: separateListener="true" has no effect: answers come over the connection of their request',
    ]);
  });
});
