import { createServer } from 'node:http';
import Koa from 'koa';
import { announce } from './program.ts';
import type { Put } from './put-lanes.ts';

/** Takes messages over HTTP, gives each body to the driver, and answers 202 when the medium has it. Nothing else. */
export function storeWhatComes(put: Put): void {
  const application = new Koa();
  application.use(async (context) => {
    const chunks: Buffer[] = [];
    for await (const chunk of context.req) chunks.push(chunk as Buffer);
    await put(Buffer.concat(chunks));
    context.body = null;
    context.status = 202;
  });
  announce(createServer(application.callback()));
}

interface Waiting {
  readonly body: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Group commit: what comes while one batch is written goes into the next one. */
export function batched(write: (bodies: readonly Buffer[]) => Promise<void> | void): Put {
  let waiting: Waiting[] = [];
  let working = false;
  const work = async () => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await write(batch.map(({ body }) => body));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    working = false;
  };
  return (body) =>
    new Promise((resolve, reject) => {
      waiting.push({ body, resolve, reject });
      if (working) return;
      working = true;
      setImmediate(() => void work());
    });
}
