import { describe, expect, it } from 'vitest';
import { SecurityFailure } from '../../src/security/security-failure.ts';
import { serializeXml } from '../../src/xml/index.ts';
import { type PolicyParts, policyXml, rampart } from './policies.ts';
import { engineWith, entries, envelope, opened, parsed, type Side, secured, twoSides, USERS } from './two-sides.ts';

const BODY = '<m:order xmlns:m="urn:m">IBM</m:order>';
const SIGNED: PolicyParts = { encrypted: '' };

async function failureOf(side: Side, text: string, options: Parameters<typeof opened>[2] = {}): Promise<string> {
  try {
    await opened(side, text, options);
  } catch (error) {
    if (error instanceof SecurityFailure) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'accepted';
}

describe('signature wrapping', () => {
  it('a signed Body elsewhere does not stand for the one that is there', async () => {
    const { alice, bob } = twoSides(SIGNED);
    const { text } = await secured(alice, envelope(BODY));
    const [body = ''] = /<soapenv:Body.*<\/soapenv:Body>/s.exec(text) ?? [];
    const evil = '<soapenv:Body><m:order xmlns:m="urn:m">EVIL</m:order></soapenv:Body>';
    const wrapper = (content: string) => `<x:w xmlns:x="urn:x">${content}</x:w>`;
    const header = text.replace(body, evil).replace('</soapenv:Header>', `${wrapper(body)}</soapenv:Header>`);
    expect(await failureOf(bob, header)).toBe('FailedCheck: the Body is not signed');
    const inSecurity = text.replace(body, evil).replace('</wsse:Security>', `${wrapper(body)}</wsse:Security>`);
    expect(await failureOf(bob, inSecurity)).toContain('UnsupportedSecurityToken');
    const inObject = text
      .replace(body, evil)
      .replace('</ds:Signature>', `<ds:Object>${body}</ds:Object></ds:Signature>`);
    expect(await failureOf(bob, inObject)).toBe('FailedCheck: the Body is not signed');
    const twice = text.replace(body, evil + body);
    expect(await failureOf(bob, twice)).toContain('the envelope is not one Header and one Body');
    const id = /wsu:Id="(id-[^"]+)"/.exec(body)?.[1] ?? '';
    const sameId = text
      .replace(
        body,
        evil.replace(
          '<soapenv:Body>',
          `<soapenv:Body wsu:Id="${id}" xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd">`,
        ),
      )
      .replace('</soapenv:Header>', `${wrapper(body)}</soapenv:Header>`);
    expect(await failureOf(bob, sameId)).toBe('InvalidSecurity: two elements have the same id');
    expect(await failureOf(bob, text)).toBe('accepted');
  });

  it('a signed timestamp elsewhere is no timestamp', async () => {
    const { alice, bob } = twoSides(SIGNED);
    const { text } = await secured(alice, envelope(BODY));
    const [timestamp = ''] = /<wsu:Timestamp.*<\/wsu:Timestamp>/s.exec(text) ?? [];
    const fresh = timestamp.replace(/wsu:Id="[^"]*"/, '');
    const [security = ''] = /<wsse:Security [^>]*>/.exec(text) ?? [];
    const forOthers = `${security.replace('>', ' soapenv:actor="urn:others">')}${timestamp}</wsse:Security>`;
    const moved = text.replace(timestamp, fresh).replace('</soapenv:Header>', `${forOthers}</soapenv:Header>`);
    expect(await failureOf(bob, moved)).toBe('FailedCheck: the timestamp is not signed');
  });

  it('header blocks that must be signed cannot be added', async () => {
    const { alice, bob } = twoSides({ ...SIGNED, signed: '<sp:Body/><sp:Header Namespace="urn:h"/>' });
    const { text } = await secured(alice, envelope(BODY));
    const added = text.replace('</soapenv:Header>', '<h:admin xmlns:h="urn:h"/></soapenv:Header>');
    expect(await failureOf(bob, added)).toContain('FailedCheck: the header block <h:admin> is not signed');
  });
});

describe('replays and time', () => {
  it.each<PolicyParts>([{}, { binding: 'symmetric' }, { timestamp: false }])(
    'a message counts once: %o',
    async (parts) => {
      const { alice, bob } = twoSides(parts);
      const { text } = await secured(alice, envelope(BODY));
      expect(await failureOf(bob, text)).toBe('accepted');
      expect(await failureOf(bob, text)).toBe('InvalidSecurity: the message has come before');
    },
  );

  it('a message that was refused may come again', async () => {
    const { alice, bob } = twoSides(SIGNED);
    const { text } = await secured(alice, envelope(BODY));
    expect(await failureOf(bob, text.replace('IBM', 'EVIL'))).toContain('FailedCheck');
    expect(await failureOf(bob, text)).toBe('accepted');
  });

  it('an expired message, and one from the future', async () => {
    const { alice, bob } = twoSides(SIGNED);
    const { text } = await secured(alice, envelope(BODY));
    const at = (offsetMs: number): Side => ({ ...bob, engine: engineWith(USERS, () => Date.now() + offsetMs) });
    expect(await failureOf(at(601_000), text)).toBe('MessageExpired: the message has expired');
    expect(await failureOf(at(-301_000), text)).toContain('MessageExpired: the message was created in the future');
    expect(await failureOf(at(299_000), text)).toBe('accepted');
  });

  it("one's own message does not come back as the other's", async () => {
    const { alice } = twoSides({});
    const both = policyXml({ rampart: rampart('alice', 'alice', 'alice.jks') });
    const self = { ...alice, policy: both };
    const request = await secured(self, envelope(BODY));
    expect(await failureOf(self, request.text, { request: request.facts })).toContain('has come before');
  });
});

