import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { uploadOptimized } from '../../../samples/stockquote/client/optimize.ts';
import { include, openRelated, writeRelated } from '../../../samples/stockquote/wire/related.ts';
import { writeEnvelope } from '../../../samples/stockquote/wire/soap.ts';
import { afterTheTest } from '../../support/clean-up.ts';
import { call } from '../../support/http-call.ts';
import { waitFor } from '../../support/wait-for.ts';
import { starter } from './expectations.ts';
import { definitions, type RunningSample, runArtifacts, sample } from './running-sample.ts';

/* Files beside the envelope: MTOM and SOAP with Attachments. */

const onCleanUp = afterTheTest();
const started = starter(onCleanUp);
const FILE = randomBytes(200_000);

/** `ant optimizeclient -Dopt_mode=…`; returns the printed lines, and the file that came back. */
async function optimizeclient(running: RunningSample, mode: 'mtom' | 'swa', path = '/services/MTOMSwASampleService') {
  const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-upload-'));
  onCleanUp('the folder', () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'asf-logo.gif');
  writeFileSync(file, FILE);
  const lines: string[] = [];
  const saved = await uploadOptimized({
    mode,
    url: new URL(running.trp(path)),
    file,
    connection: { timeoutMs: 15_000 },
    print: (line) => lines.push(line.replace(folder, '')),
  });
  onCleanUp('the saved file', () => rmSync(saved, { force: true }));
  return { lines, saved, content: readFileSync(saved) };
}

/** Without the descriptions that were asked for. */
function posted(running: RunningSample) {
  return running.backEnd().requests.filter(({ method }) => method === 'POST');
}

/** What the back end wrote into a file of its own. */
function received(running: RunningSample): { line: string; content: Buffer } {
  const [printed = ''] = running.backEnd().printed;
  const path = /: (\/.*)$/.exec(printed)?.[1] ?? '';
  onCleanUp('the received file', () => rmSync(path, { force: true }));
  return { line: printed.replace(path, 'PATH'), content: existsSync(path) ? readFileSync(path) : Buffer.alloc(0) };
}

sample('51: MTOM and SwA', definitions('51-53f89a'), (file) => {
  it.each([
    ['mtom', 'MTOM', 'Wrote MTOM content to temp file : PATH', 'application/xop+xml'],
    ['swa', 'SwA', 'Wrote SwA attachment to temp file : PATH', 'text/xml'],
  ] as const)('%s: a file goes there and back, byte by byte', async (mode, name, line, root) => {
    const running = await started(file);
    const { lines, saved, content } = await optimizeclient(running, mode);
    expect(lines).toEqual([`Sending file : /asf-logo.gif as ${name}`, `Saved response to file : ${saved}`]);
    expect(content.equals(FILE)).toBe(true);
    const there = received(running);
    expect(there.line).toBe(line);
    expect(there.content.equals(FILE)).toBe(true);
    const [request] = posted(running);
    expect(request?.headers['content-type']).toMatch(/^multipart\/related;/);
    expect(request?.headers['content-type']).toContain(`type="${root}"`);
  });
});

const STORED = {
  Upload:
    '<proxy name="Upload"><target><inSequence><property name="seen" expression="$body/*/*"/><property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/><property name="OUT_ONLY" value="true"/><store messageStore="Files"/></inSequence></target></proxy>',
  Files: '<messageStore name="Files"/>',
  Shop: '<endpoint name="Shop"><address uri="http://localhost:9000/services/MTOMSwASampleService" optimize="swa"/></endpoint>',
  Forwarder:
    '<messageProcessor name="Forwarder" class="org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor" targetEndpoint="Shop" messageStore="Files"><parameter name="interval">100</parameter></messageProcessor>',
};

