import { expression } from '../expressions/attribute-types.ts';
import type { Expression } from '../expressions/expression.ts';
import { nonEmptyText, oneOf, readAttributes, text } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { Scope } from '../message/property-scopes.ts';

/** A `<property>` of an endpoint, set on the outgoing message at send time (spec proxies 5.1). */
export interface EndpointProperty {
  readonly name: string;
  readonly scope: Scope;
  value(message: MessageContext): string | null;
}

const ATTRIBUTES = {
  name: nonEmptyText({
    required: true,
    missing: "The 'name' attribute is required for a property of an endpoint",
    doc: 'Its name.',
  }),
  value: text({ doc: 'The value, literally.' }),
  expression: expression({ doc: 'XPath or json-eval(…) that gives the value.' }),
  scope: oneOf(['default', 'axis2', 'axis2-client', 'transport'], { default: 'default', doc: 'Where it is set.' }),
} as const;

export function readEndpointProperties(element: ConfigElement, reader: ArtifactReader): EndpointProperty[] {
  const found: EndpointProperty[] = [];
  for (const child of element.childrenNamed('property')) {
    const attributes = readAttributes(child, ATTRIBUTES, reader);
    if (attributes)
      found.push(endpointProperty(attributes.name, attributes.scope, attributes.value, attributes.expression));
  }
  return found;
}

function endpointProperty(
  name: string,
  scope: Scope,
  value: string | undefined,
  computed: Expression | undefined,
): EndpointProperty {
  if (value === undefined && computed) return { name, scope, value: (message) => computed.stringValue(message) };
  return { name, scope, value: () => value ?? null };
}
