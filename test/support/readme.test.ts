import { describe, expect, it } from 'vitest';
import { isLine, readmeParts } from './readme.ts';

describe('what a reader of a README does', () => {
  it('types commands, waits for lines, compares output, and ignores the rest', () => {
    const markdown = `# Title
Type \`nothing\`:
\`\`\`sh
one &
two
\`\`\`
When it
says \`ready\`, or says \`this\`:
\`\`\`ts
not('run');
\`\`\`
\`\`\`text
an … b
\`\`\`
`;
    expect(readmeParts(markdown)).toEqual([
      { kind: 'commands', text: 'one &\ntwo' },
      { kind: 'wait', beginning: 'ready' },
      { kind: 'output', lines: ['an … b'] },
    ]);
  });

  it('takes … for anything and everything else literally', () => {
    expect(isLine('Order #1 for : … at $ …', 'Sun 1 Order #1 for : 5 stocks at $ 1.5')).toBe(true);
    expect(isLine('Order #1 for : … at $ …', 'Order #1 for : 5 stocks at 1.5')).toBe(false);
    expect(isLine('a.b', 'axb')).toBe(false);
  });
});