describe('who signs', () => {
  it('nobody unknown', async () => {
    const { alice, bob } = twoSides(SIGNED);
    const stranger = {
      ...bob,
      policy: policyXml({ ...SIGNED, rampart: rampart('bob', 'useReqSigCert', 'stranger.p12') }),
    };
    const { text } = await secured(alice, envelope(BODY));
    const settings = {
      ...USERS,
      keyStores: [
        {
          file: `${import.meta.dirname}/fixtures/bob-alone.p12`,
          password: 'password',
          alias: 'bob',
          keyPassword: undefined,
        },
      ],
    };
    const lonely = { engine: engineWith(settings), policy: policyXml({ ...SIGNED, rampart: '<r:user>bob</r:user>' }) };
    expect(await failureOf(lonely, text)).toContain('FailedAuthentication: a signature');
    await expect(opened(stranger, text)).rejects.toThrow("the key store 'stranger.p12' is not found");
  });

  it('an answer by somebody else than who was asked', async () => {
    const { alice, bob } = twoSides({});
    const request = await secured(alice, envelope(BODY));
    const { facts } = await opened(bob, request.text);
    const impostor = {
      engine: engineWith(),
      policy: policyXml({ rampart: rampart('alice', 'useReqSigCert', 'alice.jks') }),
    };
    const answer = await secured(impostor, envelope('<a/>'), facts);
    expect(await failureOf(alice, answer.text, { request: request.facts })).toContain('signed by somebody else');
  });

  it('an answer with a secret that somebody else made', async () => {
    const { alice, bob } = twoSides({ binding: 'symmetric' });
    const request = await secured(alice, envelope(BODY));
    // A request to Alice: its secret is none that she made.
    const forged = await secured(
      { ...bob, policy: policyXml({ binding: 'symmetric', rampart: rampart('bob', 'alice', 'bob.jks') }) },
      envelope('<a/>'),
    );
    expect(await failureOf(alice, forged.text, { request: request.facts })).toMatch(
      /FailedCheck: the timestamp is not signed/,
    );
  });

  it('an answer to another request', async () => {
    const { alice, bob } = twoSides({ confirmation: true });
    const first = await secured(alice, envelope(BODY));
    const second = await secured(alice, envelope(BODY));
    const answer = await secured(bob, envelope('<a/>'), (await opened(bob, first.text)).facts);
    expect(await failureOf(alice, answer.text, { request: second.facts })).toContain('does not confirm');
    expect(await failureOf(alice, answer.text, { request: first.facts })).toBe('accepted');
  });
});

describe('downgrades', () => {
  it('of what is signed or encrypted', async () => {
    const full = twoSides({}).bob;
    for (const less of [SIGNED, { signed: '' }, { timestamp: false }]) {
      const { text } = await secured(twoSides(less).alice, envelope(BODY));
      expect(await failureOf(full, text)).toMatch(/^(FailedCheck|InvalidSecurity)/);
    }
    expect(await failureOf(full, envelope(BODY))).toBe('InvalidSecurity: the message has no security header');
  });

  it('of algorithms', async () => {
    const strong = twoSides({ suite: 'Basic256GCM' }).bob;
    for (const suite of ['Basic256', 'Basic256Sha256', 'Basic128GCM', 'Basic256Rsa15']) {
      const { text } = await secured(twoSides({ suite }).alice, envelope(BODY));
      expect(await failureOf(strong, text)).toMatch(/^(UnsupportedAlgorithm|FailedCheck)/);
    }
  });

  it('of the binding: a secret is no certificate', async () => {
    const { text } = await secured(twoSides({ binding: 'symmetric' }).alice, envelope(BODY));
    expect(await failureOf(twoSides({}).bob, text)).not.toBe('accepted');
  });

  it('of signatures by shortening them', async () => {
    const { alice, bob } = twoSides({ binding: 'symmetric', encrypted: '' });
    const { text } = await secured(alice, envelope(BODY));
    const short = text.replace(
      /(<ds:SignatureMethod [^>]*)\/>/,
      '$1><ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>',
    );
    expect(short).not.toBe(text);
    expect(await failureOf(bob, short)).toContain('UnsupportedAlgorithm');
  });

  it('of encryption: plain text beside the ciphertext', async () => {
    const { alice, bob } = twoSides({ signed: '' });
    const { text } = await secured(alice, envelope(BODY));
    const beside = text.replace('</soapenv:Body>', '<m:order xmlns:m="urn:m">EVIL</m:order></soapenv:Body>');
    expect(await failureOf(bob, beside)).toBe('FailedCheck: the Body is not encrypted');
  });
});

