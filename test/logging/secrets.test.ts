import { describe, expect, it } from 'vitest';
import { isSecret, maskCredentials, maskSecrets, noteSecret, noteStoredSecret } from '../../src/logging/secrets.ts';

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

describe('known secrets in texts', () => {
  it('are masked whole when one is the beginning of another, and beside the credentials of an address', () => {
    noteSecret('hunter22');
    noteSecret('hunter22-production-key');
    expect(maskSecrets('Bearer hunter22-production-key, hunter22')).toBe('Bearer *****, *****');
    noteSecret('postgres');
    expect(maskSecrets('jdbc:postgresql://app:pa/ss@db:5432/x')).toBe('jdbc:postgresql://app:*****@db:5432/x');
    expect(maskSecrets('org.postgresql.Driver of postgres')).toBe('org.postgresql.Driver of *****');
    noteSecret('ab&cdefghij');
    expect(maskSecrets('?password=ab&cdefghij&x=1')).toBe('?password=*****&x=1');
  });

  it('are masked as they stand in XML, JSON and addresses', () => {
    const secret = 's3cr&t<"key">';
    noteSecret(secret);
    for (const text of [
      's3cr&amp;t&lt;"key"&gt;',
      JSON.stringify({ secret }),
      `?k=${encodeURIComponent(secret)}`,
      secret,
    ])
      expect(maskSecrets(`<a>${text}</a>`)).not.toMatch(/s3cr|key/);
  });

  it('leave all other texts as they are, and what is short and not looked up', () => {
    noteStoredSecret('8080');
    for (const text of ['', 'port 8080', 'a: b = c', 'x'.repeat(10_000)]) expect(maskSecrets(text)).toBe(text);
    expect(isSecret('port', '8080')).toBe(false);
    noteSecret('7070');
    expect(isSecret('port', '7070')).toBe(true);
    expect(maskSecrets('port 7070')).toBe('port 7070');
  });

  it('take no time for each of them', () => {
    for (let number = 0; number < 1_000; number += 1) noteSecret(`secret-number-${number}-of-many`);
    expect(maskSecrets(`${'order '.repeat(10_000)}secret-number-77-of-many`)).toBe(`${'order '.repeat(10_000)}*****`);
  });
});
