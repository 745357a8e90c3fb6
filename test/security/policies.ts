/** Policies of the kinds that artifacts name, from their parts. */
export interface PolicyParts {
  readonly binding?: 'asymmetric' | 'symmetric' | 'transport' | 'none';
  readonly suite?: string;
  readonly timestamp?: boolean;
  readonly order?: 'SignBeforeEncrypting' | 'EncryptBeforeSigning';
  readonly encryptSignature?: boolean;
  readonly protectTokens?: boolean;
  readonly derivedKeys?: boolean;
  readonly inclusion?: string;
  readonly reference?: string;
  readonly signed?: string;
  readonly encrypted?: string;
  readonly confirmation?: boolean;
  readonly usernameToken?: { readonly holder?: string; readonly hash?: boolean };
  /** Children of RampartConfig. */
  readonly rampart?: string;
  readonly more?: string;
}

const WSP = 'http://schemas.xmlsoap.org/ws/2004/09/policy';
const SP = 'http://schemas.xmlsoap.org/ws/2005/07/securitypolicy';

export function policyXml(parts: PolicyParts = {}): string {
  const { signed = '<sp:Body/>', encrypted = '<sp:Body/>', confirmation = false, usernameToken, rampart } = parts;
  const wss11 = `<sp:MustSupportRefThumbprint/>${confirmation ? '<sp:RequireSignatureConfirmation/>' : ''}`;
  const hash = usernameToken?.hash ? '<wsp:Policy><sp:HashPassword/></wsp:Policy>' : '';
  const holder = usernameToken?.holder ?? 'SignedSupportingTokens';
  const token = usernameToken
    ? `<sp:${holder}><wsp:Policy><sp:UsernameToken>${hash}</sp:UsernameToken></wsp:Policy></sp:${holder}>`
    : '';
  return `<wsp:Policy xmlns:wsp="${WSP}" xmlns:sp="${SP}">
  <wsp:ExactlyOne><wsp:All>
    ${binding(parts)}
    <sp:Wss11><wsp:Policy>${wss11}</wsp:Policy></sp:Wss11>
    ${token}
    ${signed && `<sp:SignedParts>${signed}</sp:SignedParts>`}
    ${encrypted && `<sp:EncryptedParts>${encrypted}</sp:EncryptedParts>`}
    ${parts.more ?? ''}
    ${rampart === undefined ? '' : `<r:RampartConfig xmlns:r="http://ws.apache.org/rampart/policy">${rampart}</r:RampartConfig>`}
  </wsp:All></wsp:ExactlyOne>
</wsp:Policy>`;
}

function binding(parts: PolicyParts): string {
  const { suite = 'Basic256', timestamp = true, order, encryptSignature, protectTokens } = parts;
  const common = `<sp:AlgorithmSuite><wsp:Policy><sp:${suite}/></wsp:Policy></sp:AlgorithmSuite>
      <sp:Layout><wsp:Policy><sp:Strict/></wsp:Policy></sp:Layout>
      ${timestamp ? '<sp:IncludeTimestamp/>' : ''}${order ? `<sp:${order}/>` : ''}
      ${encryptSignature ? '<sp:EncryptSignature/>' : ''}${protectTokens ? '<sp:ProtectTokens/>' : ''}`;
  const wrapped = (name: string, content: string) => `<sp:${name}><wsp:Policy>${content}</wsp:Policy></sp:${name}>`;
  switch (parts.binding ?? 'asymmetric') {
    case 'asymmetric': {
      const initiator = wrapped('InitiatorToken', x509(parts, parts.inclusion ?? 'AlwaysToRecipient'));
      const recipient = wrapped('RecipientToken', x509(parts, 'Never'));
      return wrapped('AsymmetricBinding', `${initiator}${recipient}${common}`);
    }
    case 'symmetric':
      return wrapped('SymmetricBinding', `${wrapped('ProtectionToken', x509(parts, 'Never'))}${common}`);
    case 'transport':
      return wrapped('TransportBinding', `${wrapped('TransportToken', '<sp:HttpsToken/>')}${common}`);
    default:
      return '';
  }
}

function x509({ reference, derivedKeys }: PolicyParts, inclusion: string): string {
  const nested = `${derivedKeys ? '<sp:RequireDerivedKeys/>' : ''}${reference ? `<sp:${reference}/>` : ''}<sp:WssX509V3Token10/>`;
  return `<sp:X509Token sp:IncludeToken="${SP}/IncludeToken/${inclusion}"><wsp:Policy>${nested}</wsp:Policy></sp:X509Token>`;
}

/** The RampartConfig of somebody with a key store in a file, for a partner. */
export function rampart(user: string, partner: string, file: string, more = ''): string {
  const prefix = 'org.apache.ws.security.crypto.merlin';
  const crypto = `<r:crypto provider="org.apache.ws.security.components.crypto.Merlin">
    <r:property name="${prefix}.keystore.type">JKS</r:property>
    <r:property name="${prefix}.file">${file}</r:property>
    <r:property name="${prefix}.keystore.password">password</r:property></r:crypto>`;
  return `<r:user>${user}</r:user><r:encryptionUser>${partner}</r:encryptionUser>${more}
    <r:signatureCrypto>${crypto}</r:signatureCrypto><r:encryptionCrypto>${crypto}</r:encryptionCrypto>`;
}
