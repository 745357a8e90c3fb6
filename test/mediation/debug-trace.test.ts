import { afterEach, describe, expect, it } from 'vitest';
import { setArtifactLogLevel, setLogLevel } from '../../src/logging/index.ts';
import { stepTraceOf } from '../../src/mediation/debug-trace.ts';
import { runSteps } from '../../src/mediation/step.ts';
import { TraceRing } from '../../src/observation/trace-ring.ts';
import { logged, message, sequence } from './harness.ts';

const CATEGORY = 'MediatorFlow';
const { list } = sequence(
  '<filter source="get-property(\'a\')" regex="stop"><then><drop/></then><else><property name="b" value="1"/></else></filter>' +
    '<filter source="get-property(\'a\')" regex="fail"><then><throwError type="X" errorMessage="no"/></then></filter>',
);

/** The lines of a run, without their times. */
async function lines(a: string, prepare: (request: ReturnType<typeof message>) => void = () => {}) {
  const request = message({});
  request.properties.set('a', a);
  prepare(request);
  const records = await logged(async () => {
    await Promise.resolve()
      .then(() => runSteps(list, request))
      .catch(() => {});
  });
  return records
    .filter(({ category }) => category === CATEGORY)
    .map(({ level, message: text, details }) => ({
      level,
      text: text.replace(/ \(\d+\.\d{3} ms\)$/, '').replace(/> \S+: /, '>: '),
      place: `${details.file}:${details.line}`,
      id: details.messageId === request.messageId,
    }));
}

const line = (text: string) => ({ level: 'debug', text, place: 'test.xml:1', id: true });

describe('MREQ-47: one line per mediator at level DEBUG', () => {
  afterEach(() => setLogLevel(CATEGORY, undefined));

  it('says where a flow ended, the innermost mediator first', async () => {
    setLogLevel(CATEGORY, 'debug');
    expect(await lines('stop')).toEqual([line('<drop>: the flow ends here'), line('<filter>: the flow ends here')]);
  });

  it('says what went on, and what failed and why', async () => {
    setLogLevel(CATEGORY, 'debug');
    expect(await lines('fail')).toEqual([
      line('<property>: the message goes on'),
      line('<filter>: the message goes on'),
      line('<throwError>: it failed: no'),
      line('<filter>: it failed: no'),
    ]);
  });

  it('does not keep a message from being traced', async () => {
    setLogLevel(CATEGORY, 'debug');
    const ring = new TraceRing();
    const found = await lines('stop', (request) => ring.begin(request, { kind: 'proxy', name: 'P' }, false));
    expect(found).toHaveLength(2);
  });

  it('concerns one artifact when that alone is at DEBUG, and costs the messages of others no object', async () => {
    setArtifactLogLevel({ kind: 'proxy', name: 'One' }, 'debug');
    try {
      const of = (artifact: string) => lines('stop', ({ properties }) => properties.set('ARTIFACT_NAME', artifact));
      expect(await of('proxyOne')).toHaveLength(2);
      expect(await of('proxyOther')).toEqual([]);
      const other = message({});
      other.properties.set('ARTIFACT_NAME', 'proxyOther');
      expect(stepTraceOf(other)).toBeUndefined();
    } finally {
      setArtifactLogLevel({ kind: 'proxy', name: 'One' }, undefined);
    }
  });

  it('is silent at other levels, where a list of mediators costs no object', async () => {
    expect(await lines('stop')).toEqual([]);
  });
});
