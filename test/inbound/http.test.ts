import { rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePort } from '../support/free-ports.ts';
import { call } from '../support/http-call.ts';
import { type InProcess, inOnly, serve } from '../support/in-process.ts';

const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';

interface Inbound {
  readonly name?: string;
  readonly protocol?: string;
  readonly attributes?: string;
  readonly parameters: Readonly<Record<string, string>>;
}

function inbound({
  name = 'in',
  protocol = 'http',
  attributes = 'sequence="s" onError="f"',
  parameters,
}: Inbound): string {
  const written = Object.entries(parameters).map(([key, value]) => `<parameter name="${key}">${value}</parameter>`);
  return `<inboundEndpoint ${SYNAPSE} name="${name}" protocol="${protocol}" ${attributes}><parameters>${written.join('')}</parameters></inboundEndpoint>`;
}

/** Answers with a text of its own and what the message says about where it came in. */
const says = (text: string) =>
  `<payloadFactory media-type="json"><format>{"said":"${text}","inbound":"$1","artifact":"$2","is":"$3"}</format><args><arg evaluator="xml" expression="get-property('inbound.endpoint.name')"/><arg evaluator="xml" expression="get-property('ARTIFACT_NAME')"/><arg evaluator="xml" expression="get-property('isInbound')"/></args></payloadFactory><property name="messageType" value="application/json" scope="axis2"/><respond/>`;

const sequence = (name: string, mediators: string) => `<sequence ${SYNAPSE} name="${name}">${mediators}</sequence>`;

/** Where an inbound endpoint listens. */
async function portOf(running: InProcess, name = 'in'): Promise<number> {
  const line = await running.logged(new RegExp(`Inbound endpoint \\[${name}\\] (listens|goes on listening) on`));
  return Number(/:(\d+)$/.exec(line)?.[1]);
}

async function serving(
  artifacts: Readonly<Record<string, string>>,
  check: (running: InProcess) => Promise<void>,
  watch = false,
) {
  const running = await serve(artifacts, '', { watch });
  try {
    await check(running);
  } finally {
    await running.stop();
  }
}

const json = { headers: { 'Content-Type': 'application/json' }, body: '{"a":1}' };

