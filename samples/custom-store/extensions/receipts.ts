import { appendFile, mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { OpenProcessor } from '../../../src/extensions/api.ts';

/*
 * A message processor that sends each message to its target endpoint and keeps a receipt: one line in a file for every order that
 * was accepted. Receiving, pauses, attempts and the fail store are not its business: it throws, and that is a failed attempt.
 */

export const openProcessor: OpenProcessor = ({ parameters, dataDirectory, log }) => {
  const file = resolve(dataDirectory, parameters.get('receipts') ?? 'receipts.txt');
  log.info(`Receipts are written to ${file}`);
  return {
    async process(attempt) {
      const answer = await attempt.send();
      const status = Number(answer.property('HTTP_SC', 'axis2') ?? 0);
      if (status < 200 || status > 299) throw new Error(`the back end answered ${status}`);
      await mkdir(dirname(file), { recursive: true });
      await appendFile(file, `${attempt.message.property('order')} accepted at attempt ${attempt.number}\n`);
      log.info(`Order ${attempt.message.property('order')} was accepted`);
    },
  };
};
