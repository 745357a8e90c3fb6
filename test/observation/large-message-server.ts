import { createWriteStream, readFileSync } from 'node:fs';
import { configureLogging } from '../../src/logging/index.ts';
import { inOnly, serve } from '../support/in-process.ts';

/*
 * A server for large-message.test.ts, in a process of its own so that its memory can be measured:
 *
 *   node large-message-server.ts watched|plain
 *
 * `watched`: full logging, and tracing with bodies; `plain`: neither. Tells its port, and its peak whenever it is asked.
 */

const watched = process.argv[2] === 'watched';
configureLogging({ format: 'json', stream: createWriteStream('/dev/null') });
const runtime = await serve(
  { Large: inOnly('Large', `${watched ? '<log level="full"/>' : ''}<property name="a" value="b"/><respond/>`) },
  watched ? '[observability]\ntracing = "on"\n' : '',
);
if (watched) {
  await fetch(runtime.management('/management/tracing'), {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: '{"mode":"on","bodies":true}',
  });
}

process.on('message', (message) => {
  if (message === 'stop') void runtime.stop().then(() => process.exit(0));
  else void figures().then((found) => process.send?.(found));
});
process.send?.({ port: runtime.server.httpPort });

/** The peak, and how much of the large messages was really watched. */
async function figures() {
  const logged = runtime.records.filter(({ message }) => message.includes('the beginning of')).length;
  const response = await fetch(runtime.management('/management/traces'));
  const { count } = (await response.json()) as { count: number };
  return { peakKiB: peakKiB(), logged, traced: count };
}

function peakKiB(): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes);
}