describe('an HTTP inbound endpoint', () => {
  it('runs its sequence on a port of its own and says who it is', () =>
    serving(
      { i: inbound({ parameters: { 'inbound.http.port': '0' } }), s: sequence('s', says('hello')) },
      async (running) => {
        const answer = await call(`http://127.0.0.1:${await portOf(running)}/any/where?x=1`, json);
        expect(answer.status).toBe(200);
        expect(JSON.parse(answer.text)).toEqual({
          said: 'hello',
          inbound: 'in',
          artifact: 'inboundendpointin',
          is: 'true',
        });
      },
    ));

  it('a fault runs onError; without one, the sequence fault; a missing sequence is a fault, too', () =>
    serving(
      {
        a: inbound({ name: 'a', parameters: { 'inbound.http.port': '0' } }),
        b: inbound({ name: 'b', attributes: 'sequence="s"', parameters: { 'inbound.http.port': '0' } }),
        c: inbound({ name: 'c', attributes: 'sequence="none" onError="f"', parameters: { 'inbound.http.port': '0' } }),
        s: sequence('s', '<sequence key="nowhere"/>'),
        f: sequence('f', says('from f')),
        fault: sequence('fault', says('from fault')),
      },
      async (running) => {
        const said = async (name: string) =>
          JSON.parse((await call(`http://127.0.0.1:${await portOf(running, name)}/`, json)).text).said;
        expect(await said('a')).toBe('from f');
        expect(await said('b')).toBe('from fault');
        const missing = await call(`http://127.0.0.1:${await portOf(running, 'c')}/`, json);
        expect(missing.status).toBe(500);
        expect(missing.text).toContain('none');
      },
    ));

  it('lets what matches dispatch.filter.pattern through to proxies and APIs, and binds APIs', () =>
    serving(
      {
        i: inbound({ parameters: { 'inbound.http.port': '0', 'dispatch.filter.pattern': '/(services/P|open)(/.*)?' } }),
        s: sequence('s', says('sequence')),
        p: inOnly('P', says('proxy')).replace('</proxy>', '<parameter name="inbound.only">true</parameter></proxy>'),
        q: inOnly('Q', says('another')),
        open: `<api name="open" context="/open"><resource methods="POST"><inSequence>${says('open')}</inSequence></resource></api>`,
        bound: `<api name="bound" context="/bound" binds-to="in"><resource methods="POST"><inSequence>${says('bound')}</inSequence></resource></api>`,
        closed: `<api name="closed" context="/closed"><resource methods="POST"><inSequence>${says('closed')}</inSequence></resource></api>`,
      },
      async (running) => {
        const port = await portOf(running);
        const said = async (path: string) =>
          JSON.parse((await call(`http://127.0.0.1:${port}${path}`, json)).text).said;
        expect(await said('/services/P')).toBe('proxy');
        expect(await said('/services/Q')).toBe('sequence');
        expect(await said('/open/x')).toBe('open');
        expect(await said('/bound')).toBe('bound');
        expect(await said('/closed')).toBe('sequence');
        // inbound.only: the usual port discards the request and acknowledges it (spec proxies 1.3).
        const discarded = await call(running.service('P'), json);
        expect([discarded.status, discarded.text]).toEqual([202, '']);
        expect((await call(running.url('/bound'), json)).text).not.toContain('bound"');
      },
    ));

  it('without a sequence, what nobody takes is answered with a fault', () =>
    serving(
      { i: inbound({ attributes: '', parameters: { 'inbound.http.port': '0', 'dispatch.filter.pattern': '.*' } }) },
      async (running) => {
        const answer = await call(`http://127.0.0.1:${await portOf(running)}/nobody`, json);
        expect(answer.status).toBe(500);
        expect(answer.text).toContain('/nobody');
      },
    ));

  it('suspended, it does not listen', async () => {
    const port = await freePort();
    await serving(
      {
        i: inbound({ attributes: 'sequence="s" suspend="true"', parameters: { 'inbound.http.port': String(port) } }),
        s: sequence('s', says('hello')),
      },
      async (running) => {
        await running.logged(/in is currently suspended/);
        await expect(call(`http://127.0.0.1:${port}/`)).rejects.toThrow('ECONNREFUSED');
      },
    );
  });

  it('waits for a port that is taken', async () => {
    const port = await freePort();
    const other = createServer((_, response) => response.end('other'));
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    await serving(
      { i: inbound({ parameters: { 'inbound.http.port': String(port) } }), s: sequence('s', says('mine')) },
      async (running) => {
        await running.logged(new RegExp(`ERROR .*\\[in\\] cannot listen: Port ${port} .* is taken`));
        await new Promise((resolve) => other.close(resolve));
        await portOf(running);
        expect((await call(`http://127.0.0.1:${port}/`, json)).text).toContain('mine');
      },
    );
  });

  it(
    'redeployed, no connection is refused, and the new definition serves',
    () =>
      serving(
        {
          i: inbound({ parameters: { 'inbound.http.port': '0' } }),
          s: sequence('s', says('one')),
          t: sequence('t', says('two')),
        },
        async (running) => {
          const url = `http://127.0.0.1:${await portOf(running)}/`;
          const kept = new Agent({ keepAlive: true, maxSockets: 1 });
          const seen = new Set<string>();
          let done = false;
          const traffic = (async () => {
            while (!done) {
              const answer = await call(url, json);
              expect(answer.status).toBe(200);
              seen.add(JSON.parse(answer.text).said);
            }
          })();
          await call(url, { ...json, agent: kept });
          writeFileSync(
            join(running.directory, 'i.xml'),
            inbound({ attributes: 'sequence="t"', parameters: { 'inbound.http.port': '0' } }),
          );
          await running.logged(/Inbound Endpoint: in has been updated from the file/);
          await running.logged(/\[in\] goes on listening/);
          expect(JSON.parse((await call(url, { ...json, agent: kept })).text).said).toBe('two');
          done = true;
          await traffic;
          kept.destroy();
          expect([...seen].every((said) => said === 'one' || said === 'two')).toBe(true);
          rmSync(join(running.directory, 'i.xml'));
          await running.logged(/Inbound Endpoint named 'in' has been undeployed/);
        },
        true,
      ),
    30_000,
  );

  it('https: with the certificate of the server, and a warning about a Java key store', () =>
    serving(
      {
        i: inbound({
          protocol: 'https',
          parameters: { 'inbound.http.port': '0', keystore: '<KeyStore><Location>a.jks</Location></KeyStore>' },
        }),
        s: sequence('s', says('safe')),
      },
      async (running) => {
        const answer = await call(`https://127.0.0.1:${await portOf(running)}/`, json);
        expect(JSON.parse(answer.text).said).toBe('safe');
        expect(running.lines().some((line) => line.includes('Java key stores are not read'))).toBe(true);
      },
    ));
});
