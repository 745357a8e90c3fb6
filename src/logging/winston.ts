import { createRequire } from 'node:module';
import type * as Winston from 'winston';
import type * as WinstonTransport from 'winston-transport';
import type { BoundedStream } from './bounded-stream.ts';

/*
 * The one part of winston that is used here. Its index brings colours, formats and transports along, which take 30 ms of every start and
 * 2 MB. The file has kept its place for all of winston 3; should it move, the index is loaded instead.
 */

/** Where winston keeps the line of an event. */
const MESSAGE: unique symbol = Symbol.for('message');

interface Info {
  readonly level: string;
  readonly [MESSAGE]?: string;
}

const load = createRequire(import.meta.url);

function part(): typeof Winston.createLogger {
  try {
    return load('winston/lib/winston/create-logger') as typeof Winston.createLogger;
  } catch {
    return (load('winston') as typeof Winston).createLogger;
  }
}

/**
 * A logger of winston that writes to a stream. Loads winston when it is called for the first time, which takes 30 ms.
 * @param layout the line of an event
 */
export function winstonLogger(
  levels: Readonly<Record<string, number>>,
  stream: BoundedStream,
  layout: (info: Readonly<Record<string, unknown>>) => string,
): Winston.Logger {
  const Transport = load('winston-transport') as typeof WinstonTransport.default;
  return part()({
    levels: { ...levels },
    level: 'trace',
    format: { transform: (info) => Object.assign(info, { [MESSAGE]: layout(info) }) },
    transports: [
      new Transport({
        log: (info: Info, next) => {
          stream.write(info.level, info[MESSAGE] ?? '');
          next();
        },
        close: () => stream.close(),
      }),
    ],
  });
}
