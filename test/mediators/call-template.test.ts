import { describe, expect, it } from 'vitest';
import { ArtifactReader } from '../../src/grammar/reader.ts';
import { runFlow } from '../../src/mediation/flow.ts';
import type { SequenceTemplate } from '../../src/mediation/sequence-template.ts';
import type { MessageContext } from '../../src/message/message-context.ts';
import { TypedNumber } from '../../src/message/property-value.ts';
import { readTemplate } from '../../src/synapse/template.ts';
import {
  element,
  FakeConfiguration,
  logged,
  message,
  problemLines,
  problems,
  response,
  sequence,
} from '../mediation/harness.ts';

const SET = (name: string, expression: string) => `<property name="${name}" expression="${expression}"/>`;
const MARK = (name: string) => `<property name="${name}" value="1"/>`;
const XML = '<o><id>7</id><x>1</x><x>2</x><e><f>in</f></e></o>';

function template(name: string, parameters: string, body: string, attributes = ''): SequenceTemplate {
  const reader = new ArtifactReader();
  const xml = `<template name="${name}" ${attributes}>${parameters}<sequence>${body}</sequence></template>`;
  const read = readTemplate(element(xml), reader);
  if (reader.failed || read?.kind !== 'sequence') throw new Error(reader.diagnostics[0]?.message);
  return read;
}

type Artifacts = ConstructorParameters<typeof FakeConfiguration>[0];

function prepared(templates: SequenceTemplate[], artifacts: Artifacts = {}, body = XML) {
  const byName = Object.fromEntries(templates.map((item) => [item.name, item]));
  const configuration = new FakeConfiguration({ ...artifacts, template: byName });
  return { configuration, request: message({ body, configuration }) };
}

const P = '<parameter name="p"/>';
const READ = SET('read', '$func:p');
const CALL = (value: string, target = 'T') =>
  `<call-template target="${target}"><with-param name="p" value="${value}"/></call-template>`;

/** What $func:p is when the template is called with a value. */
async function read(value: string, prepare?: (request: MessageContext) => void, body = XML) {
  const { request } = prepared([template('T', P, READ)], {}, body);
  prepare?.(request);
  expect(await sequence(`${CALL(value)}${MARK('after')}`).mediate(request)).toBe(true);
  expect(request.templateFrames).toEqual([]);
  expect(request.properties.has('after')).toBe(true);
  return request.properties.get('read');
}

