/** The namespaces of secured messages. */
export const NAMESPACES = {
  wsse: 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd',
  wsse11: 'http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd',
  wsu: 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd',
  ds: 'http://www.w3.org/2000/09/xmldsig#',
  xenc: 'http://www.w3.org/2001/04/xmlenc#',
  exclusive: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  wsc: 'http://schemas.xmlsoap.org/ws/2005/02/sc',
  wsc13: 'http://docs.oasis-open.org/ws-sx/ws-secureconversation/200512',
  xmlns: 'http://www.w3.org/2000/xmlns/',
} as const;

const SOAP_SECURITY = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#';
const SOAP_SECURITY_11 = 'http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#';
const USERNAME_PROFILE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#';
const X509_PROFILE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#';

/** The `ValueType`, `EncodingType` and `Type` of tokens and references. */
export const TOKEN_TYPES = {
  base64: `${SOAP_SECURITY}Base64Binary`,
  passwordText: `${USERNAME_PROFILE}PasswordText`,
  passwordDigest: `${USERNAME_PROFILE}PasswordDigest`,
  x509: `${X509_PROFILE}X509v3`,
  subjectKeyIdentifier: `${X509_PROFILE}X509SubjectKeyIdentifier`,
  thumbprint: `${SOAP_SECURITY_11}ThumbprintSHA1`,
  encryptedKey: `${SOAP_SECURITY_11}EncryptedKey`,
  encryptedKeySha1: `${SOAP_SECURITY_11}EncryptedKeySHA1`,
} as const;

/** The algorithms that messages may name; a suite allows some of them. */
export const ALGORITHMS = {
  exclusive: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  exclusiveWithComments: 'http://www.w3.org/2001/10/xml-exc-c14n#WithComments',
  sha1: 'http://www.w3.org/2000/09/xmldsig#sha1',
  sha256: 'http://www.w3.org/2001/04/xmlenc#sha256',
  rsaSha1: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1',
  rsaSha256: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  hmacSha1: 'http://www.w3.org/2000/09/xmldsig#hmac-sha1',
  hmacSha256: 'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256',
  rsaOaep: 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
  rsa15: 'http://www.w3.org/2001/04/xmlenc#rsa-1_5',
  tripleDesCbc: 'http://www.w3.org/2001/04/xmlenc#tripledes-cbc',
  aes128Cbc: 'http://www.w3.org/2001/04/xmlenc#aes128-cbc',
  aes192Cbc: 'http://www.w3.org/2001/04/xmlenc#aes192-cbc',
  aes256Cbc: 'http://www.w3.org/2001/04/xmlenc#aes256-cbc',
  aes128Gcm: 'http://www.w3.org/2009/xmlenc11#aes128-gcm',
  aes192Gcm: 'http://www.w3.org/2009/xmlenc11#aes192-gcm',
  aes256Gcm: 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
} as const;

/** What an EncryptedData stands for. */
export const ENCRYPTED_TYPES = {
  element: 'http://www.w3.org/2001/04/xmlenc#Element',
  content: 'http://www.w3.org/2001/04/xmlenc#Content',
} as const;
