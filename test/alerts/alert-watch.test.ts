import { expect, it } from 'vitest';
import { AlertWatch } from '../../src/alerts/alert-watch.ts';
import type { FaultyFile } from '../../src/deployment/index.ts';
import { TestConfiguration } from '../processors/harness.ts';

function world() {
  const configuration = new TestConfiguration();
  const state = { processor: 'ACTIVE', store: 'READY', stuck: undefined as string | undefined };
  const faulty: FaultyFile[] = [];
  const status = (of: () => string, more: object) => ({ status: () => ({ state: of(), ...more }) }) as never;
  configuration.set(
    'messageProcessor',
    'P',
    status(() => state.processor, { reason: 'HTTP status 500' }),
  );
  configuration.set(
    'messageStore',
    'S',
    status(() => state.store, { lastError: 'stomp://user:pw@host is gone' }),
  );
  const watch = new AlertWatch({
    configuration: () => configuration,
    faulty: () => faulty,
    stuck: () => state.stuck,
  });
  return { state, faulty, configuration, look: () => watch.look(1_000) };
}

const FAULTY: FaultyFile = {
  path: 'a.xml',
  file: '/somewhere/a.xml',
  diagnostics: [
    { severity: 'error', position: { file: '/somewhere/a.xml', line: 1, column: 1 }, message: 'Unknown mediator' },
  ],
  text: '<stroe/>',
  since: 1,
  serves: false,
};

it('tells nothing of what is well when it begins, and what is wrong', () => {
  expect(world().look()).toEqual([]);
  const wrong = world();
  wrong.state.processor = 'FAULTY';
  wrong.state.store = 'DOWN';
  wrong.faulty.push(FAULTY);
  expect(wrong.look()).toMatchObject([
    { kind: 'processor', name: 'P', state: 'FAULTY', bad: true, before: undefined },
    { kind: 'store', name: 'S', state: 'DOWN' },
    { kind: 'artifact', name: 'a.xml', state: 'FAULTY', reason: expect.stringContaining('Unknown mediator') },
  ]);
});

it('tells of every change of a processor once', () => {
  const { state, look } = world();
  look();
  state.processor = 'DEACTIVATED';
  expect(look()).toEqual([
    {
      kind: 'processor',
      name: 'P',
      state: 'DEACTIVATED',
      before: 'ACTIVE',
      bad: true,
      reason: 'HTTP status 500',
      time: 1_000,
    },
  ]);
  expect(look()).toEqual([]);
  state.processor = 'ACTIVE';
  expect(look()).toMatchObject([{ state: 'ACTIVE', before: 'DEACTIVATED', bad: false }]);
});

it('tells of a store that goes down and comes back, not of what is between, and masks passwords', () => {
  const { state, look } = world();
  look();
  for (const next of ['DEGRADED', 'CONNECTING', 'READY'] as const) {
    state.store = next;
    expect(look()).toEqual([]);
  }
  state.store = 'DOWN';
  const [down] = look();
  expect(down).toMatchObject({ kind: 'store', state: 'DOWN', before: 'READY', bad: true });
  expect(down?.reason).toContain('is gone');
  expect(down?.reason).not.toContain('pw');
  state.store = 'CONNECTING';
  expect(look()).toEqual([]);
  state.store = 'READY';
  expect(look()).toMatchObject([{ state: 'READY', before: 'DOWN', bad: false }]);
});

it('tells of what is stuck and moves again, of an artifact that is faulty and right again', () => {
  const { state, faulty, look } = world();
  look();
  state.stuck = '3 messages wait';
  faulty.push(FAULTY);
  expect(look()).toMatchObject([
    { kind: 'stuck', name: 'P', state: 'STUCK', bad: true, reason: '3 messages wait' },
    { kind: 'artifact', state: 'FAULTY' },
  ]);
  state.stuck = undefined;
  faulty.length = 0;
  expect(look()).toMatchObject([
    { kind: 'stuck', state: 'MOVING', bad: false },
    { kind: 'artifact', name: 'a.xml', state: 'DEPLOYED', before: 'FAULTY' },
  ]);
});

it('forgets what is undeployed', () => {
  const { state, configuration, look } = world();
  look();
  configuration.set('messageProcessor', 'P', undefined);
  configuration.set('messageStore', 'S', undefined);
  state.processor = 'DEACTIVATED';
  expect(look()).toEqual([]);
});
