import { beforeEach, describe, expect, it } from 'vitest';
import { afterTheTest } from '../support/clean-up.ts';
import { type EchoBackEnd, echoBackEnd } from '../support/echo-back-end.ts';
import { call, type Reply, soap11 } from '../support/http-call.ts';
import { type InProcess, proxy, serve } from '../support/in-process.ts';
import { waitFor } from '../support/wait-for.ts';

/* iterate, clone, aggregate, foreach and scatter-gather with real back ends: what was split comes together again. */

const onCleanUp = afterTheTest();
let backEnd: EchoBackEnd;
let running: InProcess;

const NS = 'xmlns:m0="http://services.samples"';
const REQUEST = '<m0:getQuote xmlns:m0="http://services.samples">%</m0:getQuote>';
const requestOf = (...symbols: string[]) =>
  REQUEST.replace('%', symbols.map((symbol) => `<m0:request><m0:symbol>${symbol}</m0:symbol></m0:request>`).join(''));

const endpoint = (path = 'quote') => `<endpoint><address uri="${backEnd.url}/${path}"/></endpoint>`;
const COUNTED = '<onComplete expression="//m0:getQuoteResponse"><send/></onComplete>';

function artifacts(): Record<string, string> {
  const split = (target: string, attributes = '') =>
    `<iterate ${NS} expression="//m0:getQuote/m0:request" preservePayload="true" attachPath="//m0:getQuote" ${attributes}>
       <target>${target}</target></iterate>`;
  const sending = `<sequence><send>${endpoint()}</send></sequence>`;
  const inOut = (name: string, inside: string, out: string) =>
    proxy(name, `<inSequence>${inside}</inSequence><outSequence>${out}</outSequence>`, ` ${NS}`);
  const fault = '<faultSequence><property name="HTTP_SC" value="502" scope="axis2"/><respond/></faultSequence>';
  return {
    // Apache sample 400: split, send, join in the out-sequence.
    'proxy-services/SplitAggregate': inOut(
      'SplitAggregate',
      split(sending),
      `<aggregate><completeCondition><messageCount/></completeCondition>${COUNTED}</aggregate>`,
    ),
    'proxy-services/WithTimeout': inOut(
      'WithTimeout',
      split(sending),
      `<aggregate><completeCondition timeout="1"/><onComplete expression="//m0:getQuoteResponse"><log/></onComplete></aggregate>
       <property name="X-After" value="yes" scope="transport"/><send/>`,
    ),
    'proxy-services/WithLongTimeout': inOut(
      'WithLongTimeout',
      split(sending),
      `<aggregate><completeCondition timeout="60"/>${COUNTED}</aggregate>`,
    ),
    'proxy-services/ToSeveral': inOut(
      'ToSeveral',
      `<clone>${['a', 'b', 'c'].map((path) => `<target>${endpoint(path)}</target>`).join('')}</clone>`,
      `<aggregate><completeCondition><messageCount min="3" max="3"/></completeCondition>${COUNTED}</aggregate>`,
    ),
    'proxy-services/CallAndJoin': proxy(
      'CallAndJoin',
      `<inSequence>${split(`<sequence><call>${endpoint()}</call></sequence>`)}
         <aggregate><onComplete expression="//m0:getQuoteResponse"><property name="in" value="1"/></onComplete></aggregate>
         <respond/></inSequence>${fault}`,
      ` ${NS}`,
    ),
    'proxy-services/OneFails': proxy(
      'OneFails',
      `<inSequence>${split(`<sequence onError="broken"><filter source="//m0:symbol" regex="BAD"><then><call><endpoint><address uri="http://127.0.0.1:1/"/></endpoint></call></then>
         <else><call>${endpoint()}</call></else></filter></sequence>`)}
         <aggregate><completeCondition timeout="1"/><onComplete expression="//m0:getQuoteResponse"><respond/></onComplete></aggregate></inSequence>`,
      ` ${NS}`,
    ),
    'sequences/broken': '<sequence name="broken"><drop/></sequence>',
    'proxy-services/Foreach': proxy(
      'Foreach',
      `<inSequence><foreach collection="json-eval($.list)"><sequence><call>${endpoint()}</call></sequence></foreach><respond/></inSequence>${fault}`,
    ),
    'proxy-services/Scatter': proxy(
      'Scatter',
      `<inSequence><scatter-gather target="body" result-content-type="JSON"><aggregation expression="json-eval($)"/>
         <sequence><call>${endpoint('a')}</call></sequence><sequence><call>${endpoint('b')}</call></sequence></scatter-gather><respond/></inSequence>${fault}`,
    ),
  };
}

beforeEach(async () => {
  backEnd = await echoBackEnd();
  onCleanUp('the back end', () => backEnd.close());
  backEnd.answer = ({ body, url }) => {
    const symbol = /symbol>([^<]*)</.exec(body.toString())?.[1] ?? url.slice(1);
    return {
      headers: { 'Content-Type': 'text/xml' },
      body: `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><n:getQuoteResponse xmlns:n="http://services.samples"><n:symbol>${symbol}</n:symbol></n:getQuoteResponse></e:Body></e:Envelope>`,
    };
  };
  running = await serve(artifacts(), '[mini_synapse]\nshutdown_ms = 4000');
  onCleanUp('the server', () => running.stop());
});

