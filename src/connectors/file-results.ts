import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { Payload } from '../message/payload.ts';
import { escapeText, parseXml, type XmlElement } from '../xml/index.ts';

/** Error codes of the file connector. */
export const FILE_ERRORS = {
  illegalPath: 700102,
  alreadyExists: 700103,
  accessDenied: 700105,
  invalidConfiguration: 700107,
  operation: 700108,
} as const;

export function fileFault(code: keyof typeof FILE_ERRORS, text: string, cause?: unknown): MediationError {
  return new MediationError(text, { code: FILE_ERRORS[code], ...(cause !== undefined && { cause }) });
}

/** What the file system has refused, as a fault of the connector. */
export function asFileFault(operation: string, error: unknown): MediationError {
  if (error instanceof MediationError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const text = `file.${operation}: ${message}`;
  if (code === 'ENOENT' || code === 'ENOTDIR') return fileFault('illegalPath', text, error);
  if (code === 'EEXIST' || code === 'ERR_FS_CP_EEXIST') return fileFault('alreadyExists', text, error);
  if (code === 'EACCES' || code === 'EPERM') return fileFault('accessDenied', text, error);
  return fileFault('operation', text, error);
}

/** One element of a result; a list is written as elements inside. */
export type ResultEntry = readonly [name: string, value: string | readonly ResultEntry[]];

/** Makes `<root>…</root>` the payload. */
export function setResult({ payload }: MessageContext, root: string, entries: readonly ResultEntry[]): void {
  const xml = `<${root}>${entries.map(xmlOf).join('')}</${root}>`;
  payload.replaceBody(parseXml(xml).documentElement as XmlElement);
}

function xmlOf([name, value]: ResultEntry): string {
  return `<${name}>${typeof value === 'string' ? escapeText(value) : value.map(xmlOf).join('')}</${name}>`;
}

/** Makes the content of a file the payload, as its media type says. */
export function setContent(message: MessageContext, bytes: Uint8Array, contentType: string): void {
  message.payload = Payload.unread(bytes, contentType, { soapAction: false });
  message.axis2.set('messageType', contentType.split(';', 1)[0] ?? contentType);
  message.axis2.set('ContentType', contentType);
  message.axis2.delete('NO_ENTITY_BODY');
}

const TYPES: Readonly<Record<string, string>> = {
  '.json': 'application/json',
  '.xml': 'application/xml',
  '.txt': 'text/plain',
  '.csv': 'text/plain',
};

/** The media type of a file that nobody says anything about. */
export function typeOfExtension(extension: string): string {
  return TYPES[extension.toLowerCase()] ?? 'application/octet-stream';
}