it('a message with an attachment is stored and forwarded byte by byte, looked into or not', async () => {
  const running = await runArtifacts(STORED, { flavour: 'apache' });
  onCleanUp('the sample', () => running.stop());
  const id = 'urn:uuid:1';
  const payload = `<m:uploadFileUsingSwA xmlns:m="http://services.samples"><m:request><m:imageId>${id}</m:imageId></m:request></m:uploadFileUsingSwA>`;
  const attachment = { id, contentType: 'image/gif', bytes: FILE };
  const { contentType, body } = writeRelated('soap11', writeEnvelope('soap11', payload), [attachment], false);
  const headers = { 'Content-Type': contentType, SOAPAction: '"urn:uploadFileUsingSwA"' };
  expect((await call(running.trp('/services/Upload'), { body, headers })).status).toBe(202);
  const request = await waitFor(() => posted(running)[0], { what: 'the forwarded message' });
  expect(Buffer.from(request.body).equals(body)).toBe(true);
  expect(openRelated(request.body, request.headers['content-type'] ?? '').attachments.get(id)?.bytes).toEqual(FILE);
  await waitFor(() => running.backEnd().printed.length > 0, { what: 'the file' });
  expect(received(running).content.equals(FILE)).toBe(true);
});

it('what is beside a changed envelope goes on beside it, through a store, too', async () => {
  const change = '<header name="h:Seen" xmlns:h="urn:h" value="yes"/><property name="FORCE_SC_ACCEPTED"';
  const Upload = STORED.Upload.replace('<property name="FORCE_SC_ACCEPTED"', change);
  const Shop = STORED.Shop.replace('optimize="swa"', 'optimize="mtom"');
  const running = await runArtifacts({ ...STORED, Upload, Shop }, { flavour: 'apache' });
  onCleanUp('the sample', () => running.stop());
  const image = { id: '1.x@apache.org', contentType: 'image/gif', bytes: FILE };
  const payload = `<m:uploadFileUsingMTOM xmlns:m="http://services.samples"><m:request><m:image>${include(image.id)}</m:image></m:request></m:uploadFileUsingMTOM>`;
  const { contentType, body } = writeRelated('soap11', writeEnvelope('soap11', payload), [image], true);
  const headers = { 'Content-Type': contentType, SOAPAction: '"urn:uploadFileUsingMTOM"' };
  expect((await call(running.trp('/services/Upload'), { body, headers })).status).toBe(202);
  const request = await waitFor(() => posted(running)[0], { what: 'the forwarded message' });
  const there = openRelated(request.body, request.headers['content-type'] ?? '');
  expect(Buffer.from(there.root).toString().slice(0, 1_000)).toMatch(/<h:Seen[^>]*>yes<\/h:Seen>.*xop:Include/s);
  expect([...there.attachments.keys()]).toEqual([image.id]);
  await waitFor(() => running.backEnd().printed.length > 0, { what: 'the file' });
  const { line, content } = received(running);
  expect(line).toBe('Wrote MTOM content to temp file : PATH');
  expect(content.equals(FILE)).toBe(true);
});

/** A proxy for MTOMSwASampleService: `before` runs with the request, `after` with the answer. */
const proxied = (attributes: string, before: string, after: string) => ({
  Upload: `<proxy name="Upload"><target><inSequence>${before}<send><endpoint><address uri="http://localhost:9000/services/MTOMSwASampleService" ${attributes}/></endpoint></send></inSequence><outSequence>${after}<send/></outSequence></target></proxy>`,
});
const upload = (image: string) =>
  writeEnvelope(
    'soap11',
    `<m:uploadFileUsingMTOM xmlns:m="http://services.samples"><m:request>${image}</m:request></m:uploadFileUsingMTOM>`,
  );

