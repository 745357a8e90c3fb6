import { describe, expect, it } from 'vitest';
import { consoleModule } from './static.ts';

interface Entry {
  readonly title: string;
  readonly depth: number;
}

const { timeline } = await consoleModule<{ timeline(trace: object): readonly Entry[] }>('timeline.js');

const at = (ms: number) => new Date(1_000_000 + ms).toISOString();
const step = (n: number, parent: number, mediator: string, ms: number, durationMs: number, name?: string) => ({
  n,
  parent,
  mediator,
  startedAt: at(ms),
  durationMs,
  ...(name && { name }),
});
const shown = (trace: object) => timeline(trace).map(({ title, depth }) => `${'  '.repeat(depth)}${title}`);

describe('the timeline of a trace', () => {
  it('has steps within those that they are steps of, in their order', () => {
    const steps = [
      step(1, 0, 'sequence', 0, 3),
      step(2, 1, 'log', 0, 1),
      step(3, 1, 'header', 1, 1),
      step(4, 0, 'drop', 3, 0),
    ];
    expect(shown({ steps })).toEqual(['sequence', '  log', '  header', 'drop']);
  });

  it('has what an attempt has called behind it, and the store before whoever took the message', () => {
    const steps = [
      step(1, 0, 'store', 0, 12, 'Orders'),
      step(2, 0, 'endpoint', 9, 4, 'Partner'),
      step(3, 0, 'endpoint', 1008, 2, 'Partner'),
    ];
    const hops = [{ store: 'Orders', storedAt: at(12) }];
    const deliveries = [
      { processor: 'P', attempt: 1, startedAt: at(10), durationMs: 5, endpoint: 'Partner' },
      { processor: 'P', attempt: 2, startedAt: at(1008), durationMs: 3, endpoint: 'Partner' },
    ];
    expect(shown({ steps, hops, deliveries })).toEqual([
      'store',
      'stored in Orders',
      'attempt 1',
      '  endpoint',
      'attempt 2',
      '  endpoint',
    ]);
  });

  it('leaves a call alone that no attempt has made', () => {
    const steps = [step(1, 0, 'endpoint', 0, 2, 'Other'), step(2, 0, 'log', 100, 1)];
    const deliveries = [{ processor: 'P', attempt: 1, startedAt: at(0), durationMs: 5, endpoint: 'Partner' }];
    expect(shown({ steps, deliveries })).toEqual(['endpoint', 'attempt 1', 'log']);
  });
});
