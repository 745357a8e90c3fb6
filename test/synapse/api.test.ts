import { describe, expect, test } from 'vitest';
import { only, problems, read, SYN } from './read.ts';

const RESOURCE = '<resource><inSequence><respond/></inSequence></resource>';

function api(attributes: string, inner = RESOURCE) {
  return read(`<api ${SYN} ${attributes}>${inner}</api>`);
}

function definition(attributes: string, inner = RESOURCE) {
  return only(api(attributes, inner), 'api').content;
}

describe('an API', () => {
  test('with defaults', () => {
    const reading = api('name="a" context="/a/"');
    expect(problems(reading)).toEqual([]);
    expect(only(reading, 'api').content).toMatchObject({
      name: 'a',
      context: '/a',
      version: undefined,
      transports: undefined,
      bindsTo: ['default'],
      resources: [{ mapping: { kind: 'default' }, methods: [], protocol: undefined }],
    });
  });

  test('of a version', () => {
    expect(definition('name="a" context="/a" version="1" version-type="url"')).toMatchObject({
      context: '/a',
      version: { name: '1', strategy: 'url' },
    });
    expect(definition('name="a" context="/a/{version}/x" version="1" version-type="context"').context).toBe('/a/1/x');
  });

  test('its filters', () => {
    expect(
      definition('name="a" context="/a" hostname="h" port="8280" transports="https" binds-to="in1, in2"'),
    ).toMatchObject({ hostname: 'h', port: 8280, transports: ['https'], bindsTo: ['in1', 'in2'] });
  });

  test('its resources', () => {
    const { resources } = definition(
      'name="a" context="/a"',
      `<resource methods="get POST" uri-template="/u/{id}" protocol="https" content-type="a/b" user-agent="x.*"
         inSequence="in" outSequence="out" faultSequence="f"/>
       <resource url-mapping="/m/*"><inSequence/></resource>`,
    );
    expect(resources).toMatchObject([
      {
        mapping: { kind: 'uri-template', template: { text: '/u/{id}' } },
        methods: ['GET', 'POST'],
        protocol: 'https',
        contentType: 'a/b',
        inSequence: { kind: 'key', key: 'in' },
        outSequence: { kind: 'key', key: 'out' },
        faultSequence: { kind: 'key', key: 'f' },
      },
      { mapping: { kind: 'url-mapping', text: '/m/*' }, inSequence: { kind: 'inline' } },
    ]);
    expect(resources[0]?.userAgent?.('xyz')).toBe(true);
    expect(resources[0]?.userAgent?.('yx')).toBe(false);
  });

  test.each([
    ['name="a"', RESOURCE, "Attribute 'context' is required for an API definition"],
    ['context="/a"', RESOURCE, "Attribute 'name' is required for an API definition"],
    ['name="a" context="a"', RESOURCE, "API context must begin with '/' character"],
    ['name="a" context="/a"', '', 'API a must contain at least one resource definition'],
    ['name="a" context="/a" version="1"', RESOURCE, 'A version of an API needs a version-type'],
    ['name="a" context="/a" transports="jms"', RESOURCE, 'Invalid protocol name: jms'],
    ['name="a" context="/a"', '<resource uri-template="/a" url-mapping="/b"/>', 'Resource cannot have both'],
    ['name="a" context="/a"', '<resource uri-template="/{a"/>', "Invalid uri-template : /{a: '{' without '}'"],
    ['name="a" context="/a"', '<resource user-agent="("/>', "'(' is not a regular expression"],
    ['name="a" context="/a"', '<resource protocol="jms"/>', "'jms' is not allowed"],
  ])('%s %s is refused', (attributes, inner, expected) => {
    const reading = api(attributes, inner);
    expect(reading.artifacts).toEqual([]);
    expect(problems(reading)).toContainEqual(
      expect.stringContaining(`error ${expected.startsWith("'") ? '' : expected}`),
    );
    expect(problems(reading).join('\n')).toContain(expected);
  });

  test('a handler is warned about', () => {
    const reading = api('name="a" context="/a"', `${RESOURCE}<handlers><handler class="com.Foo"/></handlers>`);
    expect(problems(reading)).toEqual([expect.stringContaining("the API handler 'com.Foo' is a Java class")]);
    expect(reading.artifacts).toHaveLength(1);
  });

  test('two of one context in one file are refused', () => {
    const one = (name: string) => `<api name="${name}" context="/same">${RESOURCE}</api>`;
    const reading = read(`<definitions ${SYN}>${one('a')}${one('b')}</definitions>`);
    expect(reading.artifacts).toHaveLength(1);
    expect(problems(reading)).toEqual([expect.stringContaining("api 'b' is defined twice")]);
  });
});