describe('a parameter', () => {
  it.each([
    ['text', 'text'],
    [' {//id}', ' {//id}'],
    ['', ''],
    ['{//id}', '7'],
    ['{//id/text()}', '7'],
    ['{//x}', '1'],
    ['{count(//x)}', '2.0'],
    ["{concat('a', //id)}", 'a7'],
    ['{//e}', '<e><f>in</f></e>'],
    ['{$ctx:own}', 'mine'],
    ["{get-property('own')}", 'mine'],
    ['{{//id}}', '7'],
    ['{{//x}}', '<x>1</x><x>2</x>'],
  ])('%s is %s', async (value, expected) => {
    expect(await read(value, ({ properties }) => properties.set('own', 'mine'))).toBe(expected);
  });

  it.each([
    ['{json-eval($.o)}', '{"k":[1]}'],
    ['{json-eval($.s)}', 'text'],
    ['{$' + '{payload.s}}', 'text'],
    ['{{json-eval($.s)}}', 'text'],
  ])('%s of JSON is %s', async (value, expected) => {
    const { configuration } = prepared([template('T', P, READ)]);
    const request = message({ body: '{"o":{"k":[1]},"s":"text"}', contentType: 'application/json', configuration });
    await sequence(CALL(value)).mediate(request);
    expect(request.properties.get('read')).toBe(expected);
  });

  it('that is an element may be walked into, and is a copy', async () => {
    const body = `${SET('f', '$func:p/f')}<enrich><source type="inline">new</source><target xpath="//f"/></enrich>${SET('g', '$func:p/f')}`;
    const { request } = prepared([template('T', P, body)]);
    await sequence(CALL('{//e}')).mediate(request);
    expect([request.text('f'), request.text('g')]).toEqual(['in', 'in']);
  });

  it('keeps its type', async () => {
    const body = '<filter xpath="$func:p &gt; 4"><property name="more" value="1"/></filter>';
    const { request } = prepared([template('T', P, body)]);
    request.properties.set('n', new TypedNumber('INTEGER', 5));
    await sequence(CALL('{$ctx:n}')).mediate(request);
    expect(request.text('more')).toBe('1');
  });

  it('may be read by get-property and in expressions', async () => {
    const body = SET('a', "get-property('func', 'p')") + SET('b', '$' + '{params.functionParams.p}');
    const { request } = prepared([template('T', P, body)]);
    await sequence(CALL('v')).mediate(request);
    expect([request.text('a'), request.text('b')]).toEqual(['v', 'v']);
  });

  it('in double braces is evaluated each time it is read', async () => {
    const body = `${SET('one', '$func:p')}<property name="n" value="2"/>${SET('two', '$func:p')}`;
    const { request } = prepared([template('T', P, body)]);
    request.properties.set('n', '1');
    await sequence(CALL('{{$ctx:n}}')).mediate(request);
    expect([request.text('one'), request.text('two')]).toEqual(['1', '2']);
  });

  it('in double braces with get-property is the expression that the property holds', async () => {
    const body = `${SET('one', '$func:p')}<property name="path" value="//x"/>${SET('two', '$func:p')}`;
    const { request } = prepared([template('T', P, body)]);
    request.properties.set('path', '//id');
    await sequence(CALL("{{get-property('path')}}")).mediate(request);
    expect([request.text('one'), request.text('two')]).toEqual(['7', '7']);
    request.properties.set('path', '//[');
    expect(() => sequence(CALL("{{get-property('path')}}")).mediate(request)).toThrow('no expression: //[');
  });

  it('in double braces that reads a parameter of the caller means the caller’s', async () => {
    const outer = template('Outer', P, CALL('{{$func:p}}', 'T'));
    const { request } = prepared([outer, template('T', P, READ)]);
    await sequence(CALL('from outside', 'Outer')).mediate(request);
    expect(request.text('read')).toBe('from outside');
  });

  it('that is not declared is not evaluated, and is not there', async () => {
    const { request } = prepared([template('T', '', READ)]);
    expect(await sequence(CALL('{nope()}')).mediate(request)).toBe(true);
    expect(request.text('read') ?? '').toBe('');
  });

  it('has its default when there is no value', async () => {
    const parameters = '<parameter name="p" defaultValue="d"/><parameter name="q" defaultValue="{//id}"/>';
    const make = () => prepared([template('T', parameters, READ + SET('q', '$func:q'))]).request;
    const without = make();
    await sequence('<call-template target="T"/>').mediate(without);
    expect([without.text('read'), without.text('q')]).toEqual(['d', '{//id}']);
    for (const value of ['{//gone}', '{$ctx:gone}']) {
      const request = make();
      await sequence(CALL(value)).mediate(request);
      expect(request.text('read')).toBe('d');
    }
  });

  it('without value and default is not set', async () => {
    expect((await read('{//gone}')) ?? '').toBe('');
  });

  it("Apache's libraries write default and optional: a text, or an expression of the caller or of the template", async () => {
    const declared =
      '<parameter name="p" optional="true" default="d"/><parameter name="q" default="{//id}"/><parameter name="r" default="{{//id}}"/><parameter name="s" defaultValue="first" default="second"/>';
    const body =
      SET('p', '$func:p') +
      SET('before', '$func:r') +
      '<enrich><source type="inline"><o xmlns=""><id>8</id></o></source><target type="body"/></enrich>' +
      SET('q', '$func:q') +
      SET('r', '$func:r') +
      SET('s', '$func:s');
    const { request } = prepared([template('T', declared, body)]);
    await sequence('<call-template target="T"/>').mediate(request);
    const read = ['p', 'q', 'before', 'r', 's'].map((name) => request.properties.get(name));
    expect(read).toEqual(['d', '7', '7', '8', 'first']);
    expect(() => template('T', '<parameter name="p" default="{//[}"/>', '')).toThrow();
  });

  it('that is mandatory and has no value is fault 500101', async () => {
    const { request } = prepared([template('T', '<parameter name="p" isMandatory="true"/>', READ)]);
    await runFlow(request, () => sequence('<call-template target="T"/>').mediate(request));
    expect(String(request.properties.get('ERROR_CODE'))).toBe('500101');
    expect(request.text('ERROR_MESSAGE')).toBe(
      'Neither a value nor default value is provided for mandatory parameter: p in seq-template T',
    );
  });
});

describe('templates in templates', () => {
  it('see their own parameters only, and the outer ones again after them', async () => {
    const outer = template('Outer', P, `${SET('before', '$func:p')}${CALL('inner', 'T')}${SET('after', '$func:p')}`);
    const { request } = prepared([outer, template('T', P, READ)]);
    await sequence(CALL('outer', 'Outer')).mediate(request);
    expect(['before', 'read', 'after'].map((name) => request.text(name))).toEqual(['outer', 'inner', 'outer']);
  });

  it('take the parameters of the caller', async () => {
    const outer = template('Outer', P, CALL("{concat($func:p, '!')}", 'T'));
    const { request } = prepared([outer, template('T', P, READ)]);
    await sequence(CALL('v', 'Outer')).mediate(request);
    expect(request.text('read')).toBe('v!');
  });

  it('that call themselves end as a fault, not as a crash', () => {
    const { request } = prepared([template('T', P, CALL('{$func:p}'))]);
    expect(() => sequence(CALL('v')).mediate(request)).toThrow('nested more than 500 deep');
  });
});

