import { expect, it } from 'vitest';
import { message, problemLines, sequence } from '../mediation/harness.ts';

it('runs its properties in order', async () => {
  const request = message();
  const group = `<propertyGroup description="both"><property name="a" value="1"/>
    <property name="b" expression="concat($ctx:a, '2')"/><property name="a" action="remove"/></propertyGroup>`;
  expect(await sequence(group).mediate(request)).toBe(true);
  expect([...request.properties]).toEqual([['b', '12']]);
});

it('takes nothing but properties', () => {
  expect(problemLines('<propertyGroup><drop/></propertyGroup>')).toEqual([
    'error: <drop> is not allowed inside <propertyGroup>',
  ]);
});
