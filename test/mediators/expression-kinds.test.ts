import { describe, expect, it } from 'vitest';
import { message, problemLines, sequence } from '../mediation/harness.ts';

/** One value, found in each way (MREQ-12), and a message that has it. */
const KINDS = [
  ['XPath', '//id', () => message({ body: '<r><id>x7</id></r>' })],
  ['json-eval', 'json-eval($.id)', () => message({ body: '{"id":"x7"}', contentType: 'application/json' })],
  ['a Synapse expression', `\${payload.id}`, () => message({ body: '{"id":"x7"}', contentType: 'application/json' })],
] as const;

describe.each(KINDS)('%s is taken by mediators that took XPath only (MREQ-12):', (_, expression, request) => {
  it.each([
    ['aggregate correlateOn', `<aggregate><correlateOn expression="${expression}"/>ON_COMPLETE</aggregate>`],
    ['aggregate onComplete', `<aggregate><onComplete expression="${expression}"><drop/></onComplete></aggregate>`],
    ['xslt source', `<xslt key="k" source="${expression}"/>`],
    [
      'callout source',
      `<callout serviceURL="http://h/"><source xpath="${expression}"/><target xpath="${expression}"/></callout>`,
    ],
  ])('%s', (_what, mediators) => {
    const written = mediators.replace('ON_COMPLETE', '<onComplete expression="//a"><drop/></onComplete>');
    expect(problemLines(written)).toEqual([]);
  });

  it('makefault reason', async () => {
    const code = '<code xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" value="s:Server"/>';
    const flow = sequence(`<makefault version="soap11">${code}<reason expression="${expression}"/></makefault>`);
    const faulty = request();
    await flow.mediate(faulty);
    expect(String(faulty.payload.body())).toContain('<faultstring>x7</faultstring>');
  });

  it('router route', async () => {
    const target = '<target><sequence><property name="taken" value="yes"/></sequence></target>';
    const flow = (match: string) =>
      sequence(
        `<router continueAfter="true"><route expression="${expression}" match="${match}">${target}</route></router>`,
      );
    const [matching, other] = [request(), request()];
    await flow('x\\d').mediate(matching);
    await flow('y').mediate(other);
    expect([matching.text('taken'), other.text('taken')]).toEqual(['yes', undefined]);
  });
});
