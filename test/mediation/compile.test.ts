import { describe, expect, it } from 'vitest';
import { builtInSequences } from '../../src/mediation/read-sequence.ts';
import type { StepList } from '../../src/mediation/step.ts';
import { MEDIATORS } from '../../src/mediators/index.ts';
import { MediationError } from '../../src/message/errors.ts';
import { FakeConfiguration, FakeExchange, logged, message, problemLines, problems, sequence } from './harness.ts';

function ids(list: StepList): string[] {
  return list.steps.flatMap((step) => [step.id, ...step.branches.flatMap(ids)]);
}

describe('a compiled sequence', () => {
  it('gives every mediator a stable id by its place, inside others too', () => {
    const { list } = sequence('<description>of it</description><log/><in><drop/><out/></in><drop/>');
    expect(ids(list)).toEqual([
      'sequence/test/1',
      'sequence/test/2',
      'sequence/test/2/in/1',
      'sequence/test/2/in/2',
      'sequence/test/3',
    ]);
    expect(list.steps.map(({ mediator }) => mediator)).toEqual(['log', 'in', 'drop']);
  });

  it('stays synchronous while its mediators are', () => {
    const flow = sequence('<property name="a" value="1"/><sequence><propertyGroup/></sequence><log/>').mediate(
      message(),
    );
    expect(flow).toBe(true);
  });

  it('is empty without mediators, and true', () => {
    expect(sequence('').mediate(message())).toBe(true);
  });
});

describe('what is no mediator', () => {
  it('is told with the nearest name', () => {
    expect(problems('<stroe messageStore="S"/>')).toMatchObject([
      {
        severity: 'error',
        message: 'Unknown mediator referenced by configuration element : {http://ws.apache.org/ns/synapse}stroe',
        nearest: 'store',
      },
    ]);
  });

  it('is told when it is in another namespace', () => {
    expect(problemLines('<x:log xmlns:x="urn:x"/>')).toEqual([
      'error: Unknown mediator referenced by configuration element : {urn:x}log',
    ]);
  });

  it('is told for all of them at once', () => {
    expect(problemLines('<nonsense/><in><more/></in><filter/>')).toHaveLength(3);
  });
});

it('every mediator is declared once and documented', () => {
  const names = MEDIATORS.map(({ element }) => element);
  expect(new Set(names).size).toBe(names.length);
  for (const { element, doc, attributes } of MEDIATORS) {
    expect(doc.length, element).toBeGreaterThan(10);
    for (const [name, { doc: about }] of Object.entries(attributes))
      expect(about.length, `${element} ${name}`).toBeGreaterThan(5);
  }
});

describe('the built-in sequences', () => {
  const builtIn = (name: string) => {
    const found = builtInSequences().find((candidate) => candidate.name === name);
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  };

  it('main answers 404 without a body and says for what', async () => {
    const exchange = new FakeExchange();
    const request = message({ exchange, to: '/services/Nope', configuration: new FakeConfiguration() });
    const records = await logged(() => builtIn('main').mediate(request));
    expect(records.map((record) => record.message)).toEqual([
      'main sequence executed for call to non-existent = /services/Nope',
    ]);
    expect(exchange.responses).toEqual([request]);
    expect(String(request.axis2.get('HTTP_SC'))).toBe('404');
    expect(request.axis2.get('NO_ENTITY_BODY')).toBe(true);
  });

  it('fault logs the whole message with the error, and drops it', async () => {
    const request = message({ body: '<a/>' });
    request.properties.set('ERROR_CODE', '101503');
    request.properties.set('ERROR_MESSAGE', 'refused');
    const records = await logged(async () => expect(await builtIn('fault').mediate(request)).toBe(false));
    expect(records.map(({ level }) => level)).toEqual(['error', 'info']);
    expect(records[1]?.message).toBe('Message dropped after an error: refused');
    expect(records[0]?.message).toContain(
      "MESSAGE = Executing default 'fault' sequence, ERROR_CODE = 101503, ERROR_MESSAGE = refused, Envelope: ",
    );
  });

  it('fault gives up when the body cannot be shown, as a mediation failure', () => {
    expect(() => builtIn('fault').mediate(message({ body: '<a' }))).toThrow(MediationError);
  });
});
