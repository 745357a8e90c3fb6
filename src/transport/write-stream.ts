import type { ServerResponse } from 'node:http';
import { logger } from '../logging/index.ts';
import type { StreamedBody } from '../message/streamed-body.ts';

const log = logger('HttpListener');
/** A client that takes nothing for so long, though there is something, loses its connection, ms (REQ-3). */
const STALLED_MS = 180_000;
/**
 * The answer waits for its client when so much of it lies in this process, bytes. A response says that it has enough after each read of a
 * socket, though mostly the kernel takes it in the same moment: to stop and go on again for that costs more than to write it.
 */
const MOST_UNWRITTEN_BYTES = 128 * 1024;

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
  const wait = () => {
    clearTimeout(stalled);
    stalled = setTimeout(giveUp, STALLED_MS);
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
      if (response.write(chunk) || response.writableLength < MOST_UNWRITTEN_BYTES) return true;
      wait();
      return false;
    },
    end() {
      // Of what still lies here nothing more will tell.
      if (response.writableNeedDrain) wait();
      finish();
    },
    fail(error) {
      log.debug(`A response was broken off: ${error.message}`);
      response.destroy();
    },
  });
}
