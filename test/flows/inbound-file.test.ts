import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { inboundArtifact } from '../inbound/queue-suite.ts';
import { echoBackEnd } from '../support/echo-back-end.ts';
import { sayFigures } from '../support/figures.ts';
import { runMiniSynapse } from '../support/mini-synapse.ts';
import { waitFor } from '../support/wait-for.ts';

it('a file inbound endpoint loses no file to kill -9, and a lock does not outlive its process', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-inbound-file-'));
  const [incoming, done, artifacts] = ['in', 'done', 'artifacts'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [incoming, artifacts]) mkdirSync(path);
  const backEnd = await echoBackEnd();
  backEnd.answer = () => ({ delayMs: 5 });
  writeFileSync(
    join(artifacts, 'i.xml'),
    inboundArtifact('file', {
      interval: '50',
      'x.quiet': '50',
      'transport.vfs.FileURI': `file://${incoming}`,
      'transport.vfs.ContentType': 'text/plain',
      'transport.vfs.ActionAfterProcess': 'MOVE',
      'transport.vfs.MoveAfterProcess': `file://${done}`,
    }),
  );
  writeFileSync(
    join(artifacts, 's.xml'),
    `<sequence xmlns="http://ws.apache.org/ns/synapse" name="s"><call><endpoint><address uri="${backEnd.url}/x"/></endpoint></call></sequence>`,
  );
  const names = Array.from({ length: 200 }, (_, index) => `file-${String(index).padStart(3, '0')}.txt`);
  for (const name of names) writeFileSync(join(incoming, name), `content of ${name}`);
  const distinct = () => new Set(backEnd.received.map(({ body }) => body.toString())).size;
  const reaches = (count: number) =>
    waitFor(() => distinct() >= count, { what: () => `${count} files; ${distinct()} came`, deadlineMs: 30_000 });
  const runtime = await runMiniSynapse({ artifacts, dataDirectory: join(folder, 'data') });
  try {
    for (const count of [30, 80, 130]) {
      await reaches(count);
      await runtime.kill();
      await runtime.restart();
    }
    await reaches(names.length);
    const left = () => readdirSync(incoming);
    // A kill may leave a lock that its process had not signed yet: that counts as somebody's for a minute.
    await waitFor(() => left().length === 0, { what: () => `an empty folder; it has ${left()}`, deadlineMs: 90_000 });
    expect(readdirSync(done).sort()).toEqual(names);
  } finally {
    await runtime.stop();
    await backEnd.close();
    rmSync(folder, { recursive: true, force: true });
  }
  const repeated = backEnd.received.length - distinct();
  sayFigures('inbound file: kill -9 of the runtime (3)', {
    files: names.length,
    lost: names.length - distinct(),
    repeated,
  });
  expect(repeated).toBeLessThanOrEqual(3);
}, 240_000);
