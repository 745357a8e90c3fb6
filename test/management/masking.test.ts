import { expect, it } from 'vitest';
import { maskedParameter } from '../../src/management/masking.ts';

it.each([
  ['store.jms.password', 'x', '*****'],
  ['clientSecret', 'x', '*****'],
  ['Authorization.Token', 'x', '*****'],
  ['credentials', 'x', '*****'],
  ['url', 'tcp://h:61616', 'tcp://h:61616'],
  ['url', 'amqp://me:pw@h', 'amqp://me:*****@h'],
  ['url', 'failover:(tcp://a:p@h:1,tcp://b:q@i:2)', 'failover:(tcp://a:*****@h:1,tcp://b:*****@i:2)'],
  ['url', 'jdbc:x://h/d?user=u&password=pw&x=1', 'jdbc:x://h/d?user=u&password=*****&x=1'],
  ['interval', '1000', '1000'],
])('%s = %s is shown as %s', (name, value, shown) => {
  expect(maskedParameter(name, value)).toBe(shown);
});
