import { stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { OutgoingTransport, TransportRequest } from '../../endpoints/outgoing-transport.ts';
import { ERROR_CODES, MediationError } from '../../message/errors.ts';
import { formatRequest } from '../../message/formatter.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { Payload } from '../../message/payload.ts';
import { filePath } from './file-address.ts';
import { writeAtomically } from './write-file.ts';

const DEFAULT_NAME = 'response.xml';

/** Writes messages to `vfs:file:///…` addresses (sample 254): whole files or none. An existing file is replaced. */
export class VfsSender implements OutgoingTransport {
  async exchange(message: MessageContext, request: TransportRequest): Promise<MessageContext> {
    const { bytes = new Uint8Array(0) } = formatRequest(message, request.format, request.encoding, 'POST');
    try {
      await writeAtomically(await targetOf(message, request.address), bytes);
    } catch (cause) {
      throw new MediationError(`The file cannot be written: ${(cause as Error).message}`, {
        code: ERROR_CODES.connectionFailed,
        cause,
      });
    }
    const response = message.responseContext(Payload.empty());
    response.axis2.set('NO_ENTITY_BODY', true);
    return response;
  }
}

/** The file that the address names; in a folder, the one that the transport property names. */
async function targetOf(message: MessageContext, address: string): Promise<string> {
  const path = filePath(address);
  const wanted = message.headers.get('transport.vfs.ReplyFileName') ?? message.axis2.get('transport.vfs.ReplyFileName');
  const folder = await stat(path).then(
    (found) => found.isDirectory(),
    () => path.endsWith('/') || extname(path) === '',
  );
  // A name only: it may come from a message.
  return folder ? join(path, basename(String(wanted ?? DEFAULT_NAME)) || DEFAULT_NAME) : path;
}
