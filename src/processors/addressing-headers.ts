import { addressingBlocks } from '../message/addressing-headers.ts';
import type { Payload } from '../message/payload.ts';

/** Removes WS-Addressing header blocks, as forwarding does unless PRESERVE_WS_ADDRESSING is set (spec stores 4.1). */
export function removeAddressingHeaders(payload: Payload): void {
  const blocks = addressingBlocks(payload);
  if (blocks.length === 0) return;
  for (const block of blocks) block.parentNode?.removeChild(block);
  payload.changed();
}
