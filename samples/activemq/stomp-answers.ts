import { connect } from 'node:net';

/** Where and as whom to knock. */
export interface StompDoor {
  readonly host: string;
  readonly port: number;
  readonly login?: string;
  readonly passcode?: string;
}

/**
 * Whether a STOMP server really serves there: it has answered CONNECT with CONNECTED. An open port alone says little, a
 * starting (or stopped) broker has it too. Never throws; false after `deadlineMs` at the latest (default 2,000).
 */
export function stompAnswers(door: StompDoor, deadlineMs = 2_000): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: door.host, port: door.port, noDelay: true });
  let answer = '';
  const settle = (answered: boolean): void => {
    clearTimeout(deadline);
    // Said goodbye to, the broker does not log a broken connection for each of our knocks.
    if (answered) socket.end('DISCONNECT\n\n\0');
    else socket.destroy();
    resolve(answered);
  };
  const deadline = setTimeout(settle, deadlineMs, false);
  socket.setEncoding('latin1');
  socket.on('connect', () => socket.write(connectFrame(door)));
  socket.on('data', (chunk: string) => {
    answer += chunk;
    if (answer.length >= 'CONNECTED\n'.length) settle(/^CONNECTED\r?\n/.test(answer));
  });
  socket.on('error', () => settle(false));
  socket.on('close', () => settle(false));
  return promise;
}

function connectFrame({ host, login, passcode }: StompDoor): string {
  const credentials = login === undefined ? '' : `login:${login}\npasscode:${passcode ?? ''}\n`;
  return `CONNECT\naccept-version:1.2\nhost:${host}\nheart-beat:0,0\n${credentials}\n\0`;
}
