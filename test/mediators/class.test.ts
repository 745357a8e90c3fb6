import { describe, expect, it } from 'vitest';
import type { MediatorContext, Message } from '../../src/extensions/api.ts';
import type { ModuleAnswer } from '../../src/extensions/loaded-module.ts';
import { ArtifactReader } from '../../src/grammar/reader.ts';
import { readSequence } from '../../src/mediation/read-sequence.ts';
import { MediationError } from '../../src/message/errors.ts';
import { moduleOf } from '../extensions/modules.ts';
import { element, message } from '../mediation/harness.ts';

const NOTHING = { environment: () => undefined, fileProperty: () => undefined, configuration: () => undefined };

function reading(xml: string, answer: ModuleAnswer | undefined) {
  const extension = (className: string) => (className === 'com.acme.Own' ? answer : undefined);
  const reader = new ArtifactReader({ ...NOTHING, extension });
  const read = readSequence(element(`<sequence name="test">${xml}</sequence>`), reader);
  return { read, reader };
}

function sequence(xml: string, exports: Record<string, unknown>) {
  const { read, reader } = reading(xml, { module: moduleOf(exports, 100) });
  if (!read || reader.failed) throw new Error(reader.diagnostics.map(({ message }) => message).join('; '));
  return read;
}

function problems(xml: string, answer?: ModuleAnswer): string[] {
  return reading(xml, answer).reader.diagnostics.map(({ severity, message }) => `${severity}: ${message}`);
}

const own = (inner = '', attributes = '') => `<class name="com.acme.Own" ${attributes}>${inner}</class>`;
const mediating = (mediate: (message: Message, properties: ReadonlyMap<string, string>) => unknown) => ({
  openMediator: () => ({ mediate }),
});

async function fault(exports: Record<string, unknown>, xml = own()): Promise<MediationError> {
  const failure = await Promise.resolve(sequence(xml, exports).mediate(message({ body: '<a/>' }))).catch(
    (error: unknown) => error,
  );
  if (failure instanceof MediationError) return failure;
  throw new Error(`no fault, but ${String(failure)}`);
}

describe('its artifact (spec mediators 3.34)', () => {
  it('needs a name', () => {
    expect(problems('<class/>')).toEqual(['error: The name of the actual mediator class is a required attribute']);
  });

  it('a class that is not mapped is refused, saying what to do', () => {
    const { reader } = reading('<class name="org.example.Mine"/>', undefined);
    expect(reader.diagnostics).toEqual([
      expect.objectContaining({
        severity: 'error',
        message: 'Error loading class : org.example.Mine - Class not found',
        expected: expect.stringMatching(/exports openMediator, and map .* \[\[mini_synapse\.extension\]\]/),
        position: expect.objectContaining({ line: 1 }),
      }),
    ]);
  });

  it.each<[string, ModuleAnswer, string]>([
    ['does not load', { error: 'module own.ts cannot be loaded: no luck' }, 'own.ts cannot be loaded: no luck'],
    ['has no openMediator', { module: moduleOf({}) }, "does not export a function 'openMediator'"],
    [
      'throws',
      {
        module: moduleOf({
          openMediator: () => {
            throw new Error('no');
          },
        }),
      },
      'openMediator() of module /extensions/own.ts failed: no',
    ],
    ['gives nothing', { module: moduleOf({ openMediator: () => null }) }, 'returned null, expected an object'],
    [
      'gives no mediate',
      { module: moduleOf({ openMediator: () => ({}) }) },
      "whose 'mediate' is undefined, expected a function",
    ],
  ])('a module that %s refuses it', (_, answer, text) => {
    const [problem, ...others] = problems(own(), answer);
    expect(problem).toContain('error: Error in instantiating class : com.acme.Own: ');
    expect(problem).toContain(text);
    expect(others).toEqual([]);
  });

  it.each([
    ['<property name="p"/>', '', "The 'value' or the 'expression' of property 'p' is required"],
    ['<property value="1"/>', '', "The 'name' attribute is required"],
    ['<property name="p" expression="//["/>', '', "attribute 'expression' of <property>"],
    ['', 'target="variable"', "The 'target-variable' is required"],
    ['', 'target="header"', "'header' is not allowed"],
  ])('%s %s', (inner, attributes, text) => {
    expect(problems(own(inner, attributes), { module: moduleOf(mediating(() => true)) })).toEqual([
      expect.stringContaining(text),
    ]);
  });

  it('where no modules are loaded it is read all the same', () => {
    expect(problems(own(), { pending: true })).toEqual([]);
  });
});

