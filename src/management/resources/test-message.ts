import { sendTestMessage } from '../../observation/test-message.ts';
import { TEST_MESSAGES } from '../../observation/test-samples.ts';
import { jsonBody } from '../bodies.ts';
import { listing, listOf } from '../list.ts';
import { notFound } from '../management-error.ts';
import { observed } from '../observed.ts';
import { resource } from '../resource.ts';
import { COUNT, NUMBER, object, TEXT } from '../schemas.ts';

const MAX_BYTES = 1024 * 1024;

interface TestMessageWish {
  readonly target: {
    readonly kind: 'proxy' | 'api' | 'store' | 'sequence';
    readonly name: string;
    readonly path?: string;
  };
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  readonly body?: string;
}

/** `POST /management/test-message` (OP-47): takes the way of any other message, and is followed with its bodies. */
export const postTestMessage = resource({
  method: 'POST',
  path: '/management/test-message',
  role: 'operator',
  summary: 'Sends a test message and follows it',
  tag: 'traces',
  body: jsonBody<TestMessageWish>(
    {
      type: 'object',
      required: ['target'],
      additionalProperties: false,
      properties: {
        target: {
          type: 'object',
          required: ['kind', 'name'],
          additionalProperties: false,
          properties: {
            kind: { enum: ['proxy', 'api', 'store', 'sequence'] },
            name: { type: 'string', minLength: 1, maxLength: 500 },
            path: { type: 'string', maxLength: 4096, description: 'What follows the address of the proxy or API' },
          },
        },
        method: { enum: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] },
        headers: { type: 'object', maxProperties: 100, additionalProperties: { type: 'string', maxLength: 8192 } },
        contentType: { type: 'string', maxLength: 500 },
        body: { type: 'string' },
      },
    },
    { maximumBytes: MAX_BYTES },
  ),
  answers: {
    200: object(
      { status: COUNT, headers: { type: 'object' }, body: TEXT, durationMs: NUMBER },
      { messageId: TEXT, traceId: TEXT },
    ),
    404: { type: 'object' },
  },
  async answer({ body, audit, signal }, server) {
    const { target } = body;
    audit({ type: 'test_message', action: 'sent', name: `${target.kind} ${target.name}` });
    const result = await sendTestMessage(body, {
      configuration: server.configuration(),
      listening: server.listening(),
      tracing: observed(server).tracing,
      signal,
    });
    if ('missing' in result) throw notFound(`There is no ${target.kind} '${target.name}'`, target.name, result.missing);
    return { status: 200, body: result };
  },
});

const SAMPLE = object({ name: TEXT, method: TEXT, headers: { type: 'object' }, contentType: TEXT, body: TEXT });

/** `GET /management/test-message/samples`: bodies to begin with. */
export const readTestMessages = resource({
  method: 'GET',
  path: '/management/test-message/samples',
  role: 'viewer',
  summary: 'Sample messages',
  tag: 'traces',
  answers: { 200: listOf(SAMPLE) },
  answer: () => ({ status: 200, body: listing(TEST_MESSAGES) }),
});
