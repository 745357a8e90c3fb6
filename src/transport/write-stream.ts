import type { ServerResponse } from 'node:http';
import { logger } from '../logging/index.ts';
import type { StreamedBody } from '../message/streamed-body.ts';

const log = logger('HttpListener');
/** A client that takes nothing for so long, though there is something, loses its connection, ms (REQ-3). */
const STALLED_MS = 180_000;

/**
 * Writes a body as it comes, as fast as the client takes it. A body that breaks off breaks the response off: its status is told already,
 * and a client that counts bytes or chunks sees that some are missing.
 * @param finish called after the last byte
 */
export function writeStream(response: ServerResponse, body: StreamedBody, finish: () => void): void {
  let stalled: NodeJS.Timeout | undefined;
  const giveUp = () => {
    log.warn(`A client took nothing of its answer for ${STALLED_MS} ms and was cut off`);
    response.destroy();
  };
  response.on('drain', () => {
    clearTimeout(stalled);
    body.resume();
  });
  response.once('close', () => {
    clearTimeout(stalled);
    body.cancel();
  });
  body.pipe({
    accept(chunk) {
      if (response.write(chunk)) return true;
      clearTimeout(stalled);
      stalled = setTimeout(giveUp, STALLED_MS);
      return false;
    },
    end: finish,
    fail(error) {
      log.debug(`A response was broken off: ${error.message}`);
      response.destroy();
    },
  });
}
