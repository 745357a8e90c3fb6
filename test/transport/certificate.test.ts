import { X509Certificate } from 'node:crypto';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createSelfSignedCertificate } from '../../src/transport/certificate.ts';

const NAMES = { commonName: 'localhost', altNames: ['localhost', 'esb.example.org', '127.0.0.1', '::1'], days: 30 };

describe('a self-signed certificate', () => {
  it('names its hosts and addresses, is signed by its own key and is no CA', async () => {
    const { key, cert } = await createSelfSignedCertificate(NAMES);
    const read = new X509Certificate(cert);
    expect(read.subject).toBe('CN=localhost');
    expect(read.issuer).toBe('CN=localhost');
    expect(read.checkHost('esb.example.org')).toBe('esb.example.org');
    expect(read.checkHost('other.example.org')).toBeUndefined();
    expect(read.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(read.checkIP('::1')).toBe('::1');
    expect(read.verify(read.publicKey)).toBe(true);
    expect(read.ca).toBe(false);
    expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  it('is valid from a little before now for the days asked for', async () => {
    const read = new X509Certificate((await createSelfSignedCertificate(NAMES)).cert);
    const now = Date.now();
    const days = (Date.parse(read.validTo) - now) / 86_400_000;
    expect(Date.parse(read.validFrom)).toBeLessThan(now - 60_000);
    expect(days).toBeGreaterThan(29.9);
    expect(days).toBeLessThan(30.1);
  });

  it('gets a new key and serial number each time', async () => {
    const [one, two] = await Promise.all([createSelfSignedCertificate(NAMES), createSelfSignedCertificate(NAMES)]);
    expect(one.key).not.toBe(two.key);
    expect(new X509Certificate(one.cert).serialNumber).not.toBe(new X509Certificate(two.cert).serialNumber);
  });

  it('serves a client that trusts it, and only such a client', async () => {
    const pair = await createSelfSignedCertificate(NAMES);
    const server = createServer(pair, (_request, response) => response.end('secure'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const get = (ca: string | undefined) =>
      new Promise<number | undefined>((resolve, reject) => {
        const trust = ca === undefined ? {} : { ca };
        const outgoing = request({ host: '127.0.0.1', port, agent: false, ...trust }, (incoming) => {
          incoming.resume();
          incoming.on('end', () => resolve(incoming.statusCode));
        });
        outgoing.on('error', reject);
        outgoing.end();
      });
    try {
      await expect(get(pair.cert)).resolves.toBe(200);
      await expect(get(undefined)).rejects.toThrow(/self-signed/);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('refuses a validity that is none', async () => {
    await expect(createSelfSignedCertificate({ ...NAMES, days: 0 })).rejects.toThrow(RangeError);
  });
});
