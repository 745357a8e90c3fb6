import { createPrivateKey, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJks } from '../../src/stores/amqp/jks.ts';

/*
 * Key stores as Java's keytool makes them: an EC key and its certificate for localhost and 127.0.0.1, valid until 2126, and trust
 * stores with that certificate. Made for these tests; nothing else trusts them.
 */

export const KEY_STORE_PASSWORD = 'changeit';

const FILES = {
  'key.jks':
    '/u3+7QAAAAIAAAABAAAAAQAEbm9kZQAAAaIAYktTAAAAfzB9MA4GCisGAQQBKgIRAQEFAARrbW0/LJz3CqZNimNjSuZFV1hKpJNR5on4sZkfW9' +
    'nyWUZzvncIZwRzpqUz4jMNvXd2yNw0T1OrcLvNTLWJluo6tbCV/mLdQVG+xQpM8cHWlr14nKSSa6l3VsaDb74ODyGN74Kx3PcF68q199kAAAAB' +
    'AAVYLjUwOQAAAWEwggFdMIIBBKADAgECAgkAgOog9OlwliwwCgYIKoZIzj0EAwIwFDESMBAGA1UEAxMJbG9jYWxob3N0MCAXDTI2MTEyMTIzMT' +
    'I1MVoYDzIxMjYxMDI4MjMxMjUxWjAUMRIwEAYDVQQDEwlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASGzBHSArT3NnvJmJ1f' +
    'MjfC0zbwfgFJHr9Q1ML9SHOdNu8q4fU7LEMY5NczeETsiLtbfrxrnauHmn9gnm8PT4y7oz0wOzAdBgNVHQ4EFgQUIY1wpJcmIp3iy5/1urZttR' +
    'i3cUcwGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMAoGCCqGSM49BAMCA0cAMEQCIAUB5m8Qpd+PcDUqPCKO58ORmBZ7yzYrG6u6aQ0R02Rz' +
    'AiAkQ72SWJ3JmdoanMLjAfR52zs3TL1Tl2j+nwqIBnEQCc6J+pot6VVZq1njmI5fLo/0D6Et',
  'key.p12':
    'MIIEDAIBAzCCA7YGCSqGSIb3DQEHAaCCA6cEggOjMIIDnzCCASYGCSqGSIb3DQEHAaCCARcEggETMIIBDzCCAQsGCyqGSIb3DQEMCgECoIG9MI' +
    'G6MGYGCSqGSIb3DQEFDTBZMDgGCSqGSIb3DQEFDDArBBS100FeUbthl3ALa0cas9YhLXcYKQICJxACASAwDAYIKoZIhvcNAgkFADAdBglghkgB' +
    'ZQMEASoEED6BeeeD8CQRoHcJGcFcKpsEUH3M5E0VEDQDHOxLPSXCPsy9D5uA8JwUs9BmhJ8aXYelLPqqSamjryXn4/Jr8l1HHRr4+FZQ3QsXIU' +
    '65Pdaps0cVRkSVlZ6eaDZUSY5QA/oEMTwwFwYJKoZIhvcNAQkUMQoeCABuAG8AZABlMCEGCSqGSIb3DQEJFTEUBBJUaW1lIDE3OTUzMDI3NzIz' +
    'MTQwggJxBgkqhkiG9w0BBwagggJiMIICXgIBADCCAlcGCSqGSIb3DQEHATBmBgkqhkiG9w0BBQ0wWTA4BgkqhkiG9w0BBQwwKwQU/gmNHcrgta' +
    'KjZi62c8Jh/xaLT5sCAicQAgEgMAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBAk7OKHbI3auKQ6SEqpyti6gIIB4LRtDO+x075oIEZhUlaL' +
    'lbJzUmN+1SDRV1P15kb8my7dkzGYBNHSyk+MLLELmJJ0djdrQw4DHanINp4wETaHtxuHZAt7bJENqD8NLn3sF4CrWJasaahzTTldlBxnxmZDdJ' +
    'wgSxSn14fsX3gMnCLk76Vs69AaeR/3+g2cQSzhhrTQP1Gl8N+WzI5Bc0FngjQbYkFWcFlWEptjQcEq5ztQpRRnwzwOKi41Yfo2hgM32EBijfHA' +
    'iLSkoeSNNQFsgux8atw6pTQkRs+9yKQdY9nJfaY80/7UhYgPr7OggbgBwYPUrs0fVJ5b7hS30Apd0PUYKjOS740nDcflOmuT1sYenANkLwzMHZ' +
    'loDY2sw5nYB3Fh6fCte3p/dNhTBZP7pAsuw2/GzuXKoAE9sb4B6niyAcoMCDX9+Ebn55ZuTuZPtu9JpmgZIHkboZbqr2fbcnZ84WA7tNXcVtHg' +
    '6/XjwPY75lDe9AZyKNhMCb3WtXFSaUYjLHclReEAa4tMxoYr6+MOfI40eG4gtzPLZOJvxWGMJaQq8QoHilgbT15VDNtHOn0rU8sGgtNqxvDHn/' +
    '8MTh+bhfPprCL3o5R9ZAuv9uFaVqgGEHEkShYRAqV1kg20VCtfvc2k6YeCxfr5+4k3V8xHqDBNMDEwDQYJYIZIAWUDBAIBBQAEIJjo50/76iRm' +
    'x+nxr+1bDWF//7Lq0h2eA7RV6cxWlB0PBBTu3GuezYkgOkujwQCIyC3dRxMKpAICJxA=',
  'trust.jks':
    '/u3+7QAAAAIAAAABAAAAAgACY2EAAAGiAGJX3AAFWC41MDkAAAFhMIIBXTCCAQSgAwIBAgIJAIDqIPTpcJYsMAoGCCqGSM49BAMCMBQxEjAQBg' +
    'NVBAMTCWxvY2FsaG9zdDAgFw0yNjExMjEyMzEyNTFaGA8yMTI2MTAyODIzMTI1MVowFDESMBAGA1UEAxMJbG9jYWxob3N0MFkwEwYHKoZIzj0C' +
    'AQYIKoZIzj0DAQcDQgAEhswR0gK09zZ7yZidXzI3wtM28H4BSR6/UNTC/UhznTbvKuH1OyxDGOTXM3hE7Ii7W368a52rh5p/YJ5vD0+Mu6M9MD' +
    'swHQYDVR0OBBYEFCGNcKSXJiKd4suf9bq2bbUYt3FHMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAKBggqhkjOPQQDAgNHADBEAiAFAeZv' +
    'EKXfj3A1KjwijufDkZgWe8s2KxurumkNEdNkcwIgJEO9klidyZnaGpzC4wH0eds7N0y9U5do/p8KiAZxEAk1OYp/MGucq/Rj6k9V9cpz1Z+KwQ' +
    '==',
  'trust.p12':
    'MIIC0gIBAzCCAnwGCSqGSIb3DQEHAaCCAm0EggJpMIICZTCCAmEGCSqGSIb3DQEHBqCCAlIwggJOAgEAMIICRwYJKoZIhvcNAQcBMGYGCSqGSI' +
    'b3DQEFDTBZMDgGCSqGSIb3DQEFDDArBBRtnAABDAq/x9C03/CK5BcRDDRcmwICJxACASAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEJOh' +
    '9PFhLLtfqJx7Z/+Mjz6AggHQKpqpNUTQfBSLvVc6o9Ql7xdEQ9kp8srdnHE/rllKMIshZ58x9L0mRpyhm5xkjMJLbPDdbvIyuMcCTY5EGlRtXz' +
    'WYjgrD97Us2SaXmeUDq14GYqfKCW2oV/wyDY1ApSTbiGK+DLiIuVAzZ6GQ5cY7HpGsAuxqUFWwSDH1s2604w5tbmewsFv2IvDfyj3ld/4igfj/' +
    '9v93BvOlIHryaAnq9xji2fDosJmC/S8yoN3KW4w7foLkc2aaX5smuDZrgz8wQ10LZGgijyVdbZKIatfOmagxnxD1KTJW4axmV+XvQUqNJDtqui' +
    'X7hM8QXKwMIAzg6EsD4nyFXYAveDkiwyLOUPzag1z5Sy00wp9oYtlpg+5p626JDsc+xAlS5S2PAIjjo5Y8g3QQ9/NW6Dq0CwQrWjjTsQbx3+lW' +
    'sLAj9LHmloQ/Vn8+vh5itgDijCutqsNzTIcgE3tGfE89HOc0ZLO35VMzhogdwyOxjEnh5ImW2GTONytaddHG/ijraLWwQNgz2ctnlKQA/CGO/W' +
    'y5XsNvpsDmP0V7Ua7+PHoqeV/Gr2qd+E6Sow3nQiMAF1CnP9vkcjBQprVqCDk0EV6UkUntuJko+1/SgewsbKNPe0g69JQwTTAxMA0GCWCGSAFl' +
    'AwQCAQUABCDy3X+XnKeZ4XJLiO9QGyr1WWx/PT+IMN00XAFZOfViPwQU3YsLMQAn/yR3QqXx3IkLHWIZcWcCAicQ',
} as const;

export type KeyStoreFile = keyof typeof FILES;

/** The bytes of a key store. */
export function keyStoreBytes(file: KeyStoreFile): Buffer {
  return Buffer.from(FILES[file], 'base64');
}

/** Writes the key stores into a folder. @returns where a file is */
export function writeKeyStores(folder: string): (file: KeyStoreFile) => string {
  for (const file of Object.keys(FILES) as KeyStoreFile[]) writeFileSync(join(folder, file), keyStoreBytes(file));
  return (file) => join(folder, file);
}

/** The key and the certificate, PEM, as a server takes them. */
export function keyPair(): { key: string; certificate: string } {
  const [entry] = readJks(keyStoreBytes('key.jks'), KEY_STORE_PASSWORD).keys;
  const [certificate] = entry?.chain ?? [];
  if (!entry || !certificate) throw new Error('key.jks has no key');
  const key = createPrivateKey({ key: Buffer.from(entry.key), format: 'der', type: 'pkcs8' });
  return {
    key: String(key.export({ type: 'pkcs8', format: 'pem' })),
    certificate: new X509Certificate(certificate).toString(),
  };
}
