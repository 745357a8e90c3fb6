import { describe, expect, it } from 'vitest';
import { readPolicy } from '../../src/security/read-policy.ts';
import { type PolicyParts, policyXml, rampart } from './policies.ts';
import { parsed } from './two-sides.ts';

const read = (parts: PolicyParts) => readPolicy(parsed(policyXml(parts)));
const problems = (parts: PolicyParts) => read(parts).problems.map(({ message }) => message);

describe('policies', () => {
  it('asymmetric binding', () => {
    const { policy, problems: none } = read({
      confirmation: true,
      order: 'EncryptBeforeSigning',
      rampart: rampart('a', 'b', 'c.jks'),
    });
    expect(none).toEqual([]);
    expect(policy).toMatchObject({
      binding: {
        kind: 'asymmetric',
        timestamp: true,
        encryptBeforeSigning: true,
        suite: { name: 'Basic256' },
        initiator: { inclusion: 'alwaysToRecipient', reference: 'thumbprint' },
        recipient: { inclusion: 'never' },
      },
      signed: { body: true, allHeaders: false },
      encryptedBody: true,
      signatureConfirmation: true,
      rampart: {
        user: 'a',
        encryptionUser: 'b',
        signatureCrypto: { file: 'c.jks', password: 'password' },
        lifetimeMs: 300_000,
        skewMs: 300_000,
      },
    });
  });

  it('user over TLS, of SecurityPolicy 1.2 and WS-Policy 1.5', () => {
    const text = policyXml({ binding: 'transport', signed: '', encrypted: '', usernameToken: { hash: true } })
      .replaceAll(
        'http://schemas.xmlsoap.org/ws/2005/07/securitypolicy',
        'http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702',
      )
      .replaceAll('http://schemas.xmlsoap.org/ws/2004/09/policy', 'http://www.w3.org/ns/ws-policy');
    const { policy, problems: none } = readPolicy(parsed(text));
    expect(none).toEqual([]);
    expect(policy).toMatchObject({
      binding: { kind: 'transport' },
      usernameToken: { password: 'digest', signed: true, encrypted: false },
    });
  });

  it('an empty SignedParts is everything', () => {
    expect(read({ signed: ' ' }).policy.signed).toEqual({ body: true, allHeaders: true, headers: [] });
  });

  it('NoSecurity demands nothing', () => {
    const text = policyXml().replace('<wsp:Policy ', '<wsp:Policy Id="NoSecurity" ');
    expect(readPolicy(parsed(text)).policy).toMatchObject({ binding: undefined, encryptedBody: false });
  });

  it('the first alternative that can be had is taken', () => {
    const refused = '<wsp:All><sp:EndorsingSupportingTokens/></wsp:All>';
    const text = policyXml().replace('<wsp:ExactlyOne>', `<wsp:ExactlyOne>${refused}`);
    expect(readPolicy(parsed(text))).toMatchObject({ policy: { binding: { kind: 'asymmetric' } }, problems: [] });
    const alone = policyXml().replace(/<wsp:All>.*<\/wsp:All>/s, refused);
    expect(readPolicy(parsed(alone)).problems[0]?.message).toContain('<EndorsingSupportingTokens> is not supported');
  });

  it('roles of WSO2 policies', () => {
    const config = `<sec:CarbonSecConfig xmlns:sec="http://www.wso2.org/products/carbon/security"><sec:Authorization>
      <sec:property name="org.wso2.carbon.security.allowedroles">admin, sys-admin</sec:property></sec:Authorization></sec:CarbonSecConfig>`;
    const text = policyXml().replace(/<\/wsp:Policy>\s*$/, `${config}</wsp:Policy>`);
    expect(readPolicy(parsed(text)).policy.allowedRoles).toEqual(['admin', 'sys-admin']);
  });

  it.each<[string, PolicyParts, string]>([
    ['an unknown suite', { suite: 'Basic512' }, '<Basic512> is not supported'],
    [
      'headers to encrypt',
      { encrypted: '<sp:Header Namespace="urn:x"/>' },
      '<Header> is not supported inside <EncryptedParts>',
    ],
    ['attachments to sign', { signed: '<sp:Attachments/>' }, '<Attachments> is not supported inside <SignedParts>'],
    [
      'elements by XPath',
      { more: '<sp:SignedElements><sp:XPath>//a</sp:XPath></sp:SignedElements>' },
      '<SignedElements> is not supported',
    ],
    [
      'SAML',
      { more: '<sp:SignedSupportingTokens><wsp:Policy><sp:SamlToken/></wsp:Policy></sp:SignedSupportingTokens>' },
      '<SamlToken> is not supported inside <SignedSupportingTokens>',
    ],
    [
      'derived keys of certificates',
      { derivedKeys: true },
      '<AsymmetricBinding> is not supported with <RequireDerivedKeys>',
    ],
    [
      'another kind of token',
      { reference: 'WssX509PkiPathV1Token10' },
      '<X509Token> is not supported: <WssX509PkiPathV1Token10> inside',
    ],
    ['parts without a binding', { binding: 'none' }, 'parts are to be signed or encrypted, and no binding says how'],
  ])('%s is named', (_, parts, message) => {
    expect(problems(parts).join('\n')).toContain(message);
  });

  it('client certificates are not asked for', () => {
    const text = policyXml({ binding: 'transport', signed: '', encrypted: '' }).replace(
      '<sp:HttpsToken/>',
      '<sp:HttpsToken RequireClientCertificate="true"/>',
    );
    expect(readPolicy(parsed(text)).problems[0]?.message).toContain('<HttpsToken> is not supported');
  });

  it('secure conversations are named', () => {
    const text = policyXml({ binding: 'symmetric' }).replaceAll('X509Token', 'SecureConversationToken');
    expect(readPolicy(parsed(text)).problems[0]?.message).toContain('<SecureConversationToken> is not supported');
  });
});
