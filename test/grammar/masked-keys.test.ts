import { expect, it } from 'vitest';
import { maskedSource } from '../../src/grammar/masked-source.ts';

it('a local entry whose key says that it is a secret is masked, in its place', () => {
  const text = '<localEntry key="api.token">abc def</localEntry><localEntry key="greeting">hello</localEntry>';
  expect(maskedSource(text)).toBe(text.replace('abc def', '*** ***'));
});
