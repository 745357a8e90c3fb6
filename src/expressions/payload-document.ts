import { type JsonNode, parseLenientJson } from '../message/json.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { Payload } from '../message/payload.ts';

/** The last document parsed of each payload, for as long as its text is the same. */
const parsedPayloads = new WeakMap<Payload, { readonly text: string; readonly root: JsonNode }>();

/** The JSON text of the payload, or the first Body child converted; undefined when there is nothing (spec mediators 4.3). */
export function payloadText({ payload }: MessageContext): string | undefined {
  return payload.json() ?? (payload.firstBodyChild() ? payload.jsonText() : undefined);
}

/**
 * A text as JSON, parsed once for all expressions that look at the same payload.
 * @throws JsonSyntaxError
 */
export function parsedPayload({ payload }: MessageContext, text: string): JsonNode {
  const known = parsedPayloads.get(payload);
  if (known?.text === text) return known.root;
  const root = parseLenientJson(text);
  parsedPayloads.set(payload, { text, root });
  return root;
}

/**
 * The payload as JSON; undefined when there is nothing.
 * @throws JsonSyntaxError
 */
export function payloadDocument(message: MessageContext): JsonNode | undefined {
  const text = payloadText(message);
  return text === undefined ? undefined : parsedPayload(message, text);
}
