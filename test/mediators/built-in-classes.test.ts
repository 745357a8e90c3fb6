import { describe, expect, it } from 'vitest';
import { parseRoutes } from '../../src/mediators/classes/content-router.ts';
import { parseRules } from '../../src/mediators/classes/dynamic-router.ts';
import { builtInClass } from '../../src/mediators/classes/index.ts';
import { MediationError } from '../../src/message/errors.ts';
import { Payload } from '../../src/message/payload.ts';
import { EIP_TEMPLATE_NAMES, eipTemplate } from '../../src/synapse/index.ts';
import { logged, message, problemLines, sequence } from '../mediation/harness.ts';

const QUOTE =
  '<ns:getQuoteResponse xmlns:ns="http://services.samples"><ns:return><ns:name>IBM</ns:name><ns:last>100</ns:last></ns:return></ns:getQuoteResponse>';
const DISCOUNT = (properties = '') => `<class name="samples.mediators.DiscountQuoteMediator">${properties}</class>`;
const property = (name: string, value: string) => `<property name="${name}" value="${value}"/>`;
const last = (quote: { payload: Payload }) =>
  /last>([^<]*)</.exec(quote.payload.firstBodyChild()?.toString() ?? '')?.[1];

describe('classes that need no mapping', () => {
  it('a property that the class does not have, or another method, is an error', () => {
    expect(problemLines(DISCOUNT(property('discount', '1')))).toEqual([
      "error: the class samples.mediators.DiscountQuoteMediator has no property 'discount'",
    ]);
    expect(
      problemLines('<class name="samples.mediators.DiscountQuoteMediator" method="other" target="body"/>'),
    ).toEqual(["error: the class samples.mediators.DiscountQuoteMediator has no method 'other'"]);
    expect(builtInClass(' samples.mediators.DiscountQuoteMediator ')).toBeDefined();
  });

  it('LogMediator writes what <log/> does, at the level that it is given', async () => {
    const name = 'org.apache.synapse.mediators.builtin.LogMediator';
    const lines = async (mediators: string) => {
      const one = message({ body: '<a/>' });
      one.messageId = 'urn:uuid:1';
      const records = await logged(() => sequence(mediators).mediate(one));
      return records.map(({ message: line }) => line);
    };
    expect(await lines(`<class name="${name}"/>`)).toEqual(await lines('<log/>'));
    expect(
      await lines(`<class name="${name}">${property('logLevel', '3')}${property('separator', ' | ')}</class>`),
    ).toEqual(await lines('<log level="full" separator=" | "/>'));
    await expect(lines(`<class name="${name}">${property('logLevel', '9')}</class>`)).rejects.toThrow(MediationError);
  });

  it('DiscountQuoteMediator takes ten per cent off, and five more off the first ones', async () => {
    const discount = sequence(DISCOUNT(property('discountFactor', '20') + property('bonusFor', '1')));
    const prices: Array<string | undefined> = [];
    for (let quote = 0; quote < 3; quote += 1) {
      const answer = message({ body: QUOTE });
      await discount.mediate(answer);
      prices.push(last(answer));
    }
    expect(prices).toEqual(['76.0', '76.0', '80.0']);
    const first = message({ body: QUOTE });
    await sequence(DISCOUNT()).mediate(first);
    expect(last(first)).toBe('85.5');
  });

  it.each(['<a/>', QUOTE.replace('100', 'much')])('DiscountQuoteMediator faults for %s', async (body) => {
    await expect((async () => sequence(DISCOUNT()).mediate(message({ body })))()).rejects.toMatchObject({
      message: 'Error occured in the mediation of the class mediator',
      detail: expect.stringContaining('no quote with a price'),
    });
  });

  it('BinaryExtractMediator keeps a part of the bytes as text, counted from one', async () => {
    const extract = (offset: string, length: string) =>
      sequence(
        `<class name="samples.mediators.BinaryExtractMediator">${property('offset', offset)}${property('length', length)}${property('variableName', 'symbol')}</class>`,
      );
    const binary = () => {
      const one = message({ body: '<a/>' });
      one.payload = Payload.ofBinary(Buffer.concat([Buffer.alloc(10, 0xff), Buffer.from('GOOG more')]));
      return one;
    };
    const found = binary();
    expect(await extract('11', '4').mediate(found)).toBe(true);
    expect(found.properties.get('symbol')).toBe('GOOG');
    const end = binary();
    await extract('18', '100').mediate(end);
    expect(end.properties.get('symbol')).toBe('re');
    await expect((async () => extract('20', '4').mediate(binary()))()).rejects.toMatchObject({
      detail: 'the payload has 19 bytes, none at offset 20',
    });
    await expect((async () => extract('x', '4').mediate(binary()))()).rejects.toMatchObject({
      detail: "property 'offset' is 'x', expected a whole number",
    });
  });
});

describe('the EIP library', () => {
  it.each(EIP_TEMPLATE_NAMES)('%s compiles', (name) => {
    expect(eipTemplate(name)?.name).toBe(name);
    expect(eipTemplate(name)).toBe(eipTemplate(name));
  });

  it('has no other templates', () => {
    for (const name of ['synapse.lang.eip.', 'synapse.lang.eip.toString', 'callout_block', 'other.callout_block'])
      expect(eipTemplate(name), name).toBeUndefined();
  });

  it('rules of the dynamic router: AND binds closer than OR', () => {
    const [rule, other] = parseRules('header=a:1{AND}url=/x.*{OR}header=b:2,3;seq=one,url=.*;seq=two');
    const applies = (headers: Record<string, string>, url: string) => {
      const one = message({ body: '<a/>' });
      for (const [name, value] of Object.entries(headers)) one.headers.set(name, value);
      one.axis2.set('TransportInURL', url);
      return rule?.applies(one);
    };
    expect([rule?.sequence, other?.sequence]).toEqual(['one', 'two']);
    expect(applies({ a: '1' }, '/x/y')).toBe(true);
    expect(applies({ a: '1' }, '/y')).toBe(false);
    expect(applies({ a: '12' }, '/x')).toBe(false);
    expect(applies({ b: '2,3' }, '/y')).toBe(true);
    for (const wrong of ['', 'header=a:1', 'header=a;seq=s', 'path=/;seq=s'])
      expect(() => parseRules(wrong), wrong).toThrow(MediationError);
  });

  it('routes of the content-based router: the first that matches, else the last, else main', () => {
    const { routes, otherwise } = parseRoutes('IBM|SUN:one, MS.*:;three');
    expect(
      routes.map(({ sequence: name, match }) => [name, match('SUN') !== undefined, match('MSFT') !== undefined]),
    ).toEqual([
      ['one', true, false],
      ['main', false, true],
    ]);
    expect(otherwise).toBe('three');
    expect(parseRoutes('A:b').otherwise).toBe('main');
    expect(() => parseRoutes('A;b')).toThrow(MediationError);
  });
});