describe('users', () => {
  const policy: PolicyParts = { binding: 'none', signed: '', encrypted: '', usernameToken: { hash: true } };
  const as = (user: string) => ({
    engine: engineWith(),
    policy: policyXml({ ...policy, rampart: `<r:user>${user}</r:user>` }),
  });
  const roles = `<sec:CarbonSecConfig xmlns:sec="http://www.wso2.org/products/carbon/security"><sec:Authorization><sec:property name="org.wso2.carbon.security.allowedroles">admin</sec:property></sec:Authorization></sec:CarbonSecConfig>`;

  it('passwords may be secrets, and roles are looked at', async () => {
    const service = as('-');
    const { text } = await secured(as('carol'), envelope(BODY));
    expect(await failureOf(service, text)).toBe('accepted');
    const admins = {
      ...service,
      engine: engineWith(),
      policy: service.policy.replace(/<\/wsp:Policy>\s*$/, `${roles}</wsp:Policy>`),
    };
    expect(await failureOf(admins, text)).toContain('FailedAuthentication: the user has none of the roles admin');
    const boss = await secured(as('alice'), envelope(BODY));
    expect(await failureOf(admins, boss.text)).toBe('accepted');
    await expect(secured(as('mallory'), envelope(BODY))).rejects.toThrow(
      "the password of the user 'mallory' is not known",
    );
  });

  it('a wrong password and an unknown user look the same', async () => {
    const { text } = await secured(as('alice'), envelope(BODY));
    const wrong = await failureOf(as('-'), text.replace(/(<wsse:Password [^>]*>)..../, '$1AAAA'));
    const unknown = await failureOf(as('-'), text.replace('>alice<', '>mallory<'));
    expect(wrong).toBe('FailedAuthentication: the user or the password is wrong');
    expect(unknown).toBe(wrong);
  });

  it('plain passwords where digests are wanted, and the other way round', async () => {
    const plain = { ...policy, usernameToken: {} };
    const { text } = await secured(
      { engine: engineWith(), policy: policyXml({ ...plain, rampart: '<r:user>alice</r:user>' }) },
      envelope(BODY),
    );
    expect(await failureOf(as('-'), text)).toContain('not in the form that the policy wants');
  });
});

describe('bounds', () => {
  it('more signatures, keys or encrypted parts than anybody needs are refused', async () => {
    const { alice, bob } = twoSides({});
    const { text } = await secured(alice, envelope(BODY));
    const [key = ''] = /<xenc:EncryptedKey.*<\/xenc:EncryptedKey>/s.exec(text) ?? [];
    const bare = key.replace(/<xenc:ReferenceList.*<\/xenc:ReferenceList>/s, '');
    const copies = Array.from({ length: 9 }, (_, index) => bare.replace(/Id="[^"]*"/, `Id="k${index}"`)).join('');
    expect(await failureOf(bob, text.replace(key, copies + key))).toContain('more than 8 keys');
  });

  it('a header that nobody knows is refused', async () => {
    const { alice, bob } = twoSides(SIGNED);
    const { text } = await secured(alice, envelope(BODY));
    expect(await failureOf(bob, text.replace('</wsse:Security>', '<x:x xmlns:x="urn:x"/></wsse:Security>'))).toContain(
      'UnsupportedSecurityToken',
    );
    expect(
      await failureOf(
        bob,
        text.replace(
          '</soapenv:Header>',
          '<wsse:Security xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"/></soapenv:Header>',
        ),
      ),
    ).toContain('two security headers');
  });
});

it('a policy that cannot be fulfilled secures and opens nothing', async () => {
  const side = { engine: engineWith(), policy: policyXml({ more: '<sp:SignedElements/>' }) };
  await expect(secured(side, envelope(BODY))).rejects.toThrow(
    /cannot be fulfilled: line \d+: the security assertion <SignedElements> is not supported/,
  );
  await expect(engineWith().prepare(entries({}), 'gone')).rejects.toThrow("the security policy 'gone' is not deployed");
  await expect(engineWith().prepare(entries({ p: '<a/>' }), 'p')).rejects.toThrow('its root is no <wsp:Policy>');
  await expect(engineWith().prepare(entries({ p: 'text' }), 'p')).rejects.toThrow('is not XML');
  expect(serializeXml(parsed(envelope(BODY)))).toContain('IBM');
});
