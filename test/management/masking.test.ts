import { expect, it } from 'vitest';
import { noteSecret } from '../../src/logging/secrets.ts';
import { maskedContent, maskedParameter } from '../../src/management/masking.ts';

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

it('what was looked up is masked under any name: as it is, and in a longer text unless it is a word that may stand there by itself', () => {
  noteSecret('x-admin');
  noteSecret('4711-0815-pin');
  noteSecret('');
  expect(maskedParameter('user', 'x-admin')).toBe('*****');
  expect(maskedParameter('path', '/x-admin/orders')).toBe('/x-admin/orders');
  expect(maskedParameter('code', 'Bearer 4711-0815-pin')).toBe('Bearer *****');
  expect(maskedParameter('note', '')).toBe('');
});

it.each([
  ['a.txt', 'a=1\ndb.password = x y\n  apiKey: "z"\nport: 1', 'a=1\ndb.password = *****\n  apiKey: *****\nport: 1'],
  ['a.yaml', 'list:\n  - token: abc\n', 'list:\n  - token: *****\n'],
  ['a.json', '{"user":"u","password":"pw"}', '{"user":"u","password":"**"}'],
  [
    'a.xml',
    '<a><password>pw</password><url>http://u:p@h/</url></a>',
    '<a><password>**</password><url>http://u:*@h/</url></a>',
  ],
  ['api.token', 'abc', '*****'],
  [
    'a.pem',
    '-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nx',
    '-----BEGIN RSA PRIVATE KEY-----\n*****\n-----END RSA PRIVATE KEY-----\nx',
  ],
  ['a.pem', 'x\n-----BEGIN PRIVATE KEY-----\nMII', 'x\n-----BEGIN PRIVATE KEY-----\n*****\n'],
])('the content of %s, %j, is shown as %j', (name, text, shown) => {
  expect(maskedContent(name, text)).toBe(shown);
});

it('content is masked in time as it is long', () => {
  for (const text of ['-----BEGIN PRIVATE KEY-----', 'password=', ' - "token', '<password a="']) {
    const began = performance.now();
    maskedContent('a', text.repeat(Math.ceil(1e6 / text.length)));
    expect(performance.now() - began, text).toBeLessThan(5_000);
  }
});
