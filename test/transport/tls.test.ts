import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { onLogRecord } from '../../src/logging/index.ts';
import { createSelfSignedCertificate } from '../../src/transport/certificate.ts';
import { listenerCertificate, TlsFilesError } from '../../src/transport/tls.ts';

let directory: string;
let log: string[];
let stopListening: () => void;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tls-'));
  log = [];
  stopListening = onLogRecord((record) => log.push(record.message));
});

afterEach(async () => {
  stopListening();
  await rm(directory, { recursive: true, force: true });
});

describe('without configured files', () => {
  it('a self-signed pair is made once, says so, and is nobody else’s to read', async () => {
    const first = await listenerCertificate(undefined, directory);
    expect(log.join()).toContain('made a self-signed one');
    expect(log.join()).not.toContain('PRIVATE KEY');
    for (const file of ['server.key', 'server.crt']) {
      expect((await stat(join(directory, 'tls', file))).mode & 0o777).toBe(0o600);
    }
    const certificate = new X509Certificate(first.cert);
    expect(certificate.checkHost('localhost')).toBe('localhost');
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    log.length = 0;
    expect(await listenerCertificate(undefined, directory)).toEqual(first);
    expect(log).toEqual([]);
  });

  it('a pair that is broken, or about to expire, is replaced', async () => {
    const first = await listenerCertificate(undefined, directory);
    const keyFile = join(directory, 'tls', 'server.key');
    await writeFile(keyFile, 'half a ke');
    const second = await listenerCertificate(undefined, directory);
    expect(second.key).not.toBe(first.key);
    const expiring = await createSelfSignedCertificate({ commonName: 'localhost', altNames: ['localhost'], days: 3 });
    await writeFile(keyFile, expiring.key);
    await writeFile(join(directory, 'tls', 'server.crt'), expiring.cert);
    expect((await listenerCertificate(undefined, directory)).cert).not.toBe(expiring.cert);
    expect(await readFile(keyFile, 'utf8')).not.toBe(expiring.key);
  });
});

describe('configured files', () => {
  it('are used as they are, and problems are told with their names', async () => {
    const [one, other] = await Promise.all(
      ['a', 'b'].map((commonName) => createSelfSignedCertificate({ commonName, altNames: [commonName], days: 1 })),
    );
    const keyFile = join(directory, 'own.key');
    const certificateFile = join(directory, 'own.crt');
    await writeFile(keyFile, one?.key ?? '');
    await writeFile(certificateFile, one?.cert ?? '');
    expect(await listenerCertificate({ keyFile, certificateFile }, directory)).toEqual(one);
    await writeFile(certificateFile, other?.cert ?? '');
    await expect(listenerCertificate({ keyFile, certificateFile }, directory)).rejects.toThrow(TlsFilesError);
    const missing = listenerCertificate({ keyFile: join(directory, 'nope.key'), certificateFile }, directory);
    await expect(missing).rejects.toThrow('nope.key');
  });
});