const ask = (name: string, ...symbols: string[]) => soap11(running.service(name), requestOf(...symbols));
const symbolsOf = ({ text }: Reply) => [...text.matchAll(/symbol>([^<]+)<\//g)].map((match) => match[1]).sort();

describe('split and join', () => {
  it('answers once, with all that the back ends said', async () => {
    const reply = await ask('SplitAggregate', 'IBM', 'MSFT', 'SUN');
    expect(reply.status).toBe(200);
    expect(symbolsOf(reply)).toEqual(['IBM', 'MSFT', 'SUN']);
    expect(backEnd.received).toHaveLength(3);
    expect(backEnd.received.every(({ body }) => body.toString().match(/<m0:request>/g)?.length === 1)).toBe(true);
    expect(running.lines().filter((line) => /already responded/.test(line))).toEqual([]);
  });

  it('keeps a hundred clients apart', async () => {
    const replies = await Promise.all(
      Array.from({ length: 100 }, (_, client) => ask('SplitAggregate', `A${client}`, `B${client}`)),
    );
    expect(replies.map(symbolsOf)).toEqual(Array.from({ length: 100 }, (_, client) => [`A${client}`, `B${client}`]));
  });

  it('splits into more parts than run at a time', async () => {
    const symbols = Array.from({ length: 150 }, (_, index) => `S${String(index).padStart(3, '0')}`);
    expect(symbolsOf(await ask('SplitAggregate', ...symbols))).toEqual(symbols);
  });

  it('hands a message to several endpoints and joins their answers', async () => {
    const reply = await ask('ToSeveral', 'IBM');
    expect(symbolsOf(reply)).toEqual(['IBM', 'IBM', 'IBM']);
    expect(backEnd.received.map(({ url }) => url).sort()).toEqual(['/a', '/b', '/c']);
  });

  it('joins the answers of calls behind the splitter', async () => {
    expect(symbolsOf(await ask('CallAndJoin', 'IBM', 'MSFT'))).toEqual(['IBM', 'MSFT']);
  });

  it('answers with what there is when the time is up; the answer that comes later is dropped', async () => {
    const usual = backEnd.answer;
    backEnd.answer = (request) => ({ ...usual(request), ...(request.body.includes('SLOW') && { delayMs: 1800 }) });
    const reply = await ask('WithTimeout', 'IBM', 'SLOW');
    expect(reply.status).toBe(200);
    expect(symbolsOf(reply)).toEqual(['IBM']);
    expect(reply.headers['x-after']).toBe('yes');
    await running.logged(/Aggregate mediator timeout occurred/);
    await waitFor(() => backEnd.received.length === 2, { what: () => 'both requests' });
    await running.stop();
    expect(running.lines().filter((line) => /already responded/.test(line))).toEqual([]);
  });

  it('goes on without a part that failed', async () => {
    const reply = await ask('OneFails', 'IBM', 'BAD', 'SUN');
    expect(reply.status).toBe(200);
    expect(symbolsOf(reply)).toEqual(['IBM', 'SUN']);
  });

  it('lets a group end when the server stops, and its client have an answer', async () => {
    const usual = backEnd.answer;
    backEnd.answer = (request) => (request.body.includes('LOST') ? { silent: true } : usual(request));
    const waiting = ask('WithLongTimeout', 'IBM', 'LOST');
    await waitFor(() => backEnd.received.length === 2, { what: () => 'both requests' });
    const stopped = running.stop();
    expect(symbolsOf(await waiting)).toEqual(['IBM']);
    await stopped;
  });
});

describe('foreach and scatter-gather', () => {
  const json = (name: string, body: string) =>
    call(running.service(name), { body, headers: { 'Content-Type': 'application/json' } });

  it('puts the answers in the order of the items', async () => {
    backEnd.answer = ({ body }) => ({
      headers: { 'Content-Type': 'application/json' },
      body: body.toString().replace('id', 'answer'),
      delayMs: body.includes('1') ? 50 : 1,
    });
    const reply = await json('Foreach', '{"list":[{"id":1},{"id":2}],"n":1.50}');
    expect([reply.status, reply.text]).toEqual([200, '{"list":[{"answer":1},{"answer":2}],"n":1.50}']);
  });

  it('faults once when one of them cannot be had', async () => {
    backEnd.answer = () => ({ headers: { 'Content-Type': 'application/json' }, body: '{}' });
    await backEnd.close();
    const reply = await json('Foreach', '{"list":[{"id":1},{"id":2}]}');
    expect(reply.status).toBe(502);
    expect(running.lines().filter((line) => /already responded/.test(line))).toEqual([]);
  });

  it('gathers what two back ends say', async () => {
    backEnd.answer = ({ url }) => ({
      headers: { 'Content-Type': 'application/json' },
      body: `{"from":"${url}"}`,
      delayMs: url === '/a' ? 50 : 1,
    });
    const reply = await json('Scatter', '{"q":1}');
    expect([reply.status, reply.text]).toEqual([200, '[{"from":"/b"},{"from":"/a"}]']);
  });
});
