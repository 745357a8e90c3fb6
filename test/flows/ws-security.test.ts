import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PolicyParts, policyXml, rampart } from '../security/policies.ts';
import { type RecordingForwarder, recordingForwarder } from '../security/recording-forwarder.ts';
import { CORPUS } from '../support/corpus-table.ts';
import { echoBackEnd } from '../support/echo-back-end.ts';
import { call, envelope, soap12 } from '../support/http-call.ts';
import { type InProcess, inOnly, proxy, serve } from '../support/in-process.ts';

const FIXTURES = fileURLToPath(new URL('../security/fixtures/', import.meta.url));
const USERS = `[[mini_synapse.security.user]]
name = "alice"
password = "secret of alice"
roles = "admin"
`;

/** Every kind of policy has a proxy on the secured server and one in front that calls it. */
const KINDS: Readonly<Record<string, PolicyParts>> = {
  SignEncrypt: { confirmation: true },
  Symmetric: { binding: 'symmetric', derivedKeys: true },
  User: { binding: 'none', signed: '', encrypted: '', usernameToken: { hash: true } },
};
const UT_OVER_TLS = policyXml({
  binding: 'transport',
  signed: '',
  encrypted: '',
  usernameToken: {},
  rampart: '<r:user>alice</r:user>',
});
const ANSWER =
  '<payloadFactory media-type="xml"><format><a:answer xmlns:a="urn:a">$1</a:answer></format><args><arg evaluator="xml" expression="//*[local-name()=\'symbol\']"/></args></payloadFactory>';
const BODY = '<m:order xmlns:m="urn:m"><m:symbol>IBM</m:symbol></m:order>';

const entry = (key: string, policy: string) => `<localEntry key="${key}">${policy}</localEntry>`;
const enabled = (key: string) => `<enableSec/><policy key="${key}"/>`;
const FAULTS =
  '<faultSequence><property name="HTTP_SC" value="599" scope="axis2"/><property name="X-Message" expression="get-property(\'ERROR_MESSAGE\')" scope="transport"/><respond/></faultSequence>';

let back: InProcess;
let front: InProcess;
let wire: RecordingForwarder;

function backArtifacts(): Record<string, string> {
  const artifacts: Record<string, string> = {};
  for (const [kind, parts] of Object.entries(KINDS)) {
    artifacts[`policy${kind}`] = entry(
      `policy${kind}`,
      policyXml({ ...parts, rampart: rampart('bob', 'useReqSigCert', `${FIXTURES}bob.jks`) }),
    );
    const in_ = `<inSequence><log level="full"/>${ANSWER}<respond/></inSequence>`;
    artifacts[kind] = proxy(kind, in_, '', enabled(`policy${kind}`));
  }
  artifacts.policyTls = entry('policyTls', UT_OVER_TLS);
  artifacts.Tls = proxy('Tls', `<inSequence>${ANSWER}<respond/></inSequence>`, '', enabled('policyTls'));
  artifacts.Missing = proxy('Missing', '<inSequence><respond/></inSequence>', '', enabled('conf:/nowhere.xml'));
  return artifacts;
}

function frontArtifacts(): Record<string, string> {
  const artifacts: Record<string, string> = {};
  for (const [kind, parts] of Object.entries(KINDS)) {
    artifacts[`policy${kind}`] = entry(
      `policy${kind}`,
      policyXml({ ...parts, rampart: rampart('alice', 'bob', `${FIXTURES}alice.jks`) }),
    );
    const endpoint = (settings: string) =>
      `<endpoint><address uri="${wire.url}/services/${kind}" format="soap11">${settings}</address></endpoint>`;
    const secured = endpoint(`<enableSec policy="policy${kind}"/>`);
    artifacts[kind] = proxy(
      kind,
      `<inSequence><send>${secured}</send></inSequence><outSequence><respond/></outSequence>${FAULTS}`,
    );
    artifacts[`Blocking${kind}`] = inOnly(
      `Blocking${kind}`,
      `<call blocking="true">${secured}</call><respond/>`,
      FAULTS,
    );
    artifacts[`Plain${kind}`] = inOnly(`Plain${kind}`, `<call>${endpoint('')}</call><respond/>`, FAULTS);
  }
  artifacts.Callout = inOnly(
    'Callout',
    `<callout serviceURL="${wire.url}/services/SignEncrypt" action="urn:order"><source xpath="$body/*"/><target xpath="$body/*"/><enableSec policy="policySignEncrypt"/></callout><respond/>`,
    FAULTS,
  );
  artifacts.policyTls = entry('policyTls', UT_OVER_TLS);
  const tls = (address: string) =>
    `<endpoint><address uri="${address}/services/Tls" format="soap11"><enableSec policy="policyTls"/></address></endpoint>`;
  artifacts.PlainTls = inOnly('PlainTls', `<call>${tls(wire.url)}</call><respond/>`, FAULTS);
  return artifacts;
}