it('what says that it is bytes is sent beside the envelope; the answer is unpacked where enableMTOM is false', async () => {
  const running = await runArtifacts(
    proxied('optimize="mtom"', '', '<property name="enableMTOM" value="false" scope="axis2"/>'),
    { flavour: 'apache' },
  );
  onCleanUp('the sample', () => running.stop());
  const image = `<m:image xmlns:x="http://www.w3.org/2005/05/xmlmime" x:contentType="image/gif">${FILE.toString('base64')}</m:image>`;
  const headers = { 'Content-Type': 'text/xml', SOAPAction: '"urn:uploadFileUsingMTOM"' };
  const reply = await call(running.trp('/services/Upload'), { body: upload(image), headers });
  const [request] = posted(running);
  expect(request?.headers['content-type']).toMatch(/^multipart\/related;.*type="application\/xop\+xml"/);
  expect(request?.headers.soapaction).toBe('"urn:uploadFileUsingMTOM"');
  const there = openRelated(request?.body ?? FILE, request?.headers['content-type'] ?? '');
  expect([...there.attachments.values()].map(({ contentType }) => contentType)).toEqual(['image/gif']);
  expect(Buffer.from(there.root).toString().slice(0, 1_000)).toContain('xop:Include');
  expect(received(running).content.equals(FILE)).toBe(true);
  expect(reply.headers['content-type']).toMatch(/^text\/xml/);
  const back = Buffer.from(/image>([^<]*)</.exec(reply.text)?.[1] ?? '', 'base64');
  expect(back.equals(FILE)).toBe(true);
});

it('optimize="swa" unpacks MTOM, axis2 enableMTOM packs an answer', async () => {
  const mark = '<property name="enableMTOM" value="true" scope="axis2"/>';
  const running = await runArtifacts(proxied('optimize="swa"', '', mark), { flavour: 'apache' });
  onCleanUp('the sample', () => running.stop());
  const image = { id: '1.x@apache.org', contentType: 'image/gif', bytes: FILE };
  const { contentType, body } = writeRelated(
    'soap11',
    upload(`<m:image>${include(image.id)}</m:image>`),
    [image],
    true,
  );
  const headers = { 'Content-Type': contentType, SOAPAction: '"urn:uploadFileUsingMTOM"' };
  const reply = await call(running.trp('/services/Upload'), { body, headers });
  const [request] = posted(running);
  expect(request?.headers['content-type']).toMatch(/^multipart\/related;.*type="text\/xml"/);
  const there = openRelated(request?.body ?? FILE, request?.headers['content-type'] ?? '');
  expect(there.attachments.size).toBe(0);
  expect(received(running).content.equals(FILE)).toBe(true);
  expect(reply.headers['content-type']).toMatch(/^multipart\/related;.*type="application\/xop\+xml"/);
});

sample('callout by MTOM', 'proxy/CallOutMediatorWithMTOMProxy-07e7e1.xml', (file) => {
  it('the file goes to the back end beside the envelope', async () => {
    const running = await started(file, { backEnds: [9001], flavour: 'apache' });
    const image = { id: '1.x@apache.org', contentType: 'image/gif', bytes: FILE };
    const { contentType, body } = writeRelated(
      'soap11',
      upload(`<m:image>${include(image.id)}</m:image>`),
      [image],
      true,
    );
    const headers = { 'Content-Type': contentType, SOAPAction: '"urn:uploadFileUsingMTOM"' };
    const reply = await call(running.server.service('CallOutMediatorWithMTOMProxy'), { body, headers });
    const [request] = running.backEnd(9001).requests.filter(({ method }) => method === 'POST');
    expect(request?.headers['content-type']).toMatch(/^multipart\/related;.*type="application\/xop\+xml"/);
    const there = openRelated(request?.body ?? FILE, request?.headers['content-type'] ?? '');
    expect([...there.attachments.values()].map(({ bytes }) => FILE.equals(bytes))).toEqual([true]);
    expect(reply.headers['content-type']).not.toContain('multipart');
    expect(reply.text).toContain('<m:test1>testMTOM</m:test1>');
    for (const line of running.backEnd(9001).printed) rmSync(/: (\/.*)$/.exec(line)?.[1] ?? '', { force: true });
  });
});
