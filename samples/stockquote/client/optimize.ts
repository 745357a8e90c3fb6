/** The client of samples 51 and 252, `ant optimizeclient` (stockquote-samples 2.8): uploads a file by MTOM or SOAP with Attachments. */
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../wire/arguments.ts';
import { type Attachment, include, openRelated, relatedVersion, writeRelated } from '../wire/related.ts';
import { escapeText, NS, writeEnvelope } from '../wire/soap.ts';
import { unexpected } from './answer.ts';
import { type Connection, post } from './http.ts';

export interface OptimizedUpload {
  readonly mode: 'mtom' | 'swa';
  readonly url: URL;
  readonly file: string;
  readonly connection: Connection;
  print(line: string): void;
}

const MIME_TYPE = 'image/gif';

/**
 * Uploads a file and saves what comes back beside the answer. @returns the path of the file that was saved
 * @throws CallFailure when the call fails, or nothing comes back beside the answer
 * @throws UsageError when the file cannot be read
 */
export async function uploadOptimized({ mode, url, file, connection, print }: OptimizedUpload): Promise<string> {
  const mtom = mode === 'mtom';
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new UsageError(`--opt_file: cannot read ${file}`, { cause });
  });
  print(`Sending file : ${file} as ${mtom ? 'MTOM' : 'SwA'}`);
  const id = mtom ? `1.${randomUUID()}@apache.org` : `urn:uuid:${randomUUID()}`;
  const operation = mtom ? 'uploadFileUsingMTOM' : 'uploadFileUsingSwA';
  const content = mtom ? `<m0:image>${include(id)}</m0:image>` : `<m0:imageId>${escapeText(id)}</m0:imageId>`;
  const payload = `<m0:${operation} xmlns:m0="${NS}"><m0:request>${content}</m0:request></m0:${operation}>`;
  const { contentType, body } = writeRelated(
    'soap11',
    writeEnvelope('soap11', payload),
    [{ id, contentType: MIME_TYPE, bytes }],
    mtom,
  );
  const reply = await post(url, { 'Content-Type': contentType, SOAPAction: `"urn:${operation}"` }, body, connection);
  const answered = attachmentOf(reply.body, reply.headers['content-type']);
  if (reply.status !== 200 || !answered) throw unexpected(new TextDecoder().decode(reply.body), reply.status);
  const saved = join(tmpdir(), `${mode}-${randomUUID()}.gif`);
  await writeFile(saved, answered.bytes);
  print(`Saved response to file : ${saved}`);
  return saved;
}

function attachmentOf(body: Uint8Array, contentType: string | undefined): Attachment | undefined {
  if (contentType === undefined || relatedVersion(contentType) === undefined) return undefined;
  const [first] = openRelated(body, contentType).attachments.values();
  return first;
}
