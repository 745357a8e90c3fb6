import { expect, it } from 'vitest';
import { appendRestPostfix } from '../../src/endpoints/rest-postfix.ts';

it.each([
  ['http://h/a', 'b', 'http://h/a/b'],
  ['http://h/a', '/b', 'http://h/a/b'],
  ['http://h/a', '?x=1', 'http://h/a?x=1'],
  ['http://h/a/', 'b', 'http://h/a/b'],
  ['http://h/a/', '/b?x=1', 'http://h/a/b?x=1'],
  ['http://h/a/', '?x=1', 'http://h/a?x=1'],
  ['jms:/queue', '/b', 'jms:/queue'],
])('%s with the postfix %s is %s (spec proxies 5.4)', (address, postfix, expected) => {
  expect(appendRestPostfix(address, postfix)).toBe(expected);
});
