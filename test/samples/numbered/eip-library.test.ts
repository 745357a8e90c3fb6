import { expect, it } from 'vitest';
import { afterTheTest } from '../../support/clean-up.ts';
import { call, envelope } from '../../support/http-call.ts';
import { described } from './described-sample.ts';
import { getQuote, quoteLine, STANDARD, starter } from './expectations.ts';
import {
  corpusText,
  definitions,
  type RunningSample,
  runArtifacts,
  type SampleSetup,
  sample,
} from './running-sample.ts';

/*
 * Samples 850 to 857: the templates of the EIP library, which is built in. 850, 853 and 855 run from their files; those of the others
 * are not in the open corpus: artifacts of our own that call the same templates, and the files where they are at hand.
 */

const onCleanUp = afterTheTest();
const started = starter(onCleanUp);

const IMPORT = '<import name="EipLibrary" package="synapse.lang.eip"/>';

async function startedText(xml: string, setup: Partial<SampleSetup> = {}): Promise<RunningSample> {
  const running = await runArtifacts({ sample: xml }, { flavour: 'apache', ...setup });
  onCleanUp('the sample', () => running.stop());
  return running;
}

/** Calls a template of the library. */
function template(name: string, parameters: Readonly<Record<string, string>>): string {
  const given = Object.entries(parameters).map(([key, value]) => `<with-param name="${key}" value="${value}"/>`);
  return `<call-template xmlns:m0="http://services.samples" target="synapse.lang.eip.${name}">${given.join('')}</call-template>`;
}

const SERVICE = 'http://localhost:9000/services/SimpleStockQuoteService';
const BEST =
  '//m0:return[not(preceding-sibling::m0:return/m0:last &lt;= m0:last) and not(following-sibling::m0:return/m0:last &lt; m0:last)]';
/** The answer is the best quote of all. */
const BEST_QUOTE = `<sequence name="enr">
  <log level="custom"><property name="text" value="seqhit"/></log>
  <enrich><source xmlns:m0="http://services.samples" clone="true" xpath="${BEST}"/><target type="body"/></enrich>
  <send/>
</sequence>`;
const SPLITTING = {
  iterate_exp: '{{//m0:getQuote/m0:request}}',
  attach_path: '{{//m0:getQuote}}',
  attach_path_enabled: 'true',
  endpoint_uri: SERVICE,
};
const AGGREGATING = { sequence_ref: 'enr', aggregator_exp: '{{//m0:return}}', oncomplete_seq_enabled: 'true' };
const ONE_WAY =
  '<property name="OUT_ONLY" value="true"/><property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/>';

sample('850: callout block', definitions('850-863fc3'), (file) => {
  it('answers with what it called', async () => {
    const running = await started(file);
    expect((await running.smart({ symbol: 'SUN' })).lines).toEqual([expect.stringMatching(STANDARD)]);
    expect(running.backEnd().lines).toEqual([quoteLine('SUN')]);
    expect(running.server.lines().filter((line) => /is not deployed/.test(line))).toEqual([]);
  });
});

sample(
  '850: callout block, with the template of the distribution',
  'template/template_callout_block-e5836a.xml',
  (file) => {
    it('answers with what it called', async () => {
      const call = template('callout_block', { service_URL: SERVICE, action: 'urn:getQuote' });
      const running = await startedText(
        `<definitions xmlns="http://ws.apache.org/ns/synapse">${IMPORT}<sequence name="main">${call.replace('synapse.lang.eip.', '')}<respond/></sequence></definitions>`,
        { more: { library: corpusText(file) } },
      );
      expect((await running.smart({ symbol: 'SUN' })).lines).toEqual([expect.stringMatching(STANDARD)]);
      expect(running.backEnd().lines).toEqual([quoteLine('SUN')]);
    });
  },
);

const SPLITTER_AND_AGGREGATOR = `${IMPORT}<proxy name="StockQuoteProxy" transports="https http"><target>
    <inSequence>${template('splitter', SPLITTING)}</inSequence>
    <outSequence>${template('aggregator', AGGREGATING)}</outSequence>
  </target></proxy>${BEST_QUOTE}`;

described('851: splitter and aggregator', SPLITTER_AND_AGGREGATOR, (xml) => {
  it('answers with the best of four quotes', async () => {
    const running = await startedText(xml);
    const { lines } = await running.stockquote({ trpurl: running.server.service('StockQuoteProxy'), itr: 4 });
    expect(lines).toEqual([expect.stringMatching(STANDARD)]);
    expect(running.backEnd().lines).toEqual(Array(4).fill(quoteLine()));
    expect(running.logged(/^text = seqhit/)).toHaveLength(1);
  });
});

const IN_ONE = `${IMPORT}<sequence name="main">${template('splitter_aggregator', { ...SPLITTING, ...AGGREGATING })}</sequence>${BEST_QUOTE}`;

described('852: splitter and aggregator in one', IN_ONE, (xml) => {
  it('answers with the best of four quotes', async () => {
    const running = await startedText(xml);
    const { lines } = await running.stockquote({ trpurl: running.trp(), itr: 4 });
    expect(lines).toEqual([expect.stringMatching(STANDARD)]);
    expect(running.backEnd().lines).toEqual(Array(4).fill(quoteLine()));
    expect(running.logged(/^text = seqhit/)).toHaveLength(1);
  });
});

