import { describe, expect, it } from 'vitest';
import { FakeConfiguration, logged, message, problemLines, problems, sequence } from '../mediation/harness.ts';

const SET = (name: string) => `<property name="${name}" value="1"/>`;

describe('a reference', () => {
  it('runs what the key names and goes on', async () => {
    const configuration = new FakeConfiguration({ sequence: { other: sequence(SET('inside')) } });
    const request = message({ configuration });
    expect(await sequence(`<sequence key="other"/>${SET('after')}`).mediate(request)).toBe(true);
    expect([...request.properties.keys()]).toEqual(['inside', 'after']);
  });

  it('stops where the other one stopped', async () => {
    const configuration = new FakeConfiguration({ sequence: { other: sequence('<drop/>') } });
    const request = message({ configuration });
    expect(await sequence(`<sequence key="other"/>${SET('after')}`).mediate(request)).toBe(false);
    expect(request.properties.size).toBe(0);
  });

  it('may be computed', async () => {
    const configuration = new FakeConfiguration({ sequence: { chosen: sequence(SET('inside')) } });
    const request = message({ configuration });
    request.properties.set('which', 'chosen');
    await sequence('<sequence key="{$ctx:which}"/>').mediate(request);
    expect(request.properties.has('inside')).toBe(true);
  });

  it('to nothing is a fault, and told at deployment as a reference (MREQ-4)', () => {
    expect(() => sequence('<sequence key="gone"/>').mediate(message())).toThrow(
      "Sequence named 'gone' cannot be found",
    );
  });

  it('to itself ends as a fault, not as a crash (MREQ-48)', () => {
    const artifacts = { sequence: {} as Record<string, ReturnType<typeof sequence>> };
    artifacts.sequence.loop = sequence('<sequence key="loop"/>');
    const request = message({ configuration: new FakeConfiguration(artifacts) });
    expect(() => artifacts.sequence.loop?.mediate(request)).toThrow('nested more than 500 deep');
  });

  it('cannot have onError', () => {
    expect(problemLines('<sequence key="other" onError="handler"/>')).toEqual([
      "error: A sequence mediator with a reference to another sequence can not have 'ErrorHandler'",
    ]);
  });
});

describe('an inline sequence', () => {
  it('runs in place, named or not', async () => {
    const request = message();
    const inline = `<sequence>${SET('a')}</sequence><sequence name="x">${SET('b')}</sequence>${SET('c')}`;
    expect(await sequence(inline).mediate(request)).toBe(true);
    expect([...request.properties.keys()]).toEqual(['a', 'b', 'c']);
  });

  it('takes its error handler away again when it ran to its end', async () => {
    const configuration = new FakeConfiguration({ sequence: { handler: sequence(SET('handled')) } });
    const request = message({ configuration });
    await sequence(`<sequence onError="handler">${SET('a')}</sequence>`).mediate(request);
    expect(request.faultStack).toEqual([]);
  });

  it('keeps its error handler for a send that is still out', async () => {
    const configuration = new FakeConfiguration({ sequence: { handler: sequence(SET('handled')) } });
    const request = message({ configuration });
    await sequence('<sequence onError="handler"><drop/></sequence>').mediate(request);
    expect(request.faultStack.map(({ description }) => description)).toEqual(["onError sequence 'handler'"]);
  });

  it('goes on without a handler that does not exist, with a WARN', async () => {
    const request = message();
    const inline = sequence(`<sequence name="s" onError="gone">${SET('a')}</sequence>`);
    const records = await logged(() => inline.mediate(request));
    expect(records.map(({ level, message: text }) => `${level}: ${text}`)).toEqual([
      'warn: onError handler : gone for sequence : s cannot be found',
    ]);
    expect(request.properties.has('a')).toBe(true);
  });

  it('reports what is wrong inside, with its place', () => {
    expect(problems('<sequence>\n <nonsense/>\n</sequence>')).toMatchObject([
      {
        severity: 'error',
        message: 'Unknown mediator referenced by configuration element : {http://ws.apache.org/ns/synapse}nonsense',
        position: { line: 2 },
      },
    ]);
  });
});