beforeAll(async () => {
  back = await serve(backArtifacts(), USERS);
  wire = await recordingForwarder(`http://127.0.0.1:${back.server.httpPort}`);
  front = await serve(frontArtifacts(), USERS);
}, 120_000);
afterAll(async () => {
  await front?.stop();
  await back?.stop();
  await wire?.close();
});
afterEach(() => {
  wire.change = {};
});

/** An envelope as it is. */
const post = (url: string, body: string) =>
  call(url, { headers: { 'Content-Type': 'text/xml; charset=UTF-8', SOAPAction: '"urn:order"' }, body });
const ask = (name: string) => post(front.service(name), envelope(BODY));

describe('an endpoint and a proxy that secure their messages', () => {
  it.each(Object.keys(KINDS))('%s: request and answer arrive, over send and blocking call', async (kind) => {
    for (const name of [kind, `Blocking${kind}`]) {
      const reply = await ask(name);
      expect(reply.text).toContain('IBM</a:answer>');
      expect(reply.text).not.toContain('wsse:Security');
      expect(reply.status).toBe(200);
    }
  });

  it('nothing can be read on the wire where the Body is encrypted', async () => {
    await ask('SignEncrypt');
    const sent = wire.requests.at(-1) ?? '';
    const answered = wire.responses.at(-1) ?? '';
    expect(sent).toContain('EncryptedData');
    expect(answered).toContain('SignatureConfirmation');
    for (const text of [sent, answered]) expect(text).not.toContain('IBM');
  });

  it('callout secures its message', async () => {
    const reply = await ask('Callout');
    expect(reply.text).toContain('IBM</a:answer>');
    expect(wire.requests.at(-1)).toContain('EncryptedData');
  });

  it('answers SOAP 1.2 in SOAP 1.2', async () => {
    const reply = await soap12(back.service('User'), BODY);
    expect(reply.status).toBe(500);
    expect(reply.text).toContain('http://www.w3.org/2003/05/soap-envelope');
    expect(reply.text).toContain('wsse:InvalidSecurity');
  });
});

describe('a proxy refuses, with a fault of WS-Security and without mediating', () => {
  const mediated = () => back.lines().filter((line) => line.includes('Envelope:')).length;

  async function refused(kind: string, body: string, code: string) {
    const before = mediated();
    expect(before).toBeGreaterThan(0);
    const reply = await post(back.service(kind), body);
    expect(reply.text).toContain(`<faultcode>${code}</faultcode>`);
    expect(reply.status).toBe(500);
    expect(mediated()).toBe(before);
  }

  it('what is not secured', async () => {
    await refused('SignEncrypt', envelope(BODY), 'wsse:InvalidSecurity');
    await refused('User', envelope(BODY), 'wsse:InvalidSecurity');
  });

  it.each(Object.keys(KINDS))('%s: a replay', async (kind) => {
    await ask(kind);
    await refused(kind, wire.requests.at(-1) ?? '', 'wsse:InvalidSecurity');
  });

  it('a changed message', async () => {
    wire.change = { request: (text) => text.replace(/<xenc:CipherValue>(.{80})./g, '<xenc:CipherValue>$1A') };
    const reply = await ask('SignEncrypt');
    expect(wire.responses.at(-1)).toContain('wsse:FailedCheck');
    expect(reply.status).toBe(599);
    expect(reply.headers['x-message']).toContain('The signature or decryption was invalid');
  });

  it('a wrong password', async () => {
    wire.change = { request: (text) => text.replace(/(<wsse:Password[^>]*>)[^<]*/, '$1AAAA') };
    await ask('User');
    expect(wire.responses.at(-1)).toContain('wsse:FailedAuthentication');
  });

  it('a Body that was moved away under its signature', async () => {
    wire.change = {
      request: (text) => {
        const [body = ''] = /<e:Body.*<\/e:Body>/s.exec(text) ?? [];
        const moved = `<x:wrapper xmlns:x="urn:x">${body}</x:wrapper></e:Header>`;
        return text.replace(body, `<e:Body>${BODY.replace('IBM', 'EVIL')}</e:Body>`).replace('</e:Header>', moved);
      },
    };
    const reply = await ask('Symmetric');
    expect(wire.responses.at(-1)).toMatch(/wsse:(FailedCheck|InvalidSecurity)/);
    expect(reply.text).not.toContain('EVIL');
    expect(reply.status).toBe(599);
  });

  it('a service whose policy is not there refuses everything', async () => {
    const reply = await post(back.service('Missing'), envelope(BODY));
    expect(reply.status).toBe(500);
    expect(reply.text).toContain('not set up completely');
    expect(reply.text).not.toContain('nowhere');
    expect(back.lines().join('\n')).toContain("the security policy 'conf:/nowhere.xml' is not deployed");
  });
});

