import { describe, expect, test } from 'vitest';
import { SequenceTemplate } from '../../src/mediation/sequence-template.ts';
import { only, problems, read, SYN } from './read.ts';

describe('a template of a sequence', () => {
  test('has parameters, a body and references', () => {
    const text = `<template ${SYN} name="T" onError="handler"><description>d</description>
      <parameter name="a" isMandatory="TRUE"/><parameter name="b" defaultValue="" description="x"/>
      <sequence><log/><sequence key="other"/></sequence></template>`;
    const artifact = only(read(text), 'template');
    expect(artifact.name).toBe('T');
    const content = artifact.content as SequenceTemplate;
    expect(content).toBeInstanceOf(SequenceTemplate);
    expect(content.parameters).toEqual([
      { name: 'a', mandatory: true, defaultValue: undefined },
      { name: 'b', mandatory: false, defaultValue: '' },
    ]);
    expect(content.body.onError).toBe('handler');
    expect(content.body.list.steps.map(({ id }) => id)).toEqual(['template/T/1', 'template/T/2']);
    expect(artifact.references.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
      'sequence handler',
      'sequence other',
    ]);
  });

  test.each([
    [`<template ${SYN}><sequence/></template>`, 'error A EIP template should be a named mediator .'],
    [`<template ${SYN} name="T"><parameter/><sequence/></template>`, "error The 'name' attribute is required"],
    [
      `<template ${SYN} name="T"><parameter name="a"/><parameter name="a"/><sequence/></template>`,
      "warning parameter 'a' is declared twice",
    ],
    [`<template ${SYN} name="T"><sequence><lgo/></sequence></template>`, 'error Unknown mediator'],
    [`<template ${SYN} name="T"><sequence/><endpoint/></template>`, 'warning unknown element <endpoint>'],
  ])('%s: %s', (text, expected) => {
    const found = problems(read(text));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });
});
