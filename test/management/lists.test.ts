import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Served, START_MS, serve } from './served.ts';

/* Lists of which a part can be asked for, and that the counts of the overview agree with them. */

const NAMESPACE = 'xmlns="http://ws.apache.org/ns/synapse"';
const named = (count: number, text: (n: number) => string) => Array.from({ length: count }, (_, n) => text(n)).join('');

let served: Served;
beforeAll(async () => {
  const artifacts = {
    'many.xml': `<definitions ${NAMESPACE}>
      ${named(7, (n) => `<endpoint name="Back${n}"><address uri="http://127.0.0.1:9/${n}"/></endpoint>`)}
      ${named(3, (n) => `<sequence name="Step${n}"><drop/></sequence><messageStore name="Store${n}"/>`)}
      <sequence name="Doubtful"><log levle="full"/></sequence></definitions>`,
    'broken.xml': `<proxy ${NAMESPACE} name="Broken"><target><inSequence><stroe/></inSequence></target></proxy>`,
  };
  served = await serve({ artifacts });
}, START_MS);
afterAll(() => served.stop());

const get = async (path: string) => (await served.ask(`/management/${path}`)).body;
const namesOf = ({ list }: { list: readonly { name: string }[] }) => list.map(({ name }) => name);

describe('a list', () => {
  it('is whole, and as the reference has it, where no part is asked for', async () => {
    const whole = await get('endpoints');
    expect(Object.keys(whole)).toEqual(['count', 'list']);
    expect(whole.count).toBe(7);
  });

  it('has the part that is asked for, and says how many there are in all', async () => {
    const part = await get('endpoints?limit=2&offset=3');
    expect(part).toMatchObject({ count: 2, total: 7, offset: 3 });
    expect(namesOf(part)).toEqual(['Back3', 'Back4']);
    expect(await get('endpoints?offset=6')).toMatchObject({ count: 1, total: 7, list: [{ name: 'Back6' }] });
    expect(await get('endpoints?limit=5&offset=7')).toEqual({ count: 0, list: [], total: 7, offset: 7 });
  });

  it('is searched before it is cut', async () => {
    expect(await get('message-stores?searchKey=STORE&limit=1&offset=2')).toMatchObject({
      count: 1,
      total: 3,
      list: [{ name: 'Store2', depth: 0 }],
    });
    expect(await get('sequences?searchKey=step&limit=10')).toMatchObject({ count: 3, total: 3, offset: 0 });
  });

  it.each(['limit=0', 'limit=x', 'offset=-1', 'limit=10001'])('refuses %s', async (query) => {
    expect((await served.ask(`/management/endpoints?${query}`)).status).toBe(400);
  });
});

describe('the list of all artifacts', () => {
  it('comes in parts, found by name, file or kind', async () => {
    const first = await get('artifacts?limit=4');
    const second = await get('artifacts?limit=4&offset=4');
    expect([...first.list, ...second.list]).toEqual((await get('artifacts')).list.slice(0, 8));
    expect(first.total).toBe((await get('artifacts')).count);
    expect((await get('artifacts?searchKey=messagestore')).count).toBe(3);
    expect((await get('artifacts?kind=endpoint&searchKey=many.xml&limit=1')).total).toBe(7);
  });

  it('has those with problems alone', async () => {
    const wrong = await get('artifacts?problems=true');
    expect(namesOf(wrong)).toEqual(['Doubtful', 'broken']);
    expect(await get('artifacts?problems=true&limit=1&offset=1')).toMatchObject({
      total: 2,
      list: [{ name: 'broken' }],
    });
  });

  it('has as many rows as the overview counts artifacts', async () => {
    const { counts } = await get('overview');
    expect(counts).toMatchObject({ artifacts: (await get('artifacts')).count, faulty: 1 });
    expect(counts.sequences, 'the built-in ones are listed, and are no artifacts').toBe((await get('sequences')).count);
  });
});

it('one faulty file is spoken of as one, by the name under which its source is found', async () => {
  const { health, faulty } = await get('overview');
  expect(health.reasons).toEqual(['1 artifact file is faulty: broken.xml']);
  expect((await get(`artifacts/source?file=${faulty[0].file}`)).problems).toHaveLength(1);
});
