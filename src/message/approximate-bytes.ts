import type { XmlNode } from '../xml/index.ts';
import type { Payload } from './payload.ts';

/** What a node of a tree costs besides its text. */
const NODE_BYTES = 200;
const ELEMENT_NODE = 1;

/** About how much memory a payload takes, in bytes; for limits. Nothing is parsed for it. */
export function approximateBytes(payload: Payload): number {
  const bytes = payload.originalBytes();
  if (bytes) return bytes.length;
  switch (payload.kind) {
    case 'json':
      return payload.json()?.length ?? 0;
    case 'text':
      return payload.text()?.length ?? 0;
    case 'binary':
      return payload.binary()?.length ?? 0;
    case 'envelope':
      return bytesOf(payload.envelope());
    default:
      return 0;
  }
}

function bytesOf(root: XmlNode): number {
  let bytes = 0;
  const pending: XmlNode[] = [root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    bytes += NODE_BYTES + (node.nodeType === ELEMENT_NODE ? 0 : (node.nodeValue?.length ?? 0));
    for (let child = node.firstChild; child; child = child.nextSibling) pending.push(child);
  }
  return bytes;
}
