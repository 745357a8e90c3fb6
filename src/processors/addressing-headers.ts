import { Buffer } from 'node:buffer';
import type { Payload } from '../message/payload.ts';
import { elementChildren } from '../xml/index.ts';

const NAMESPACES: ReadonlySet<string> = new Set([
  'http://www.w3.org/2005/08/addressing',
  'http://schemas.xmlsoap.org/ws/2004/08/addressing',
]);
/** Occurs in both namespaces. */
const MARK = 'addressing';

/**
 * Removes WS-Addressing header blocks, as forwarding does unless PRESERVE_WS_ADDRESSING is set (spec stores 4.1). Bodies in which
 * the word does not occur are not parsed.
 */
export function removeAddressingHeaders(payload: Payload): void {
  const bytes = payload.originalBytes();
  if (
    bytes ? !Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(MARK) : payload.kind !== 'envelope'
  )
    return;
  if (payload.format !== undefined && payload.format !== 'soap11' && payload.format !== 'soap12') return;
  const header = payload.header();
  const blocks = header ? elementChildren(header).filter((block) => NAMESPACES.has(block.namespaceURI ?? '')) : [];
  if (blocks.length === 0) return;
  for (const block of blocks) header?.removeChild(block);
  payload.changed();
}
