import { describe, expect, it } from 'vitest';
import { maskCredentials } from '../../src/logging/secrets.ts';

describe('credentials in text (REQ-56)', () => {
  it.each([
    ['http://joe:geheim@h/x?a=b@c', 'http://joe:*****@h/x?a=b@c'],
    ['tcp://u:p@a:1,tcp://v:q@b:2', 'tcp://u:*****@a:1,tcp://v:*****@b:2'],
    ['url="jdbc:mysql://joe:p/a@ss@h:1/d" to="a@b"', 'url="jdbc:mysql://joe:*****@h:1/d" to="a@b"'],
    ['jdbc:mysql://joe:p@ss@h:1/d', 'jdbc:mysql://joe:*****@h:1/d'],
    ['jdbc:mysql://h/d?pwd=x&sslpassword=y;z', 'jdbc:mysql://h/d?pwd=*****&sslpassword=*****;z'],
    ['failover:(tcp://c:1?jms.password=a b)', 'failover:(tcp://c:1?jms.password=***** b)'],
    ['password1=x', 'password1=*****'],
    ['http://localhost:8280/services/a@b', 'http://localhost:8280/services/a@b'],
    ['mailto:a@b //h:1/x', 'mailto:a@b //h:1/x'],
  ])('%s', (text, masked) => {
    expect(maskCredentials(text)).toBe(masked);
  });

  it.each(['jdbc:a://:', '//a:', '//', '//a:b@', 'password1=', 'password1', 'jdbc:a://u:p@'])(
    'a long text of %j takes no more than its length',
    (part) => {
      const timeOf = (count: number) => {
        const text = part.repeat(count);
        const start = performance.now();
        maskCredentials(text);
        return performance.now() - start;
      };
      // A quadratic one would take minutes.
      expect(timeOf(100_000)).toBeLessThan(10_000);
    },
  );
});
