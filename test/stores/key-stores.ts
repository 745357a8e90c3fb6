import { createPrivateKey, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJks } from '../../src/stores/amqp/jks.ts';

/*
 * Key stores as Java's keytool makes them: an EC key with its certificate (localhost and 127.0.0.1, until 2126), and trust stores
 * with that of the authority that signed it. Made for these tests; nothing else trusts them.
 */

export const KEY_STORE_PASSWORD = 'changeit';

const FILES = {
  'key.jks':
    '/u3+7QAAAAIAAAABAAAAAQAEbm9kZQAAAaIAZ0nYAAAAfzB9MA4GCisGAQQBKgIRAQEFAARrQ8XL1tJubgPoNg+mP3SERjn4zftFKQQCCbsmyF' +
    'DOkVXWWGm4Uzi0W/9mUpWx6zQxD0pxye3U37zJd89HjQ5yT+7cveK+7lcNOhhIxJSyfFAJqD5T9DIHrYdBJq4QJvdC/Egqfmkp4nP4f/EAAAAC' +
    'AAVYLjUwOQAAAakwggGlMIIBTKADAgECAghQG7Jz6zZs/TAKBggqhkjOPQQDAjAdMRswGQYDVQQDExJtaW5pLXN5bmFwc2UgdGVzdHMwIBcNMj' +
    'YxMTIxMjMxODE2WhgPMjEyNjEwMjgyMzE4MTZaMBQxEjAQBgNVBAMTCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABIvm44q7' +
    '0jRZJKtW20WI21drmgGBuj1jCMo4/MwR8+2vD5DdA49cCobvAwRotBn3l6uQEhLqv4G3iT+NMXFktmOjfTB7MB0GA1UdDgQWBBTS4gc+ZAAGWS' +
    'dCpoR8VuUVcE5z5jAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwHwYDVR0jBBgwFoAUdvYnUX2Wif3K1FIbwbi1dFyn9YMwHQYDVR0lBBYw' +
    'FAYIKwYBBQUHAwEGCCsGAQUFBwMCMAoGCCqGSM49BAMCA0cAMEQCIC6pCGsKVmHjhR9PgYG8X7Gjjfcqohy3/gl191GTW9bYAiB3/QEkKX9XzT' +
    'bJLqf/r2+frp6CVJe4tnhGQ5o3IhEPzQAFWC41MDkAAAF5MIIBdTCCARqgAwIBAgIINeNRSUvx340wCgYIKoZIzj0EAwIwHTEbMBkGA1UEAxMS' +
    'bWluaS1zeW5hcHNlIHRlc3RzMCAXDTI2MTEyMTIzMTgxM1oYDzIxMjYxMDI4MjMxODEzWjAdMRswGQYDVQQDExJtaW5pLXN5bmFwc2UgdGVzdH' +
    'MwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR2TDmrbsUxko14oBEhLYHFO/xmVlyJ5Y9NdbTzVbbly4MuhvNV1EWIXdH/jBELwRpcKEXdnoIO' +
    'hbZOrXMItzico0IwQDAdBgNVHQ4EFgQUdvYnUX2Wif3K1FIbwbi1dFyn9YMwDgYDVR0PAQH/BAQDAgIEMA8GA1UdEwEB/wQFMAMBAf8wCgYIKo' +
    'ZIzj0EAwIDSQAwRgIhAPAh5rbeAPZEnUpTZ/4kCK2UIfhhRj6mhxScyS0Iek8BAiEAuTvSqGDaVFLPxDpDzzP9L/olk0NcJGOQvqI4hFM0vlq2' +
    'iE2KrLCREAqh3aMrvSnqyqmn1Q==',
  'key.p12':
    'MIIGLAIBAzCCBdYGCSqGSIb3DQEHAaCCBccEggXDMIIFvzCCASYGCSqGSIb3DQEHAaCCARcEggETMIIBDzCCAQsGCyqGSIb3DQEMCgECoIG9MI' +
    'G6MGYGCSqGSIb3DQEFDTBZMDgGCSqGSIb3DQEFDDArBBTMFtwNUnWTAIBv8RLJlZRqlliMIgICJxACASAwDAYIKoZIhvcNAgkFADAdBglghkgB' +
    'ZQMEASoEEFGEPiLxxCzLAtx8J3bS4t4EUEAydMkwgXJiL6NdF/1TNhrCbXwKUhD8s08h+Y838mag9xdGlbjH6F0sgup2smPMcz9bGdcVxbxDyv' +
    'IcdZWTVd2TvcGaB9fgdX6lvGSX1eOkMTwwFwYJKoZIhvcNAQkUMQoeCABuAG8AZABlMCEGCSqGSIb3DQEJFTEUBBJUaW1lIDE3OTUzMDMxMDAx' +
    'NDUwggSRBgkqhkiG9w0BBwagggSCMIIEfgIBADCCBHcGCSqGSIb3DQEHATBmBgkqhkiG9w0BBQ0wWTA4BgkqhkiG9w0BBQwwKwQU7ySRGqcX8Q' +
    'mjT4CSjgd13MAyAz8CAicQAgEgMAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBCFTkTCztGjXvntDb0U2HZqgIIEAIRGHlZ34cFv/o5wbHMZ' +
    '7TuH5TQC3WBypn7RllFVjNxpzkQ3qWUb3LjZj3UC8Gxv6hNFX2A/m2AMr1kVosYg8kK3s8x4jAqMNe0JQE7DntnVoRAeucj22VxXxjal7kPMu3' +
    '2zCM6IOMW3Rg4wkbo3dA9xmbEnn025AOigvsnIWQjk6SiHD80JUtxJgUls8TTZNNDFGDaw2fWfYovimEd2WFtHlt4Y/YdicZ8C0l8IQ/CzC9nS' +
    'uI8kY6XRsWgrF0DxCGLAUp/KPEztvlRNpGfoVMJ6QiupW8LETc+/8GnkFsqroHRJPIwjghbfaSEduGM3lrC5ZrVixkaMLBjTWpNbnacpVhtptq' +
    'oycl4H5eusb0St7vFZyamxxVSI3fpkqUQveVKALwtc6UBcy4sqxbqE0M3UjW2VOH4UGfbBDvH4qM+ScyoUKzpXQjjWK+uJooDAIUljyIx5FbKo' +
    'JbsFN+lkdwHF2bqsrajHISy7dyJYa3dgJJlQ7MVdEvTV22PY0bMyUGF8fjGFXOrihdoQfBR529DDgUCHJT+mK20Gv0yVDGSEV7mR0y2L3CekTE' +
    'CsCdmya+l7THc+OIvAfb8AN//CUEvR1aLLWSaK2VDpAfRK/UaYHEm2fg2QpCdKQ52xcu1/c6LKcrB5kFVUJLl7eoLXEjXSWS+f0QKCHJNrONvu' +
    'tKlvMGmlLGwsZ7gzGCqMecxlKFCSgAr39JWljVHjr9ppgnMAg7Tw8h3LhG+7QiTD9W/Jx0f8CzNQfkZtkxKKzfb/QGjg2Cc+1wBPVgni9UbRvc' +
    '1D5lu2IjznpqLMSXfSPoZselpVZIa5J9mcg/ZbYryBQa6esQUBVVbPQRkCUeznREvgjSJZzNQuQ1OVR/Wf6u1TRmyEvfMoxDNIAsV18wlGhIvs' +
    'hzPPl/8tciBzTXgbyBe/ADRiLk9J/Knxet8TJEu1+cJQMX3hSPltkO247ENAIeTsLSmd84Rx5fk5eSaYs52J8t37zbxE46hBAMQIGCOMEFww/a' +
    'EBU1e8RtDIADe/lXWIVGC/3D2U1G1IqT8PXAjGCuU7bzLNc3kxqfOAHS+4aQ15abWyxQrT3FPuuaLsRmEpW5VDlHykLr1oKdIBpHkM2Y77aTv3' +
    're2IM4hYaHHsKWqw3PvM5BwNc+cjTcTvM9g4WA7rI6WC6fskMQ0qF6tYPBxTkJg38XWSRoGIf2sQQaZPbRfM6g5qSfq0NPIi1YW8qgCSLKF3gu' +
    'EI5LOTLh/IW+7Mq6T4hZnwwRVtfYJYpBGHuw9hSV91eOChWn6LZ0IzRubGD5kbevURgIyEWfAbJmaT+77ScGDRCZ9mo/ojRwtLNopa6JG4zhU1' +
    'U6S0TI8C1+v17mZX34dWV4P5wFIwTTAxMA0GCWCGSAFlAwQCAQUABCB+st6orZ12lF97oRnmN1DWvtnKfzO+wP04W7sC+MqPVAQUh+tmqIWaw6' +
    '/Q69bOpaecJVeVqNYCAicQ',
  'trust.jks':
    '/u3+7QAAAAIAAAABAAAAAgACY2EAAAGiAGdUHQAFWC41MDkAAAF5MIIBdTCCARqgAwIBAgIINeNRSUvx340wCgYIKoZIzj0EAwIwHTEbMBkGA1' +
    'UEAxMSbWluaS1zeW5hcHNlIHRlc3RzMCAXDTI2MTEyMTIzMTgxM1oYDzIxMjYxMDI4MjMxODEzWjAdMRswGQYDVQQDExJtaW5pLXN5bmFwc2Ug' +
    'dGVzdHMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR2TDmrbsUxko14oBEhLYHFO/xmVlyJ5Y9NdbTzVbbly4MuhvNV1EWIXdH/jBELwRpcKE' +
    'XdnoIOhbZOrXMItzico0IwQDAdBgNVHQ4EFgQUdvYnUX2Wif3K1FIbwbi1dFyn9YMwDgYDVR0PAQH/BAQDAgIEMA8GA1UdEwEB/wQFMAMBAf8w' +
    'CgYIKoZIzj0EAwIDSQAwRgIhAPAh5rbeAPZEnUpTZ/4kCK2UIfhhRj6mhxScyS0Iek8BAiEAuTvSqGDaVFLPxDpDzzP9L/olk0NcJGOQvqI4hF' +
    'M0vlr8lRdg+IcFYmqzXCP8xE1HK/rocA==',
  'trust.p12':
    'MIIC4gIBAzCCAowGCSqGSIb3DQEHAaCCAn0EggJ5MIICdTCCAnEGCSqGSIb3DQEHBqCCAmIwggJeAgEAMIICVwYJKoZIhvcNAQcBMGYGCSqGSI' +
    'b3DQEFDTBZMDgGCSqGSIb3DQEFDDArBBSg8zupqDUXK5f5O5IP3f2ugk1dYAICJxACASAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEC/S' +
    'RfxDsurUdR8loPIsFm6AggHg+hcqBZuDlgb/ixkqzRFb5vITeuWIorfPb04QDqlc1kHK4CtzGoKm/eN1RGcCDvJaUaYf8BG98EtiNl4mLdxTU6' +
    'XkLXMzRa6aXU+Tk/FhNNq6eLJ9JdueygykCQOhz8Z1HFM53M/LirD/TpvrmM5/pSCpRkxfe4E8KpA4ifn6DJc1bXhEMDlF8X/7+CpIaZAJBQ/+' +
    'klwnRVCad22O/kAL6m5PUOQTORVsMfvPfHFesBMREcK7H3K0KGI0w6U6hvyz31cq7isdj9h73g5y0XzLZ48M+mJn2jDfI+NmLIJLfwAxu46Bzx' +
    'm8dubTI1LkMlr5UXqy1DUyV/vNnsSwO7mz6BqbmgjgQg710FRciPsHZqPm6kiMSeISCPblsRAkQugK9vZ/uGUYSTD0Tn2pNCa19rf93ayeZTVP' +
    'G6rofpmy5EkL0HFe+/J3RoGdPa+SZmm3So7Td/Np4ztfuhwVRjgu/Oh8ty5nkVEi50y6+bci//7Gt7FSCwttor6wepxcgNF/kZy7SKQqchQ4v1' +
    'kwevNRfxIpWsZUjQPyRIX8l3mNaH7Qo7cGrNhMRGqHvHtyMeZKjRhQBWXXdq8M4VU2jnu/e8PGjvStXDqGVWIx1n84EL9lgwXXMWAA2f+M5fVs' +
    'JlowME0wMTANBglghkgBZQMEAgEFAAQg/UtDbKFeEfRf9ug7qvXu0SYXNsRzKSwUyiGszPWTBbgEFMmW6U2FEypxn/w1dXExZRUgdVn/AgInEA' +
    '==',
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

/** The key, its certificate and that of the authority, PEM, as a server takes them. */
export function keyPair(): { key: string; certificate: string; authority: string } {
  const [entry] = readJks(keyStoreBytes('key.jks'), KEY_STORE_PASSWORD).keys;
  const [certificate, authority] = entry?.chain ?? [];
  if (!entry || !certificate || !authority) throw new Error('key.jks has no key with two certificates');
  const key = createPrivateKey({ key: Buffer.from(entry.key), format: 'der', type: 'pkcs8' });
  return {
    key: String(key.export({ type: 'pkcs8', format: 'pem' })),
    certificate: new X509Certificate(certificate).toString(),
    authority: new X509Certificate(authority).toString(),
  };
}
