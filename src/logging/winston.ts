import { createRequire } from 'node:module';
import type * as Winston from 'winston';

/*
 * The one part of winston that is used here. Its index brings colours, formats and transports along, which take 30 ms of every start and
 * 2 MB. The file has kept its place for all of winston 3; should it move, the index is loaded instead.
 */

const load = createRequire(import.meta.url);

function part(): typeof Winston.createLogger {
  try {
    return load('winston/lib/winston/create-logger') as typeof Winston.createLogger;
  } catch {
    return (load('winston') as typeof Winston).createLogger;
  }
}

export const createLogger = part();