describe('what it does', () => {
  it('gives the module fixed properties once and all of them with every message', async () => {
    const contexts: MediatorContext[] = [];
    const seen: unknown[] = [];
    const openMediator = (context: MediatorContext) => {
      contexts.push(context);
      return { mediate: (_: Message, properties: ReadonlyMap<string, string>) => void seen.push([...properties]) };
    };
    const inner =
      '<property name="fixed" value="1"/><property name="found" expression="local-name(//b)"/><property name="none" expression="get-property(\'x\')"/>';
    const run = sequence(own(inner), { openMediator });
    await run.mediate(message({ body: '<b/>' }));
    expect([...(contexts[0]?.properties ?? [])]).toEqual([['fixed', '1']]);
    expect(contexts[0]?.name).toMatch(/\/1$/);
    expect(seen).toEqual([
      [
        ['fixed', '1'],
        ['found', 'b'],
        ['none', ''],
      ],
    ]);
  });

  it.each([
    [undefined, true],
    [true, true],
    [false, false],
  ])('returning %s goes on: %s', async (result, goesOn) => {
    for (const given of [() => result, async () => result]) {
      const request = message({ body: '<a/>' });
      const run = sequence(`${own()}<property name="after" value="1"/>`, mediating(given));
      expect(await run.mediate(request)).toBe(goesOn);
      expect(request.properties.has('after')).toBe(goesOn);
    }
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
      'mediate() of com.acme.Own failed: broken',
    ],
    [
      'rejects',
      async () => {
        throw new Error('broken');
      },
      'mediate() of com.acme.Own failed: broken',
    ],
    ['hangs', () => new Promise(() => undefined), 'mediate() of com.acme.Own did not end within 100 ms'],
    ['returns a text', () => 'yes', 'mediate() of com.acme.Own returned "yes", expected true, false or nothing'],
    ['sets nonsense', (m: Message) => m.setProperty('x', {} as never), 'a property cannot hold an object'],
    ['sets what is no XML', (m: Message) => m.setXml('<a'), 'mediate() of com.acme.Own failed: '],
  ])('a module that %s is a fault', async (_, mediate, detail) => {
    const failure = await fault(mediating(mediate));
    expect(failure.message).toBe('Error occured in the mediation of the class mediator');
    expect(failure.detail).toContain(detail);
  });

  it('the module reads and changes the message', async () => {
    const request = message({ body: '<a><b>1</b></a>' });
    request.headers.set('X-In', 'in');
    request.axis2.set('HTTP_METHOD', 'POST');
    const seen: unknown[] = [];
    await sequence(
      own(),
      mediating((m) => {
        seen.push(m.xml(), m.header('x-in'), m.property('HTTP_METHOD', 'axis2'), m.property('gone'), m.direction);
        m.setProperty('text', 't');
        m.setProperty('integer', 5);
        m.setProperty('large', 2n ** 40n);
        m.setProperty('double', 0.5);
        m.setProperty('flag', true);
        m.setProperty('X-Out', 'out', 'transport');
        m.removeHeader('X-In');
        m.setVariable('v', 'w');
        m.setXml('<c/>');
        seen.push(
          m.property('integer'),
          m.property('large'),
          m.property('flag'),
          m.variable('v'),
          m.header('X-Out'),
          m.xml(),
        );
      }),
    ).mediate(request);
    expect(seen).toEqual([
      '<a><b>1</b></a>',
      'in',
      'POST',
      undefined,
      'request',
      5,
      2n ** 40n,
      true,
      'w',
      'out',
      '<c/>',
    ]);
    expect([...request.properties].map(([name, value]) => [name, String(value)])).toEqual([
      ['text', 't'],
      ['integer', '5'],
      ['large', String(2n ** 40n)],
      ['double', '0.5'],
      ['flag', 'true'],
    ]);
    expect(request.headers.has('X-In')).toBe(false);
  });

  it('a change of its bytes changes no message', async () => {
    const request = message({ body: '<a/>' });
    await sequence(
      own(),
      mediating((m) => void m.bytes().fill(0)),
    ).mediate(request);
    expect(Buffer.from(request.payload.originalBytes() ?? []).toString()).toBe('<a/>');
  });

  it.each<[string, unknown, string]>([
    ['target="body"', { a: [1] }, '{"a":[1]}'],
    ['target="body"', 'text', 'text'],
    ['target="body"', Buffer.from('bytes'), 'bytes'],
    ['target="none"', 'text', '<a/>'],
  ])('calls a method of the second form, %s', async (attributes, result, body) => {
    const request = message({ body: '<a/>' });
    const calls: unknown[] = [];
    const openMediator = () => ({
      price: (_: Message, values: ReadonlyMap<string, string>) => {
        calls.push([...values]);
        return result;
      },
    });
    const inner = '<inputs><argument name="x" value="1"/></inputs>';
    await sequence(own(inner, `method="price" ${attributes}`), { openMediator }).mediate(request);
    expect(calls).toEqual([[['x', '1']]]);
    const { payload } = request;
    const bytes = payload.originalBytes() ?? payload.binary();
    expect(bytes ? Buffer.from(bytes).toString() : (payload.json() ?? payload.text())).toBe(body);
  });

  it('its result can be a variable, not nothing', async () => {
    const request = message({ body: '<a/>' });
    const variable = own('', 'target="variable" target-variable="v"');
    await sequence(
      variable,
      mediating(() => ({ n: 1 })),
    ).mediate(request);
    expect(String(request.variables.get('v'))).toBe('{"n":1}');
    expect(
      (
        await fault(
          mediating(() => undefined),
          variable,
        )
      ).detail,
    ).toContain('the result for the target variable is missing');
  });
});
