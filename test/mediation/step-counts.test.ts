import { describe, expect, it } from 'vitest';
import { runSteps, type Step, type StepList } from '../../src/mediation/step.ts';
import { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { TraceRing } from '../../src/observation/trace-ring.ts';
import { FakeConfiguration, sequence } from './harness.ts';

const MEDIATORS =
  '<filter source="get-property(\'a\')" regex="stop"><then><drop/></then><else><property name="b" value="1"/></else></filter>' +
  '<filter source="get-property(\'a\')" regex="fail"><then><throwError type="X" errorMessage="no"/></then></filter>' +
  '<property name="c" value="2"/>';

function message(a: string): MessageContext {
  const made = new MessageContext(new FakeConfiguration(), Payload.empty());
  made.properties.set('a', a);
  return made;
}

/** Every step with its counts, those inside after the one around them. */
function counts(list: StepList): string[] {
  const of = ({ mediator, counts: { entered, stopped, faults }, branches }: Step): string[] => [
    `${mediator} ${entered} ${stopped} ${faults}`,
    ...branches.flatMap(counts),
  ];
  return [`list ${list.counts.entered} ${list.counts.completed}`, ...list.steps.flatMap(of)];
}

const EXPECTED = [
  'list 4 2',
  'filter 4 1 0',
  'list 1 0',
  'drop 1 1 0',
  'list 3 3',
  'property 3 0 0',
  'filter 3 0 0',
  'list 1 0',
  'throwError 1 0 1',
  'property 2 0 0',
];

describe('counts of mediators', () => {
  it.each([false, true])('are right, and faults are counted where they happen (traced: %s)', async (traced) => {
    const { list } = sequence(MEDIATORS);
    const ring = new TraceRing();
    for (const a of ['go', 'stop', 'fail', 'go']) {
      const one = message(a);
      if (traced) ring.begin(one, { kind: 'proxy', name: 'P' }, false);
      const run = async () => runSteps(list, one);
      if (a === 'fail') await expect(run()).rejects.toThrow('no');
      else expect(await run()).toBe(a === 'go');
      if (a === 'fail') expect(one.at).toMatchObject({ mediator: 'throwError' });
    }
    expect(counts(list)).toEqual(EXPECTED);
  });

  it('know what a step refers to, without what those inside refer to', () => {
    const { list } = sequence(
      '<filter xpath="true()"><then><sequence key="inner"/></then><else><send><endpoint><address uri="http://a/"/></endpoint></send></else></filter>',
    );
    const [filter] = list.steps;
    expect(filter).toMatchObject({ references: [], endpoints: [], label: 'true()' });
    const [then, otherwise] = filter?.branches ?? [];
    expect(then?.steps[0]?.references).toMatchObject([{ kind: 'sequence', name: 'inner', attribute: 'key' }]);
    expect(otherwise?.steps[0]?.endpoints).toMatchObject([{ kind: 'address' }]);
  });
});
