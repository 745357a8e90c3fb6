import { describe, expect, it } from 'vitest';
import { ProcessorWatch } from '../../src/observation/processor-watch.ts';
import type { MessageProcessor, ProcessorState, WorkerActivity } from '../../src/processors/message-processor.ts';
import { FakeConfiguration } from '../mediation/harness.ts';
import { storedMessage } from '../processors/harness.ts';

interface Scene {
  state?: ProcessorState;
  activity?: WorkerActivity;
  nextActionAt?: number;
  interval?: string;
}

/** A watch with one processor, which is as the scene says. */
function watching(scene: Scene) {
  const processor = {
    name: 'P',
    storeName: 'S',
    parameters: new Map(scene.interval === undefined ? [] : [['interval', scene.interval]]),
    status: () => ({
      state: scene.state ?? 'ACTIVE',
      workers: [{ name: 'w', activity: scene.activity ?? 'receiving' }],
      nextActionAt: scene.nextActionAt,
      counters: { delivered: 0 },
    }),
  } as unknown as MessageProcessor;
  const configuration = new FakeConfiguration({ messageProcessor: { P: processor } });
  const watch = new ProcessorWatch();
  watch.follow(configuration);
  const judge = (atSeconds: number, depth: number | null = 5) => {
    watch.judge(configuration, () => depth, performance.now() + atSeconds * 1000);
    return watch.figures('P')?.stuck;
  };
  return { watch, judge };
}

describe('a processor is stuck (OP-75)', () => {
  it('when messages wait, it is active, and it attempts nothing for 30 s', () => {
    const { watch, judge } = watching({});
    expect(judge(0)).toBe(false);
    expect(judge(29)).toBe(false);
    expect(judge(31)).toBe(true);
    expect(watch.figures('P')?.stuckReason).toMatch(
      /^5 messages wait in store \[S\], it is active, and it has attempted nothing for 31 s$/,
    );
  });

  it('and is so no more with the next attempt, or when nothing waits any more', () => {
    const { watch, judge } = watching({});
    judge(0);
    expect(judge(40)).toBe(true);
    watch.begins({ processor: 'P', store: 'S', stored: storedMessage('m'), number: 1 })({ kind: 'delivered' });
    expect(judge(29)).toBe(false);
    judge(30);
    expect(judge(71)).toBe(true);
    expect(judge(72, 0)).toBe(false);
  });

  it('after three intervals where those are longer', () => {
    const { judge } = watching({ interval: '60000' });
    judge(0);
    expect(judge(179)).toBe(false);
    expect(judge(181)).toBe(true);
  });

  it.each<[string, Scene]>([
    ['paused', { state: 'PAUSED' }],
    ['waiting for its store', { state: 'WAITING_STORE' }],
    ['in the middle of an attempt', { activity: 'attempting' }],
    ['waiting for its schedule', { activity: 'scheduled', nextActionAt: Date.now() + 1e9 }],
    ['waiting for another try', { activity: 'retry-wait', nextActionAt: Date.now() + 1e9 }],
    ['leaving the work to another node', { activity: 'waiting-lease' }],
  ])('not when it is %s', (_, scene) => {
    const { judge } = watching(scene);
    judge(0);
    expect(judge(1000)).toBe(false);
  });

  it('not when nobody can tell whether messages wait', () => {
    const { judge } = watching({});
    judge(0, null);
    expect(judge(1000, null)).toBe(false);
  });
});

describe('attempts', () => {
  it('are counted by the class of their status', () => {
    const { watch } = watching({});
    const attempt = (outcome: Parameters<ReturnType<typeof watch.begins>>[0]) =>
      watch.begins({ processor: 'P', store: 'S', stored: storedMessage('m'), number: 1 })(outcome);
    attempt({ kind: 'delivered', status: 202 });
    attempt({ kind: 'delivered' });
    attempt({ kind: 'not-ready', readyAt: 0, reason: 'suspended' });
    attempt(undefined);
    expect(Object.fromEntries(watch.attempts('P')?.byStatus ?? [])).toEqual({ '2xx': 1, ok: 1, none: 1 });
    expect(watch.attempts('P')?.latency.count).toBe(3);
    expect(watch.figures('P')?.lagMs).toBeGreaterThanOrEqual(0);
  });
});
