import { expect, it } from 'vitest';
import { afterTheTest } from '../../support/clean-up.ts';
import { call, envelope } from '../../support/http-call.ts';
import { getQuote, quoteLine, STANDARD, starter } from './expectations.ts';
import { definitions, type RunningSample, sample, startBackEnd } from './running-sample.ts';

/* Samples 50 to 63: endpoints. */

const onCleanUp = afterTheTest();
const started = starter(onCleanUp);
const THREE = { backEnds: [9001, 9002, 9003] };
const DOWN = "org.apache.axis2.AxisFault: COULDN'T SEND THE MESSAGE TO THE SERVER.";

/** Which servers answered: `[1, 2, 3]`. */
async function servers(running: RunningSample, requests: number): Promise<number[]> {
  const { lines, failure } = await running.loadbalancefailover(requests);
  expect(failure).toBeUndefined();
  return lines.map((line) => Number(/ ==> Response from server: MyServer(\d)$/.exec(line)?.[1]));
}

const stop = (running: RunningSample, ...ports: number[]) =>
  Promise.all(ports.map((port) => running.backEnd(port).service.close()));

sample('50: POX to SOAP', definitions('50-28aa3a'), (file) => {
  it('a client with plain XML gets its quote, the back end SOAP', async () => {
    const running = await started(file);
    const outcome = await running.stockquote({ trpurl: running.trp('/services/StockQuote'), rest: true });
    expect(outcome.lines).toEqual([expect.stringMatching(STANDARD)]);
    const request = running.backEnd().requests.at(-1);
    expect(request?.headers).toMatchObject({ 'content-type': 'text/xml; charset=UTF-8', soapaction: '"urn:getQuote"' });
    expect(Buffer.from(request?.body ?? []).toString()).toMatch(/Envelope.*Body.*<m0:symbol>IBM</s);
    // As WSO2 does it, the envelope of the back end's answer is passed on as it came; Apache's products answer the bare element.
    const reply = await call(running.trp('/services/StockQuote'), {
      headers: { 'Content-Type': 'application/xml' },
      body: getQuote('SUN'),
    });
    expect(reply).toMatchObject({ status: 200, text: expect.stringMatching(/<ns:getQuoteResponse .*symbol>SUN<\//s) });
  });
});

for (const file of ['52-5cacc1', '52-8e1be5', '58-06c8dd', '58-69a174'].map(definitions)) {
  sample(`${/sample_(\d+)/.exec(file)?.[1]}: load balance`, file, () => {
    it('takes turns, skips a server that has stopped, and says so when all have', async () => {
      const running = await started(file, THREE);
      expect(await servers(running, 7)).toEqual([1, 2, 3, 1, 2, 3, 1]);
      await stop(running, 9002);
      expect(await servers(running, 4)).toEqual([3, 1, 3, 1]);
      await stop(running, 9001, 9003);
      expect((await running.loadbalancefailover(1)).failure).toBe(DOWN);
    });
  });
}

for (const file of ['53-0c3a58', '53-62b2c6'].map(definitions)) {
  sample('53: failover', file, () => {
    it('stays with the first server that works', async () => {
      const running = await started(file, THREE);
      expect(await servers(running, 4)).toEqual([1, 1, 1, 1]);
      await stop(running, 9001);
      expect(await servers(running, 3)).toEqual([2, 2, 2]);
      await stop(running, 9002);
      expect(await servers(running, 2)).toEqual([3, 3]);
      await stop(running, 9003);
      expect((await running.loadbalancefailover(1)).failure).toBe(DOWN);
    });
  });
}

for (const [file, path] of [
  ['54-8ddf81', undefined],
  ['54-c166fb', undefined],
  ['154-30492b', '/services/LBProxy'],
  ['752-1d2d98', '/services/LBProxy'],
  ['752-417d7c', '/services/LBProxy'],
] as const) {
  sample(`${/^\d+/.exec(file)?.[0]}: session affinity`, definitions(file), (definition) => {
    it('every session keeps to its server', async () => {
      const running = await started(definition, THREE);
      const { lines } = await running.loadbalancefailover(20, { mode: 'session', ...(path && { path }) });
      const pairs = lines.map((line) =>
        /with Session ID: (\d) ---- Response : with {4}Response from server: (MyServer\d)$/.exec(line)?.slice(1),
      );
      expect(pairs).toHaveLength(20);
      const serversOf = Map.groupBy(pairs, (pair) => pair?.[0]);
      for (const [session, found] of serversOf) {
        expect(session).toMatch(/^[123]$/);
        expect(new Set(found.map((pair) => pair?.[1])).size).toBe(1);
      }
      // New sessions are given out in turn, so no two of them meet.
      expect(new Set(pairs.map((pair) => pair?.[1])).size).toBe(serversOf.size);
    });
  });
}

sample('56: WSDL endpoint', definitions('56-1c1e13'), (file) => {
  it('finds the address of the port in the WSDL', async () => {
    const running = await started(file);
    expect((await running.stockquote({ addurl: running.trp() })).lines).toEqual([expect.stringMatching(STANDARD)]);
    expect(running.backEnd().requests.at(-1)?.url).toBe(
      '/services/SimpleStockQuoteService.SimpleStockQuoteServiceHttpSoap11Endpoint',
    );
  });
});

sample('59: weighted round robin', definitions('59-c88b5c'), (file) => {
  it('gives each server as many messages in a row as it has weight', async () => {
    const running = await started(file, THREE);
    expect(await servers(running, 12)).toEqual([1, 2, 2, 3, 3, 3, 1, 2, 2, 3, 3, 3]);
  });
});

for (const [file, setup] of [
  ['61-42281a', 'apache'],
  ['61-4fe0af', 'wso2'],
  ['62-671567', 'apache'],
] as const) {
  sample(`${/^\d+/.exec(file)?.[0]}: recipient list, one way`, definitions(file), (definition) => {
    it('every server gets the order', async () => {
      const running = await started(definition, { ...THREE, flavour: setup });
      const { lines, status } = await running.stockquote({ trpurl: running.trp(), mode: 'placeorder' });
      expect(status).toBe(202);
      const order = /Order placed for (\d+) shares of stock IBM at a price of \$ (\S+)/.exec(lines[0] ?? '');
      for (const port of THREE.backEnds) {
        await expect
          .poll(() => running.backEnd(port).lines)
          .toEqual([
            `samples.services.SimpleStockQuoteService :: Accepted order #1 for : ${order?.[1]} stocks of IBM at $ ${order?.[2]}`,
          ]);
      }
    });
  });
}

for (const file of ['60-27e4f8', '61-24c783'].map(definitions)) {
  sample('recipient list without an answer', file, () => {
    it('every server is asked; the answers are logged and dropped', async () => {
      const running = await started(file, THREE);
      expect(await running.stockquote({ trpurl: running.trp() })).toMatchObject({ status: 202 });
      for (const port of THREE.backEnds) expect(running.backEnd(port).lines).toEqual([quoteLine()]);
      expect(running.logged(/Direction: response, Envelope: .*getQuoteResponse/)).toHaveLength(3);
    });
  });
}

for (const file of ['62-84728e', '62-e2def8', '63-0884a0'].map(definitions)) {
  sample('63: recipient list and aggregate', file, () => {
    it('the client gets one answer of all three', async () => {
      const running = await started(file, THREE);
      const reply = await call(running.trp(), {
        headers: { 'Content-Type': 'text/xml', SOAPAction: '"urn:getQuote"' },
        body: envelope(getQuote('IBM')),
      });
      expect(reply.text.match(/symbol>IBM</g)).toHaveLength(3);
      for (const port of THREE.backEnds) expect(running.backEnd(port).lines).toEqual([quoteLine()]);
    });
  });
}

sample('52: a server that comes back', definitions('58-06c8dd'), (file) => {
  it('is not asked while it is suspended', async () => {
    const running = await started(file, THREE);
    const port = running.port(9002);
    await stop(running, 9002);
    expect(await servers(running, 4)).toEqual([1, 3, 1, 3]);
    const again = await startBackEnd(9002, { flavour: 'apache' }, port);
    onCleanUp('the server that came back', () => again.service.close());
    expect(await servers(running, 2)).toEqual([1, 3]);
    expect(again.requests).toEqual([]);
  });
});
