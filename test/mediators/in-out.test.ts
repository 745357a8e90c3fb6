import { expect, it } from 'vitest';
import { message, problemLines, sequence } from '../mediation/harness.ts';

const BOTH = `<in><property name="in" value="1"/></in><out><property name="out" value="1"/></out>
              <property name="after" value="1"/>`;

it.each(['request', 'response'] as const)(
  'run for a %s only what is meant for it, and the flow goes on',
  async (direction) => {
    const passing = message();
    passing.direction = direction;
    expect(await sequence(BOTH).mediate(passing)).toBe(true);
    expect([...passing.properties.keys()]).toEqual([direction === 'request' ? 'in' : 'out', 'after']);
  },
);

it('hand on that the flow ended inside', async () => {
  const passing = message();
  expect(await sequence('<in><in><drop/></in></in><property name="after" value="1"/>').mediate(passing)).toBe(false);
  expect(passing.properties.size).toBe(0);
});

it('report what is wrong inside', () => {
  expect(problemLines('<out><property/></out>')).toEqual([
    "error: The 'name' attribute is required for the configuration of a property mediator",
  ]);
});
