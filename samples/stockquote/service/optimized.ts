/** MTOMSwASampleService, the back end of samples 51 and 252: files come beside the envelope, and go back the same way. */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { elementChildren, textOf, type XmlElement } from '../../../src/xml/index.ts';
import { type Attachment, include, XOP } from '../wire/related.ts';
import { escapeText, NS } from '../wire/soap.ts';
import { ServiceFault } from './fault.ts';
import { operationsByName, type SampleService, type World } from './operation.ts';
import type { Message } from './request.ts';

export function mtomSwaSampleService(): SampleService {
  return {
    name: 'MTOMSwASampleService',
    operations: operationsByName([
      { name: 'uploadFileUsingMTOM', oneWay: false, run: uploadUsingMtom },
      { name: 'uploadFileUsingSwA', oneWay: false, run: uploadUsingSwa },
      { name: 'oneWayUploadUsingMTOM', oneWay: true, run: uploadOneWay },
    ]),
  };
}

async function uploadUsingMtom(message: Message, world: World) {
  const image = binaryOf(childOf(childOf(message.payload, 'request'), 'image'), message);
  world.print(`Wrote MTOM content to temp file : ${await save('mtom', image.bytes)}`);
  const id = `1.${randomUUID()}@apache.org`;
  return {
    body: response('uploadFileUsingMTOM', 'image', include(id)),
    attachments: [{ ...image, id }],
    mtom: true,
  };
}

async function uploadUsingSwa(message: Message, world: World) {
  const id = textOf(childOf(childOf(message.payload, 'request'), 'imageId')).trim();
  const image = attached(id, message);
  world.print(`Wrote SwA attachment to temp file : ${await save('swa', image.bytes)}`);
  const answerId = `urn:uuid:${randomUUID()}`;
  return {
    body: response('uploadFileUsingSwA', 'imageId', escapeText(answerId)),
    attachments: [{ ...image, id: answerId }],
    mtom: false,
  };
}

async function uploadOneWay(message: Message, world: World): Promise<undefined> {
  if (!message.payload) throw new ServiceFault('The body is empty');
  world.print(`Wrote to file : ${await save('mtom', binaryOf(message.payload, message).bytes)}`);
}

function response(operation: string, name: string, content: string): string {
  return `<m:${operation}Response xmlns:m="${NS}"><m:response><m:${name}>${content}</m:${name}></m:response></m:${operation}Response>`;
}

function childOf(parent: XmlElement | undefined, name: string): XmlElement {
  const found = parent && elementChildren(parent).find(({ localName }) => localName === name);
  if (!found) throw new ServiceFault(`The element ${name} is missing`);
  return found;
}

/** The binary content of an element: what its `xop:Include` means, or the base64 that it holds. */
function binaryOf(element: XmlElement, message: Message): Attachment {
  const reference = elementChildren(element).find((child) => child.namespaceURI === XOP);
  if (!reference)
    return { id: '', contentType: 'application/octet-stream', bytes: Buffer.from(textOf(element), 'base64') };
  return attached(decodeURIComponent((reference.getAttribute('href') ?? '').replace(/^cid:/, '')), message);
}

function attached(id: string, { attachments }: Message): Attachment {
  const found = attachments?.get(id.replace(/^cid:/, ''));
  if (!found) throw new ServiceFault(`There is no attachment ${id}`);
  return found;
}

async function save(kind: string, bytes: Uint8Array): Promise<string> {
  const file = join(tmpdir(), `${kind}-${randomUUID()}.gif`);
  await writeFile(file, bytes);
  return file;
}
