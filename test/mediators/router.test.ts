import { describe, expect, it } from 'vitest';
import { message, problemLines, sequence } from '../mediation/harness.ts';

const SET = (name: string) => `<property name="${name}" value="1"/>`;
const ROUTE = (attributes: string, name: string, end = '') =>
  `<route ${attributes}><target><sequence>${SET(name)}${end}</sequence></target></route>`;

async function taken(routes: string, attributes = '') {
  const request = message({ body: '<o><symbol>IBM</symbol></o>' });
  const outcome = await sequence(`<router ${attributes}>${routes}</router>${SET('after')}`).mediate(request);
  return { outcome, names: [...request.properties.keys()].join() };
}

describe('routes', () => {
  it('the first whose expression holds takes the message, and the flow ends', async () => {
    const routes =
      ROUTE('expression="//gone"', 'one') + ROUTE('expression="//symbol"', 'two') + ROUTE('expression="//o"', 'three');
    expect(await taken(routes)).toEqual({ outcome: false, names: 'two' });
  });

  it('with match the whole text must match', async () => {
    const routes = ROUTE('expression="//symbol" match="IB"', 'one') + ROUTE('expression="//symbol" match="IB."', 'two');
    expect((await taken(routes)).names).toBe('two');
    expect((await taken(ROUTE('expression="$ctx:gone" match=".*"', 'one'))).names).toBe('');
  });

  it('with breakRouter="false" lets the next ones have it, too', async () => {
    const routes =
      ROUTE('expression="//o" breakRouter="false"', 'one') +
      ROUTE('expression="//o"', 'two') +
      ROUTE('expression="//o"', 'three');
    expect(await taken(routes)).toEqual({ outcome: false, names: 'one,two' });
  });

  it('with continueAfter the flow goes on, whatever the routes did', async () => {
    const routes = ROUTE('expression="//o"', 'one', '<drop/>');
    expect(await taken(routes, 'continueAfter="true"')).toEqual({ outcome: true, names: 'one,after' });
    expect(await taken(ROUTE('expression="//gone"', 'one'))).toEqual({ outcome: false, names: '' });
  });

  it('may look at properties, too', async () => {
    const request = message();
    request.properties.set('kind', 'b');
    const routes = ROUTE(`expression="get-property('kind')" match="b"`, 'one');
    await sequence(`<router>${routes}</router>`).mediate(request);
    expect(request.properties.has('one')).toBe(true);
  });
});

it('a target that is not there is a fault', async () => {
  const routes = '<route expression="//o"><target sequence="gone"/></route>';
  await expect(taken(routes)).rejects.toThrow("Couldn't find the sequence named : gone");
});

describe('what is wrong is told', () => {
  it.each([
    [
      '<router><route><target sequence="S"/></route></router>',
      'Route without an expression attribute has been found, but it is required to have an expression for all routes',
    ],
    ['<router><route expression="//o"/></router>', 'Route without a target has been found'],
  ])('%s', (xml, expected) => {
    expect(problemLines(xml)).toEqual([`error: ${expected}`]);
  });

  it('also expressions, patterns and what is inside the targets', () => {
    for (const route of [
      '<route expression="//["><target sequence="S"/></route>',
      '<route expression="//o" match="("><target sequence="S"/></route>',
      ROUTE('expression="//o"', 'a', '<drpo/>'),
    ])
      expect(problemLines(`<router>${route}</router>`)).toHaveLength(1);
  });
});