sample('853: scatter and gather', definitions('853-0196fd'), (file) => {
  it('answers with the best of three quotes', async () => {
    const running = await started(file, { backEnds: [9001, 9002, 9003] });
    const { lines } = await running.stockquote({ trpurl: running.trp() });
    expect(lines).toEqual([expect.stringMatching(STANDARD)]);
    for (const port of [9001, 9002, 9003]) expect(running.backEnd(port).lines).toEqual([quoteLine()]);
    expect(running.logged(/^text = seqhit/)).toHaveLength(1);
  });
});

const URIS = { wiretap_uri: SERVICE, destination_uri: SERVICE.replace('9000', '9001') };
const WIRE_TAP = `${IMPORT}<sequence name="main">${ONE_WAY}${template('wire_tap', URIS)}</sequence>`;

described('854: wire tap', WIRE_TAP, (xml) => {
  it('both servers see the message', async () => {
    const running = await startedText(xml, { backEnds: [9000, 9001] });
    expect(await running.stockquote({ trpurl: running.trp() })).toMatchObject({ status: 202 });
    for (const port of [9000, 9001]) await expect.poll(() => running.backEnd(port).lines).toEqual([quoteLine()]);
  });
});

const CONDITION = (number: string) =>
  `<log level="custom"><property name="MSG_FLOW" value="Condition (${number}) Satisfied"/></log>`;
const CONDITIONS = `<sequence name="send_seq"><send><endpoint><address uri="${SERVICE}"/></endpoint></send></sequence>
  ${['I', 'II', 'III'].map((number, index) => `<sequence name="cnd${index + 1}_seq">${CONDITION(number)}<sequence key="send_seq"/></sequence>`).join('')}`;

sample('855: content-based router', definitions('855-d4642c'), (file) => {
  it.each([
    ['IBM', 'I'],
    ['MSFT', 'II'],
    ['DELL', 'III'],
  ])('%s takes route (%s)', async (symbol, route) => {
    const running = await started(file);
    const outcome = await running.stockquote({ trpurl: running.server.service('StockQuoteProxy'), symbol });
    expect(outcome.lines).toEqual([expect.stringMatching(STANDARD)]);
    expect(running.logged(/^MSG_FLOW/)).toEqual([`MSG_FLOW = Condition (${route}) Satisfied`]);
    expect(running.backEnd().lines).toEqual([quoteLine(symbol)]);
  });
});

const ROUTES =
  'header=foo:bar.*{AND}url=/services/StockQuoteProxy.*;seq=cnd1_seq,header=custom_header1:bar.*{OR}header=custom_header1:foo.*;seq=cnd2_seq,header=custom_header2:foo.*;seq=cnd3_seq';
const DYNAMIC_ROUTER = `${IMPORT}<proxy name="StockQuoteProxy" transports="https http"><target>
    <inSequence>${template('dynamic_router', { conditions: ROUTES })}</inSequence><outSequence><send/></outSequence>
  </target></proxy>${CONDITIONS}`;

described('856: dynamic router', DYNAMIC_ROUTER, (xml) => {
  it('headers and the URL say which way a message goes', async () => {
    const running = await startedText(xml);
    const ask = async (headers: Record<string, string>) => {
      const before = running.logged(/^MSG_FLOW/).length;
      const { status, text } = await call(running.server.service('StockQuoteProxy'), {
        headers: { 'Content-Type': 'application/soap+xml;charset=UTF-8', ...headers },
        body: envelope(getQuote('IBM')).replaceAll(
          'http://schemas.xmlsoap.org/soap/envelope/',
          'http://www.w3.org/2003/05/soap-envelope',
        ),
      });
      return { status, quoted: text.includes('getQuoteResponse'), flow: running.logged(/^MSG_FLOW/).slice(before) };
    };
    const satisfied = (number: string) => ({
      status: 200,
      quoted: true,
      flow: [`MSG_FLOW = Condition (${number}) Satisfied`],
    });
    expect(await ask({ foo: 'bar' })).toEqual(satisfied('I'));
    expect(await ask({ custom_header1: 'foo' })).toEqual(satisfied('II'));
    expect(await ask({ custom_header1: 'bar' })).toEqual(satisfied('II'));
    expect(await ask({ custom_header2: 'foo' })).toEqual(satisfied('III'));
    expect(await ask({ custom_header2: 'else' })).toEqual({ status: 202, quoted: false, flow: [] });
  });
});

const recipient_list = [9000, 9001].map((port) => SERVICE.replace('9000', String(port))).join(',');
const RECIPIENTS = `${IMPORT}<sequence name="main">${ONE_WAY}${template('recipient_list', { recipient_list })}<drop/></sequence>`;

described('857: recipient list', RECIPIENTS, (xml) => {
  it('both servers see the message', async () => {
    const running = await startedText(xml, { backEnds: [9000, 9001] });
    expect(await running.stockquote({ trpurl: running.trp() })).toMatchObject({ status: 202 });
    for (const port of [9000, 9001]) await expect.poll(() => running.backEnd(port).lines).toEqual([quoteLine()]);
  });
});
