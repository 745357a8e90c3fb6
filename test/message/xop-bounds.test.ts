import { describe, expect, it } from 'vitest';
import { putIn } from '../../src/message/xop.ts';
import { maxTextLength, parseXml, type XmlElement } from '../../src/xml/index.ts';

const INCLUDE = '<d><i:Include xmlns:i="http://www.w3.org/2004/08/xop/include" href="cid:p"/></d>';

function referring(times: number): XmlElement {
  const root = parseXml(`<r>${INCLUDE.repeat(times)}</r>`).documentElement;
  if (!root) throw new Error('no root');
  return root;
}

function part(bytes: number) {
  return { headers: new Map([['content-id', '<p>']]), bytes: new Uint8Array(bytes) };
}

describe('elements that refer to one attachment', () => {
  it('each get its text', () => {
    const root = referring(3);
    const other = { headers: new Map([['content-id', '<other>']]), bytes: new Uint8Array(1) };
    expect(putIn(root, [part(3), other])).toEqual([other]);
    expect(root.textContent).toBe('AAAA'.repeat(3));
  });

  it('are refused when their texts become too long together', () => {
    const bytes = 1024 * 1024;
    const times = Math.ceil(maxTextLength() / ((bytes * 4) / 3)) + 1;
    expect(() => putIn(referring(times), [part(bytes)])).toThrow(/The message is too large/);
  });
});
