import { dynamic } from '../expressions/attribute-types.ts';
import { javaBoolean, nonEmptyText, readAttributes, text } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import { compileSteps } from '../mediation/compile.ts';
import { Sequence } from '../mediation/sequence.ts';
import { SequenceTemplate, type TemplateParameter } from '../mediation/sequence-template.ts';
import { sourceOf } from '../mediators/calling/call-template.ts';

const ATTRIBUTES = {
  name: nonEmptyText({ required: true, missing: 'A EIP template should be a named mediator .', doc: 'Its name.' }),
  onError: nonEmptyText({ doc: 'The sequence that handles faults inside.' }),
} as const;
const PARAMETER_ATTRIBUTES = {
  name: nonEmptyText({ required: true, doc: 'Its name, for $func:name.' }),
  isMandatory: javaBoolean({ doc: '`true`: a call without a value is a fault.', default: false }),
  defaultValue: text({ doc: 'The value of a call that gives none.' }),
  default: dynamic({ doc: "The same as Apache's libraries write it; may be `{expression}` or `{{expression}}`." }),
  optional: javaBoolean({ doc: 'Accepted: what is not mandatory is optional.' }),
  description: text({ doc: 'Documentation only.' }),
} as const;

/** Reads a `<template>` with a `<sequence>` inside (spec mediators 3.21); undefined after an error. */
export function readSequenceTemplate(
  element: ConfigElement,
  body: ConfigElement,
  reader: ArtifactReader,
): SequenceTemplate | undefined {
  const attributes = readAttributes(element, ATTRIBUTES, reader);
  reader.warnUnknownChildren(element, ['parameter', 'sequence', 'description']);
  const parameters = readParameters(element, reader);
  const list = compileSteps(body, reader, `template/${attributes?.name ?? '?'}`);
  if (!attributes) return undefined;
  const { name, onError } = attributes;
  if (onError !== undefined) reader.refer('sequence', onError, element, 'onError');
  const sequence = new Sequence({ ...(onError !== undefined && { onError }), list, position: body.position });
  return new SequenceTemplate({ name, parameters, body: sequence, position: element.position });
}

function readParameters(element: ConfigElement, reader: ArtifactReader): TemplateParameter[] {
  const parameters: TemplateParameter[] = [];
  for (const child of element.childrenNamed('parameter')) {
    const attributes = readAttributes(child, PARAMETER_ATTRIBUTES, reader);
    if (!attributes) continue;
    const { name, isMandatory, defaultValue, default: written } = attributes;
    const source = written && defaultValue === undefined ? sourceOf(written, child, reader) : undefined;
    if (parameters.some((known) => known.name === name)) reader.warning(child, `parameter '${name}' is declared twice`);
    else parameters.push({ name, mandatory: isMandatory, defaultValue, ...(source && { computedDefault: source }) });
  }
  return parameters;
}
