import { describe, expect, it } from 'vitest';
import { FakeConfiguration, FakeExchange, message, problemLines, sequence } from '../mediation/harness.ts';

const SET = (name: string) => `<property name="${name}" value="1"/>`;
const TRUE = '<match type="url" regex=".*"/>';
const FALSE = '<equal type="url" source="host" value="nowhere"/>';
const ROUTE = (condition: string, name: string, attributes = '', end = '') =>
  `<conditionalRoute ${attributes}><condition>${condition}</condition><target><sequence>${SET(name)}${end}</sequence></target></conditionalRoute>`;

async function taken(routes: string, attributes = '', to: string | null = 'http://h/p') {
  const request = message({ body: '<a/>' });
  request.to = to ?? undefined;
  const flow = sequence(`<conditionalRouter ${attributes}>${routes}</conditionalRouter>${SET('after')}`);
  const outcome = await flow.mediate(request);
  return { outcome, names: [...request.properties.keys()].join() };
}

describe('routes', () => {
  it('the first whose condition holds takes the message, and the flow ends', async () => {
    const routes = ROUTE(FALSE, 'one') + ROUTE(TRUE, 'two') + ROUTE(TRUE, 'three');
    expect(await taken(routes)).toEqual({ outcome: false, names: 'two' });
  });

  it.each(['false', 'no', '0', 'FALSE'])('with breakRoute="%s" lets the next ones have it, too', async (word) => {
    const routes =
      ROUTE(TRUE, 'one', `breakRoute="${word}"`) + ROUTE(FALSE, 'two') + ROUTE(TRUE, 'three') + ROUTE(TRUE, 'four');
    expect(await taken(routes)).toEqual({ outcome: false, names: 'one,three' });
  });

  it.each(['true', 'YES', '1'])('with continueAfter="%s" the flow goes on, whatever the routes did', async (word) => {
    const routes = ROUTE(TRUE, 'one', 'asynchronous="true"', '<drop/>');
    expect(await taken(routes, `continueAfter="${word}"`)).toEqual({ outcome: true, names: 'one,after' });
  });

  it('none: the flow ends unless continueAfter', async () => {
    expect(await taken(ROUTE(FALSE, 'one'))).toEqual({ outcome: false, names: '' });
    expect(await taken(ROUTE(FALSE, 'one'), 'continueAfter="true"')).toEqual({ outcome: true, names: 'after' });
  });

  it('see To as the URL; a missing one is empty', async () => {
    const route = ROUTE('<equal type="url" source="host" value="H"/>', 'host');
    expect((await taken(route)).names).toBe('host');
    expect((await taken(route, '', null)).names).toBe('');
  });

  it('see the query parameters of a request, wherever it came in (sample 157)', async () => {
    const route = ROUTE('<equal type="param" source="q" value="1"/>', 'one');
    const namesOf = async (to: string, requested: string) => {
      const request = message();
      request.to = to;
      request.axis2.set('TransportInURL', requested);
      await sequence(`<conditionalRouter>${route}</conditionalRouter>`).mediate(request);
      return [...request.properties.keys()].join();
    };
    expect(await namesOf('/services/P', '/services/P?q=1')).toBe('one');
    expect(await namesOf('/services/P?q=2', '/services/P?q=1')).toBe('');
    expect(await namesOf('http://elsewhere/', '/services/P?q=1')).toBe('');
  });

  it('see headers and properties', async () => {
    const request = message();
    request.headers.set('X-Kind', 'b');
    request.properties.set('p', 'v');
    const routes =
      ROUTE('<equal source="X-Kind" value="a"/>', 'one') +
      ROUTE('<and><equal source="X-Kind" value="b"/><equal type="property" source="p" value="v"/></and>', 'two');
    await sequence(`<conditionalRouter>${routes}</conditionalRouter>`).mediate(request);
    expect([...request.properties.keys()]).toEqual(['p', 'two']);
  });

  it('hand it to named sequences and endpoints', async () => {
    const configuration = new FakeConfiguration({ sequence: { S: sequence(SET('named')) } });
    const exchange = new FakeExchange();
    const request = message({ configuration, exchange, body: '<a/>' });
    const route = (target: string) =>
      `<conditionalRoute breakRoute="false"><condition>${TRUE}</condition>${target}</conditionalRoute>`;
    const routes =
      route('<target sequence="S"/>') + route('<target><endpoint><address uri="http://b/x"/></endpoint></target>');
    await sequence(`<conditionalRouter>${routes}</conditionalRouter>`).mediate(request);
    await exchange.settled();
    expect(request.properties.has('named')).toBe(true);
    expect(configuration.sender.requests.map(({ url }) => url)).toEqual(['http://b/x']);
  });
});

describe('failures', () => {
  it('of a condition are a fault', async () => {
    const routes = ROUTE('<match type="soap" source="nope()" regex=".*"/>', 'one');
    await expect(taken(routes)).rejects.toThrow("Couldn't evaluate the route condition");
    await expect(taken(ROUTE(TRUE, 'one'), '', 'http://a b/')).rejects.toThrow("Couldn't evaluate the route condition");
  });

  it('of a target are a fault', async () => {
    const route = `<conditionalRoute><condition>${TRUE}</condition><target sequence="gone"/></conditionalRoute>`;
    await expect(taken(route)).rejects.toThrow("Couldn't find the sequence named : gone");
  });
});

describe('what is wrong is told', () => {
  const inRouter = (routes: string, attributes = '') =>
    `<conditionalRouter ${attributes}>${routes}</conditionalRouter>`;
  const TARGET = '<target sequence="S"/>';

  it.each([
    [
      inRouter('', 'continueAfter="maybe"'),
      "attribute 'continueAfter' of <conditionalRouter>: continueAfter attribute value of the conditionalRouter must be either 'true' or 'false', the value found is : maybe",
    ],
    [
      inRouter(ROUTE(TRUE, 'a', 'breakRoute="maybe"')),
      "attribute 'breakRoute' of <conditionalRoute>: breakRoute attribute value of the conditionalRoute must be either 'true' or 'false', the value found is : maybe",
    ],
    [
      inRouter(`<conditionalRoute>${TARGET}</conditionalRoute>`),
      "Couldn't find the condition of the conditional router",
    ],
    [
      inRouter(`<conditionalRoute><condition/>${TARGET}</conditionalRoute>`),
      "Couldn't find the condition of the conditional router",
    ],
    [
      inRouter(`<conditionalRoute><condition>${TRUE}</condition></conditionalRoute>`),
      "Couldn't find the target of the conditional router",
    ],
    [inRouter(ROUTE('<xor/>', 'a')), 'Invalid configuration element: xor'],
  ])('%s', (xml, expected) => {
    expect(problemLines(xml)).toEqual([`error: ${expected}`]);
  });

  it('inside the targets, whose lists have stable ids', () => {
    const { list } = sequence(inRouter(ROUTE(TRUE, 'a') + ROUTE(TRUE, 'b')));
    expect(list.steps[0]?.branches.map(({ id }) => id)).toEqual(['sequence/test/1/route1', 'sequence/test/1/route2']);
    expect(problemLines(inRouter(ROUTE(TRUE, 'a', '', '<drpo/>')))).toHaveLength(1);
  });
});
