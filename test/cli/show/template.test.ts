import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/cli/io.ts';
import { formatted } from '../../../src/cli/show/template.ts';

const ROWS = [
  { name: 'Orders', type: 'jms-message-store', size: 3, status: { state: 'READY' } },
  { name: 'Fail\u001bed', type: 'in-memory-message-store', size: 0, lastError: 'x' },
];

describe('--format (spec stores 7.3)', () => {
  it.each([
    ['{{.Name}}\\t{{ .SIZE }}', 'Orders\t3\nFail\\u001bed\t0\n'],
    ['{{.Status.State}}!', 'READY!\n!\n'],
    ['{{.lastError}}', '\nx\n'],
    ['{{json .name}}', '"Orders"\n"Fail\\u001bed"\n'],
    ['table {{.Name}}\\t{{.Type}}', 'NAME\tTYPE\nOrders\tjms-message-store\nFail\\u001bed\tin-memory-message-store\n'],
  ])('%s', (format, expected) => {
    const text = formatted(format, ROWS);
    expect(text).not.toContain('\u001b');
    expect(text.replaceAll(/Fail.*?ed/g, 'Fail\\u001bed')).toBe(expected);
  });

  it('json of a whole row is the row', () => {
    expect(
      formatted('{{json .}}', ROWS)
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(ROWS);
  });

  it('a member that only some objects have is empty in the others', () => {
    const rows = [{ a: { x: 1 } }, { a: {} }, { a: 5 }, { a: null }];
    expect(formatted('{{.a.x}}!', rows)).toBe('1!\n!\n!\n!\n');
    expect(formatted('{{json .a.x}}', rows)).toBe('1\nnull\nnull\nnull\n');
  });

  it.each(['{{.nmae}}', '{{.nmae.state}}', '{{range .}}', '{{name}}', '{{}}'])('%s is refused', (format) => {
    expect(() => formatted(format, ROWS)).toThrow(UsageError);
  });

  it('names the nearest member', () => {
    expect(() => formatted('{{.nmae}}', ROWS)).toThrow(/did you mean name\?/);
  });
});