describe('the end of a template', () => {
  it('that stops (drop, respond) ends the flow, and its parameters are gone (MREQ-14; spec mediators 7.6)', async () => {
    for (const end of ['<drop/>', '<respond/>']) {
      const { request } = prepared([template('T', P, end)]);
      expect(await sequence(`${CALL('v')}${MARK('after')}`).mediate(request)).toBe(false);
      expect(request.templateFrames).toEqual([]);
      expect(request.properties.has('after')).toBe(false);
    }
  });

  it('that is a fault takes the parameters away, at once or later', async () => {
    const { request, configuration } = prepared([
      template('T', P, '<sequence key="gone"/>'),
      template('U', P, '<call><endpoint><address uri="http://b"/></endpoint></call><sequence key="gone"/>'),
    ]);
    configuration.sender.answer = () => response(200, '<r/>', [['Content-Type', 'application/xml']]);
    expect(() => sequence(CALL('v')).mediate(request)).toThrow("'gone' cannot be found");
    expect(request.templateFrames).toEqual([]);
    await expect(sequence(CALL('v', 'U')).mediate(request)).rejects.toThrow("'gone' cannot be found");
    expect(request.templateFrames).toEqual([]);
  });

  it('comes after the answer of a call inside, where the parameters are still there', async () => {
    const body = `<call><endpoint><address uri="http://b"/></endpoint></call>${READ}`;
    const { request, configuration } = prepared([template('T', P, body)]);
    configuration.sender.answer = () => response(200, '<r/>', [['Content-Type', 'application/xml']]);
    expect(await sequence(`${CALL('v')}${MARK('after')}`).mediate(request)).toBe(true);
    expect([request.text('read'), request.text('after')]).toEqual(['v', '1']);
    expect(request.templateFrames).toEqual([]);
  });
});

describe('onError', () => {
  const FAILING = '<sequence key="gone"/>';
  const handlers = {
    sequence: { inner: sequence(MARK('inner')), outer: sequence(MARK('outer')), bad: sequence(FAILING) },
  };

  async function run(templateHandler: string, callHandler: string) {
    const attributes = templateHandler && `onError="${templateHandler}"`;
    const { request } = prepared([template('T', P, FAILING, attributes)], handlers);
    const call = `<call-template target="T" ${callHandler && `onError="${callHandler}"`}/>`;
    await runFlow(request, () => sequence(call).mediate(request));
    return ['inner', 'outer'].filter((name) => request.properties.has(name));
  }

  it('of the template is asked first, that of the call next', async () => {
    expect(await run('inner', 'outer')).toEqual(['inner']);
    expect(await run('bad', 'outer')).toEqual(['outer']);
    expect(await run('', 'outer')).toEqual(['outer']);
  });

  it('leaves the fault stack with the template', async () => {
    const { request } = prepared([template('T', P, READ, 'onError="inner"')], handlers);
    await sequence('<call-template target="T" onError="outer"/>').mediate(request);
    expect(request.faultStack).toEqual([]);
  });

  it('that is not there is a WARN', async () => {
    const { request } = prepared([template('T', P, READ)]);
    const records = await logged(() => sequence('<call-template target="T" onError="gone"/>').mediate(request));
    expect(records.map(({ level, message: text }) => `${level}: ${text}`)).toEqual([
      'warn: onError handler : gone of a call-template cannot be found',
    ]);
  });
});

it('a template that is not there, or is one of an endpoint, is a fault', () => {
  const endpointTemplate = { kind: 'endpoint', name: 'E', endpointWith: () => never() } as const;
  const configuration = new FakeConfiguration({ template: { E: endpointTemplate } });
  for (const target of ['E', 'gone']) {
    const run = () => sequence(CALL('v', target)).mediate(message({ configuration }));
    expect(run).toThrow(`Sequence template ${target} cannot be found.`);
  }
});

function never(): never {
  throw new Error('nobody asks for it');
}

it('outside of templates parameters are empty (MREQ-42)', async () => {
  const request = message();
  const reading = SET('a', "concat('[', $func:p, ']')") + SET('b', "get-property('func', 'p')");
  await sequence(reading).mediate(request);
  expect(request.text('a')).toBe('[]');
  expect(request.text('b') ?? '').toBe('');
});

describe('what is wrong is told', () => {
  it.each([
    ['<call-template/>', 'EIP Invoke mediator should have a target template specified.'],
    ['<call-template target=""/>', 'EIP Invoke mediator should have a non empty target name specified.'],
    [
      '<call-template target="T"><with-param value="v"/></call-template>',
      'Call template mediator parameters should have non empty name.',
    ],
    [
      '<call-template target="T"><with-param name="p"/></call-template>',
      "The 'value' attribute is required for the element 'with-param'",
    ],
  ])('%s', (xml, expected) => {
    expect(problemLines(xml)).toEqual([`error: ${expected}`]);
  });

  it('expressions that do not compile, with their place', () => {
    for (const value of ['{//[}', '{{//[}}']) {
      const [problem] = problems(`<call-template target="T">\n<with-param name="p" value="${value}"/></call-template>`);
      expect(problem).toMatchObject({ severity: 'error', position: { line: 2, column: 22 } });
    }
  });

  it('and what is referred to is known', () => {
    const reader = new ArtifactReader();
    const read = readTemplate(
      element('<template name="T"><sequence><call-template target="U" onError="h"/></sequence></template>'),
      reader,
    );
    expect(read?.name).toBe('T');
    expect(reader.references.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['template U', 'sequence h']);
  });
});
