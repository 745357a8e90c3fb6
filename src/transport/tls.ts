import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { logger } from '../logging/index.ts';
import type { CertificatePair } from './certificate.ts';

const log = logger('Tls');
const OWNER_ONLY = 0o600;
const VALID_DAYS = 825;
/** A self-signed certificate is replaced this long before it expires. */
const RENEW_BEFORE_MS = 7 * 86_400_000;

/** Key or certificate cannot be read, or do not fit together. */
export class TlsFilesError extends Error {
  override readonly name = 'TlsFilesError';
}

export interface TlsFiles {
  readonly keyFile: string;
  readonly certificateFile: string;
}

/**
 * The key and certificate of the HTTPS listener: the configured files, or a self-signed pair that is made on the first start and
 * kept in the data directory (files readable by the owner only).
 * @throws TlsFilesError when configured files are missing, unreadable or do not belong together
 */
export async function listenerCertificate(
  configured: TlsFiles | undefined,
  dataDirectory: string,
): Promise<CertificatePair> {
  if (configured) return await configuredPair(configured);
  const directory = join(dataDirectory, 'tls');
  const files = { keyFile: join(directory, 'server.key'), certificateFile: join(directory, 'server.crt') };
  const kept = await keptPair(files);
  if (kept) return kept;
  // Loaded only when a certificate is really made: it brings 12 MB of cryptography along.
  const { createSelfSignedCertificate } = await import('./certificate.ts');
  const pair = await createSelfSignedCertificate({ commonName: 'localhost', altNames: ownNames(), days: VALID_DAYS });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // The key last: a pair is complete when its key is there.
  await writePrivately(files.certificateFile, pair.cert);
  await writePrivately(files.keyFile, pair.key);
  const fingerprint = new X509Certificate(pair.cert).fingerprint256;
  log.info(
    `No certificate is configured for HTTPS; made a self-signed one: ${files.certificateFile} (SHA-256 ${fingerprint})`,
  );
  return pair;
}

async function configuredPair({ keyFile, certificateFile }: TlsFiles): Promise<CertificatePair> {
  const [key, cert] = await Promise.all([readPem(keyFile), readPem(certificateFile)]);
  const problem = pairProblem({ key, cert });
  if (problem) throw new TlsFilesError(`${certificateFile} and ${keyFile}: ${problem.message}`, { cause: problem });
  return { key, cert };
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new TlsFilesError(`The TLS file ${file} cannot be read`, { cause: error });
  }
}

/** The pair of an earlier start, if it is whole and lasts long enough. */
async function keptPair({ keyFile, certificateFile }: TlsFiles): Promise<CertificatePair | undefined> {
  let pair: CertificatePair;
  try {
    pair = { key: await readFile(keyFile, 'utf8'), cert: await readFile(certificateFile, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new TlsFilesError(`The self-signed certificate in ${certificateFile} cannot be read`, { cause: error });
  }
  const problem = pairProblem(pair);
  if (!problem && new X509Certificate(pair.cert).validToDate.getTime() - Date.now() > RENEW_BEFORE_MS) return pair;
  log.warn(`The self-signed certificate ${certificateFile} is replaced: ${problem?.message ?? 'it expires soon'}`);
  return undefined;
}

function pairProblem({ key, cert }: CertificatePair): Error | undefined {
  try {
    createSecureContext({ key, cert });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function writePrivately(file: string, text: string): Promise<void> {
  const temporary = `${file}.new`;
  await writeFile(temporary, text, { mode: OWNER_ONLY });
  // An existing file would keep its mode.
  await chmod(temporary, OWNER_ONLY);
  await rename(temporary, file);
}

/** Every name and address by which a client on this network may know this machine. */
function ownNames(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const reachable = addresses.filter(({ scopeid, internal }) => !scopeid && !internal).map(({ address }) => address);
  return [...new Set(['localhost', hostname(), '127.0.0.1', '::1', ...reachable])];
}
