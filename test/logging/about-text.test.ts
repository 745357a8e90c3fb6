import { expect, it } from 'vitest';
import { aboutText } from '../../src/logging/about-text.ts';
import { detailedLine } from '../../src/logging/index.ts';

const ABOUT = { artifactKind: 'proxy', artifact: 'OrderProxy', file: 'orders.xml', line: 7, messageId: 'urn:uuid:1' };

it('a line of text about a message ends with what it is about (OP-70)', () => {
  const details = { ...ABOUT, store: 'S', processor: 'F', attempt: 2, endpoint: 'E', status: 503, cause: 'busy' };
  const record = { time: 0, level: 'error', category: 'ForwardingService', message: 'It failed', details } as const;
  expect(detailedLine(record)).toMatch(
    /\] ERROR \{ForwardingService\} - It failed \(proxy OrderProxy, orders\.xml:7, message urn:uuid:1, store S, processor F, attempt 2, endpoint E, status 503, cause busy\)$/,
  );
});

it('says nothing at the end of lines about no message', () => {
  expect(aboutText('Deployed', { artifact: 'P', file: 'p.xml', line: 1 })).toBe('');
});

it('repeats no id and no cause that the line says itself', () => {
  const text = aboutText('Message urn:uuid:1 failed: connection refused', { ...ABOUT, cause: 'connection refused' });
  expect(text).toBe(' (proxy OrderProxy, orders.xml:7)');
  expect(aboutText('urn:uuid:1', { messageId: 'urn:uuid:1' })).toBe('');
});

it('stays on one line and steers no terminal, whatever the cause says', () => {
  const details = { ...ABOUT, cause: 'one\r\n  [2026-05-01 12:00:00,007] ERROR {Forged} - x\u001b[2J' };
  const line = detailedLine({ time: 0, level: 'warn', category: 'C', message: 'm', details });
  expect(line.split('\n')).toHaveLength(1);
  expect(line).not.toContain('\u001b');
});
