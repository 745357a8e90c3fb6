import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { call } from '../support/http-call.ts';
import { type InProcess, serve } from '../support/in-process.ts';
import { waitFor } from '../support/wait-for.ts';
import { zip } from '../support/zip.ts';

/* What was reported about redeployments of the reference, by the numbers of the reports (OP-32, OP-21). */

const SYN = 'xmlns="http://ws.apache.org/ns/synapse"';
const FORWARDER = 'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor';
const TYPES: Readonly<Record<string, string>> = {
  proxy: 'proxy-service',
  sequence: 'sequence',
  endpoint: 'endpoint',
  messageStore: 'message-store',
  messageProcessor: 'message-processors',
};

const proxy = (inside: string) => `<proxy ${SYN} name="P"><target><inSequence>${inside}</inSequence></target></proxy>`;
const answering = (text: string) => proxy(`<property name="X-by" value="${text}" scope="transport"/><respond/>`);
const sequence = (inside = '<log/>') => `<sequence ${SYN} name="S">${inside}</sequence>`;
const BROKEN = sequence('<lgo/>');

/** A `.car` of artifacts, each named like its root's `name`. */
function car(...artifacts: readonly string[]): Buffer {
  const files: Record<string, string> = {};
  const dependencies = artifacts.map((text) => {
    const [, root = ''] = /^<(\w+)/.exec(text) ?? [];
    const [, name = ''] = / name="(\w+)"/.exec(text) ?? [];
    files[`${name}_1.0.0/artifact.xml`] =
      `<artifact name="${name}" version="1.0.0" type="synapse/${TYPES[root]}"><file>${name}.xml</file></artifact>`;
    files[`${name}_1.0.0/${name}.xml`] = text;
    return `<dependency artifact="${name}" version="1.0.0" include="true"/>`;
  });
  files['artifacts.xml'] =
    `<artifacts><artifact name="App" version="1.0.0" type="carbon/application">${dependencies.join('')}</artifact></artifacts>`;
  return zip(files);
}

let running: InProcess;
beforeEach(async () => {
  running = await serve({}, '', { watch: true });
});
afterEach(() => running.stop());

const place = (name: string) => join(running.directory, name);
const by = async () => {
  const answer = await call(running.service('P'), { method: 'POST', body: '<m/>' });
  return answer.headers['x-by'] ?? answer.status;
};

/** Does it, and waits for a line of the log that comes of it. */
async function next(pattern: RegExp, change: () => void): Promise<void> {
  const mark = running.records.length;
  change();
  await running.logged(pattern, mark);
}

const DEPLOYED = /Successfully Deployed Carbon Application : App_1\.0\.0/;
const UNDEPLOYED = /Successfully undeployed Carbon Application : App_1\.0\.0/;
const FAULTY = /Error occurred while deploying the Carbon application/;
const served = () => running.server.configuration();
const neverTwice = () => expect(running.lines().filter((line) => /already exists|is taken by/i.test(line))).toEqual([]);

describe('an application (OP-32)', () => {
  it('that was taken away can be copied in again (mi#2281)', async () => {
    const kept = place('kept.bin');
    writeFileSync(kept, car(answering('one')));
    for (let round = 0; round < 3; round += 1) {
      await next(DEPLOYED, () => copyFileSync(kept, place('App.car')));
      expect(await by()).toBe('one');
      await next(UNDEPLOYED, () => rmSync(place('App.car')));
      expect(await by()).toBe(404);
    }
    neverTwice();
  });

  it('that is faulty leaves nothing behind: its names are free (ei#5420)', async () => {
    await next(FAULTY, () => writeFileSync(place('App.car'), car(answering('faulty'), BROKEN)));
    expect(await by()).toBe(404);
    rmSync(place('App.car'));
    await next(/Sequence named 'S' has been deployed/, () => writeFileSync(place('S.xml'), sequence()));
    await next(/P' has been deployed|named 'P'/, () => writeFileSync(place('P.xml'), answering('file')));
    expect(await by()).toBe('file');
    neverTwice();
  });

  it('that is faulty can be fixed without a restart (mi#3643)', async () => {
    await next(FAULTY, () => writeFileSync(place('App.car'), car(answering('faulty'), BROKEN)));
    await next(DEPLOYED, () => writeFileSync(place('App.car'), car(answering('fixed'), sequence())));
    expect(await by()).toBe('fixed');
    expect(running.server.faultyCount).toBe(0);
  });

  it('with message stores can be deployed again while they hold messages (mi#1680)', async () => {
    const app = (version: number) =>
      car(
        proxy('<property name="OUT_ONLY" value="true"/><store messageStore="Held"/><respond/>'),
        `<messageStore ${SYN} name="Held"><parameter name="edited">${version}</parameter></messageStore>`,
      );
    for (let version = 1; version <= 3; version += 1) {
      await next(DEPLOYED, () => writeFileSync(place('App.car'), app(version)));
      expect((await call(running.service('P'), { method: 'POST', body: '<m/>' })).status).toBeLessThan(300);
      expect(await running.depth('Held')).toBe(version);
    }
    neverTwice();
  });
});

describe('a message processor that was deactivated (OP-21)', () => {
  it('works when its file is taken away and added again (mi#1301, mi#1676)', async () => {
    const back = createServer((incoming, outgoing) => incoming.resume().on('end', () => outgoing.writeHead(202).end()));
    await new Promise<void>((resolve) => back.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = back.address() as AddressInfo;
      writeFileSync(place('Held.xml'), `<messageStore ${SYN} name="Held"/>`);
      writeFileSync(place('E.xml'), `<endpoint ${SYN} name="E"><address uri="http://127.0.0.1:${port}/"/></endpoint>`);
      const file = `<messageProcessor ${SYN} name="F" class="${FORWARDER}" messageStore="Held" targetEndpoint="E"/>`;
      const processor = () => served().find('messageProcessor', 'F');
      const state = () => processor()?.status().state;
      const became = (wanted: string | undefined) =>
        waitFor(() => state() === wanted, { what: () => `the processor to be ${wanted}, not ${state()}` });
      writeFileSync(place('F.xml'), file);
      await became('ACTIVE');
      await processor()?.deactivate('a test');
      expect(state()).toBe('PAUSED');
      rmSync(place('F.xml'));
      await became(undefined);
      writeFileSync(place('F.xml'), file);
      await became('ACTIVE');
    } finally {
      back.close();
    }
  });
});
