import { describe, expect, test } from 'vitest';
import type { EndpointTemplate } from '../../src/endpoints/template-endpoint.ts';
import { MediationError } from '../../src/message/errors.ts';
import { refused, ScriptedBackEnds } from '../endpoints/scripted-back-ends.ts';
import { endpoint, endpointProblems, logged } from '../mediation/harness.ts';
import { only, problems, read, SYN } from './read.ts';

const TEMPLATE = `<template ${SYN} name="T">
  <parameter name="wait"/><parameter name="unused"/>
  <endpoint name="$name">
    <address uri=" $uri ">
      <suspendOnFailure><initialDuration>$wait</initialDuration></suspendOnFailure>
      <retryConfig><disabledErrorCodes>101504</disabledErrorCodes></retryConfig>
    </address>
    <property name="X-Cost" value="$5" scope="transport"/>
  </endpoint>
</template>`;

function template(text = TEMPLATE): EndpointTemplate {
  const { content } = only(read(text), 'template');
  if (content.kind !== 'endpoint') throw new Error('it is a template of a sequence');
  return content;
}

const made = (attributes: string, parameters = '') =>
  endpoint(`<endpoint template="T" ${attributes}>${parameters}</endpoint>`);
const WAIT = '<parameter name="wait" value="60000"/>';

describe('an endpoint of a template', () => {
  test('is the endpoint of the template with its own values', async () => {
    const backEnds = new ScriptedBackEnds({ template: { T: template() } });
    const target = made('name="E" uri="http://b/x"', WAIT);
    const request = backEnds.message();
    await target.send(request);
    expect(backEnds.requests[0]).toMatchObject({ url: 'http://b/x' });
    expect(backEnds.requests[0]?.headers).toContainEqual(['X-Cost', '$5']);
    expect(request.text('last_endpoint')).toBe('E');
    expect(target.describe()).toMatchObject({ state: 'ACTIVE', address: 'http://b/x' });
    expect(target.allowsRetry?.(101504, request)).toBe(false);
    expect(target.allowsRetry?.(101503, request)).toBe(true);
  });

  test('has a state of its own, which it keeps while the template stays', async () => {
    const templates: Record<string, EndpointTemplate> = { T: template() };
    const backEnds = new ScriptedBackEnds({ template: templates });
    const [one, other] = [made('uri="http://b/1"', WAIT), made('uri="http://b/2"', WAIT)];
    backEnds.behaviours.b = () => {
      throw refused();
    };
    expect(await backEnds.sendMany(one, 2)).toEqual([101503, 303001]);
    expect(one.readyAt(backEnds.message())).toBeGreaterThan(Date.now());
    expect(one.describe().state).toBe('SUSPENDED');
    backEnds.allWell();
    expect(await backEnds.sendMany(other, 1)).toEqual(['b']);
    templates.T = template(TEMPLATE.replace('$5', '$6'));
    expect(one.readyAt(backEnds.message())).toBe(0);
    expect(await backEnds.sendMany(one, 1)).toEqual(['b']);
    expect(backEnds.requests.at(-1)?.headers).toContainEqual(['X-Cost', '$6']);
  });

  test('as the child of a group takes its part', async () => {
    const backEnds = new ScriptedBackEnds({ template: { T: template() } });
    backEnds.behaviours.a = 'refuses';
    const child = (host: string) => `<endpoint name="${host}" template="T" uri="http://${host}/">${WAIT}</endpoint>`;
    const target = endpoint(`<endpoint><failover>${child('a')}${child('b')}</failover></endpoint>`);
    expect(await backEnds.sendMany(target, 2)).toEqual(['b', 'b']);
    expect(backEnds.takeHosts().join('')).toBe('abb');
  });

  test('without its template is not there', async () => {
    const backEnds = new ScriptedBackEnds();
    const target = made('uri="http://b/"');
    expect(target.readyAt(backEnds.message())).toBe(Number.POSITIVE_INFINITY);
    expect(target.allowsRetry?.(1, backEnds.message())).toBe(true);
    expect(target.describe().state).toBe('ACTIVE');
    await expect(target.send(backEnds.message())).rejects.toMatchObject({
      code: 305100,
      message: "Couldn't find the endpoint template with the name : T",
    });
  });

  test.each([
    ['', "The template 'T' needs a value for 'wait'"],
    [
      '<parameter name="wait" value="long"/>',
      "The template 'T' makes no endpoint: <initialDuration> is not a number: 'long' (test.xml:5:25)",
    ],
  ])('with %j cannot be made; that is told once in the log, and to every message', async (parameters, text) => {
    const backEnds = new ScriptedBackEnds({ template: { T: template() } });
    const target = made('name="E" uri="http://b/"', parameters);
    const records = await logged(async () => {
      for (let times = 0; times < 2; times += 1) {
        expect(target.readyAt(backEnds.message())).toBe(0);
        const failure = await target.send(backEnds.message()).catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(MediationError);
        expect((failure as MediationError).message).toBe(text);
      }
    });
    expect(records.map(({ message }) => message)).toEqual([`Endpoint E cannot be made of its template: ${text}`]);
  });

  test.each([
    ['<endpoint template=" "/>', "error: The 'template' attribute must name an endpoint template"],
    [
      '<endpoint template="T"><parameter name="p"/></endpoint>',
      'error: A parameter of a template endpoint needs a name and a value',
    ],
    ['<endpoint template="T"><address/></endpoint>', 'warning: unknown element <address> inside <endpoint> is ignored'],
    ['<endpoint template="T" uri="$SYSTEM:NO_SUCH_VARIABLE"/>', 'error: Environment variable could not be found'],
  ])('%s is told', (xml, text) => {
    expect(endpointProblems(xml)).toEqual([text]);
  });
});

describe('an endpoint template', () => {
  test('is told what is wrong with it whatever the values are, with its place', () => {
    const wrong = TEMPLATE.replace('101504', 'all').replace('scope="transport"', 'scope="transprot"');
    expect(problems(read(wrong))).toEqual([
      '6:20 error The error codes should be specified as valid numbers separated by commas or spaces : all',
      "8:40 error attribute 'scope' of <property>: 'transprot' is not allowed",
    ]);
  });

  test('is not blamed for what depends on the values', () => {
    const action = '<timeout><duration>$wait</duration><responseAction>$action</responseAction></timeout>';
    const open = TEMPLATE.replace('<suspendOnFailure>', `${action}<suspendOnFailure>`);
    expect(problems(read(open.replace('<parameter name="unused"/>', '<parameter name="action"/>')))).toEqual([]);
    expect(problems(read(open))).toHaveLength(1);
  });

  test('refers to what its endpoint refers to', () => {
    const reading = read(TEMPLATE.replace('name="$name"', 'name="$name" onError="handler"'));
    expect(only(reading, 'template').references).toEqual([]);
    const fixed = read(TEMPLATE.replace('<endpoint name="$name">', '<endpoint onError="handler">'));
    expect(only(fixed, 'template').references.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['sequence handler']);
  });

  test.each([
    [
      `<template ${SYN}><endpoint><default/></endpoint></template>`,
      '1:1 error A EIP template should be a named mediator .',
    ],
    [`<template ${SYN} name="T"/>`, '1:1 error A template needs a sequence or an endpoint inside'],
    [
      `<template ${SYN} name="T"><parameter/><endpoint><default/></endpoint></template>`,
      "1:60 error The 'name' attribute is required for the element 'parameter'",
    ],
  ])('%s is refused', (text, problem) => {
    expect(problems(read(text))).toContain(problem);
  });
});
