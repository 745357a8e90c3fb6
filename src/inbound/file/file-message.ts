import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Configuration } from '../../message/configuration.ts';
import { formatResponse } from '../../message/formatter.ts';
import { mediaTypeOf, parseMediaType } from '../../message/media-type.ts';
import { MessageContext } from '../../message/message-context.ts';
import { Payload } from '../../message/payload.ts';
import type { Reply } from '../flow-end.ts';
import { writeAtomically } from './write-file.ts';

const DEFAULT_REPLY_NAME = 'response.xml';

export interface FileContent {
  readonly configuration: Configuration;
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly modifiedMs: number;
  readonly contentType: string | undefined;
}

/** A file as a message; what it is called and where it lies are transport headers, in the reference's spellings. */
export function fileMessage({ configuration, path, bytes, modifiedMs, contentType }: FileContent): MessageContext {
  const type = contentType || 'application/octet-stream';
  const message = new MessageContext(configuration, Payload.unread(bytes, type));
  const { headers, axis2, properties } = message;
  headers.set('Content-Type', type);
  headers.set('FILE_NAME', basename(path));
  headers.set('FILE_PATH', path);
  headers.set('FILE_URI', pathToFileURL(path).href);
  headers.set('FILE_LENGTH', String(bytes.byteLength));
  headers.set('LAST_MODIFIED', String(Math.floor(modifiedMs)));
  message.doingRest = message.payload.soapVersion !== '1.2' && mediaTypeOf(type) !== 'text/xml';
  message.to = pathToFileURL(path).href;
  axis2.set('ContentType', type);
  axis2.set('messageType', mediaTypeOf(type));
  axis2.set('CHARACTER_SET_ENCODING', parseMediaType(type).parameters.get('charset') ?? 'UTF-8');
  axis2.set('TRANSPORT_IN_NAME', 'vfs');
  axis2.set('correlation_id', message.messageId);
  properties.set('TRANSPORT_IN_NAME', 'vfs');
  properties.set('IsClientDoingREST', message.doingRest);
  properties.set('IsClientDoingSOAP11', !message.doingRest && message.payload.soapVersion === '1.1');
  return message;
}

/** Writes answers into a folder; the flow may name the file with the transport property `transport.vfs.ReplyFileName`. */
export function fileReply(reply: {
  readonly folder: string | undefined;
  readonly name: string | undefined;
}): Reply | undefined {
  const { folder, name } = reply;
  if (folder === undefined) return undefined;
  return async (response) => {
    const wanted = response.headers.get('transport.vfs.ReplyFileName') ?? name ?? DEFAULT_REPLY_NAME;
    const { bytes = new Uint8Array(0) } = formatResponse(response, response.doingRest ? 'rest' : 'soap11');
    await writeAtomically(join(folder, basename(wanted)), bytes);
  };
}