describe('an endpoint refuses', () => {
  it('an answer that is not secured', async () => {
    wire.change = { response: () => envelope('<a:answer xmlns:a="urn:a">FORGED</a:answer>') };
    for (const kind of Object.keys(KINDS).filter((name) => name !== 'User')) {
      const reply = await ask(kind);
      expect(reply.status).toBe(599);
      expect(reply.text).not.toContain('FORGED');
      expect(reply.headers['x-message']).toContain('not secured as its policy demands');
    }
  });

  it('its own request as the answer, and the answer to another request', async () => {
    wire.change = { response: () => wire.requests.at(-1) ?? '' };
    expect((await ask('SignEncrypt')).status).toBe(599);
    wire.change = {};
    await ask('SignEncrypt');
    const earlier = wire.responses.at(-1) ?? '';
    wire.change = { response: () => earlier };
    expect((await ask('SignEncrypt')).status).toBe(599);
    expect((await ask('Symmetric')).status).toBe(599);
  });

  it('to send a password without TLS where the policy wants it', async () => {
    const before = wire.requests.length;
    const reply = await ask('PlainTls');
    expect(reply.status).toBe(599);
    expect(reply.headers['x-message']).toContain('the policy wants HTTPS');
    expect(wire.requests.length).toBe(before);
  });
});

describe('UsernameToken over TLS', () => {
  const token = (password: string, age = 0) =>
    `<o:Security xmlns:o="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd" xmlns:u="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd">${timestamp(age)}<o:UsernameToken><o:Username>alice</o:Username><o:Password>${password}</o:Password></o:UsernameToken></o:Security>`;
  const timestamp = (age: number) =>
    `<u:Timestamp><u:Created>${new Date(Date.now() - age).toISOString()}</u:Created><u:Expires>${new Date(Date.now() - age + 60_000).toISOString()}</u:Expires></u:Timestamp>`;
  const withHeader = (header: string) => envelope(BODY).replace('<e:Body>', `<e:Header>${header}</e:Header><e:Body>`);

  it('lets in who has the password, over HTTPS only, in time', async () => {
    const right = withHeader(token('secret of alice'));
    expect((await post(back.service('Tls', 'https'), right)).text).toContain('IBM');
    expect((await post(back.service('Tls'), right)).text).toContain('wsse:InvalidSecurity');
    const wrong = await post(back.service('Tls', 'https'), withHeader(token('guess')));
    expect(wrong.text).toContain('wsse:FailedAuthentication');
    const late = withHeader(token('secret of alice', 3_600_000));
    expect((await post(back.service('Tls', 'https'), late)).text).toContain('wsu:MessageExpired');
    for (const server of [back, front]) expect(server.lines().join('\n')).not.toContain('secret of alice');
  });
});

/** Where the samples look for it; our own, of the same kind. */
const POLICY_FILE = 'repository/conf/sample/resources/policy/policy_3';

describe.skipIf(CORPUS === undefined)('the samples as they are, but for the ports', () => {
  async function served(file: string, addresses: Record<string, string>, user: string, partner: string) {
    const policy = policyXml({ rampart: rampart(user, partner, `${FIXTURES}${user}.jks`) });
    let xml = readFileSync(join(CORPUS ?? '', 'definitions', `${file}.xml`), 'utf8');
    for (const [service, address] of Object.entries(addresses))
      xml = xml.replace(`http://localhost:9000/services/${service}`, address);
    return serve({ sample: xml, [POLICY_FILE]: policy }, USERS);
  }

  it('100 secures what it sends, 200 opens it and secures the answer', async () => {
    const echo = await echoBackEnd();
    const plain = `${echo.url}/services/SimpleStockQuoteService`;
    const service = await served(
      'synapse_sample_200-82075a',
      { SimpleStockQuoteService: plain },
      'bob',
      'useReqSigCert',
    );
    const secured = service.service('StockQuoteProxy');
    const client = await served('synapse_sample_100-e856d2', { SecureStockQuoteService: secured }, 'alice', 'bob');
    try {
      const reply = await post(client.url('/'), envelope(BODY));
      expect(reply.text).toContain('IBM');
      expect(reply.text).not.toContain('Security');
      expect(reply.status).toBe(200);
      expect((await post(secured, envelope(BODY))).text).toContain('wsse:InvalidSecurity');
    } finally {
      await client.stop();
      await service.stop();
      await echo.close();
    }
  });
});
