import type { ConfigElement } from '../grammar/element.ts';
import { resolvePlaceholders } from '../grammar/placeholders.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { Endpoint } from './endpoint.ts';
import { TemplateEndpoint } from './template-endpoint.ts';

const KNOWN_CHILDREN = ['parameter', 'description'];

/** Reads `<endpoint template="…" name="…" uri="…">` with its `<parameter name value>` children; undefined after an error. */
export function readTemplateEndpoint(
  element: ConfigElement,
  reader: ArtifactReader,
  name: string | undefined,
): Endpoint | undefined {
  const template = element.attribute('template')?.trim() ?? '';
  if (template === '') {
    reader.error(element, "The 'template' attribute must name an endpoint template", { attribute: 'template' });
    return undefined;
  }
  reader.warnUnknownChildren(element, KNOWN_CHILDREN);
  reader.refer('template', template, element, 'template');
  const values = new Map<string, string>();
  if (name !== undefined) values.set('name', name);
  const uri = element.attribute('uri');
  let complete = uri === undefined || addValue(values, 'uri', uri, element, reader);
  for (const child of element.childrenNamed('parameter')) {
    complete = readValue(child, values, reader) && complete;
  }
  return complete ? new TemplateEndpoint({ name, position: element.position, template, values }) : undefined;
}

function readValue(element: ConfigElement, values: Map<string, string>, reader: ArtifactReader): boolean {
  reader.warnUnknownAttributes(element, ['name', 'value']);
  const name = element.attribute('name')?.trim();
  const value = element.attribute('value');
  if (name && value !== undefined) return addValue(values, name, value, element, reader);
  reader.error(element, 'A parameter of a template endpoint needs a name and a value', {
    expected: '<parameter name="…" value="…"/>',
  });
  return false;
}

function addValue(
  values: Map<string, string>,
  name: string,
  written: string,
  element: ConfigElement,
  reader: ArtifactReader,
): boolean {
  const value = resolvePlaceholders(written, element, reader);
  if (value === undefined) return false;
  values.set(name, value);
  return true;
}
