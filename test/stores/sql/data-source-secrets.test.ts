import { expect, it } from 'vitest';
import { ConnectParameterError } from '../../../src/stores/sql/data-source.ts';
import { withSecretPasswords } from '../../../src/stores/sql/data-source-secrets.ts';

const source = (password: string | undefined) => ({
  url: 'jdbc:postgresql://localhost/db',
  username: 'u',
  password,
  driver: undefined,
});

it('the password of a data source may be a secret, which is looked up whenever it is needed (OP-84)', () => {
  const secrets = new Map([['db', 'one']]);
  const sources = withSecretPasswords(
    new Map([
      ['Secret', source('$secret{db}')],
      ['Written', source('plain$secret')],
      ['None', source(undefined)],
    ]),
    (alias) => secrets.get(alias),
  );
  const passwordOf = (name: string) => {
    const { password } = sources.get(name) ?? source('');
    return typeof password === 'function' ? password() : password;
  };
  expect(passwordOf('Secret')).toBe('one');
  secrets.set('db', 'two');
  expect(passwordOf('Secret')).toBe('two');
  expect(passwordOf('Written')).toBe('plain$secret');
  expect(passwordOf('None')).toBeUndefined();
  secrets.clear();
  expect(() => passwordOf('Secret')).toThrow(ConnectParameterError);
  expect(() => passwordOf('Secret')).toThrow("the password of the data source 'Secret': there is no secret 'db'");
});
