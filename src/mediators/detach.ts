import { expression } from '../expressions/attribute-types.ts';
import { nonEmptyText } from '../grammar/attributes.ts';
import { always, mediator } from '../mediation/component.ts';
import { cloneWithOrigins } from '../message/json-xml.ts';
import type { MessageContext } from '../message/message-context.ts';
import { JsonValue } from '../message/property-value.ts';
import { NODE_TYPES, NodeBudget, newDocument, type XmlElement } from '../xml/index.ts';

/** Takes elements out of the message and keeps them in a property (Apache Synapse; spec mediators 3.41). */
export const detach = mediator({
  element: 'detach',
  doc: 'Takes the selected elements, or the first element of the body, out of the message and keeps them in a property.',
  attributes: {
    property: nonEmptyText({
      required: true,
      missing: "The 'property' attribute is required for a detach mediator",
      doc: 'The name of the property.',
    }),
    source: expression({ doc: 'The expression that selects the elements.' }),
  },
  compile({ attributes: { property, source } }) {
    return always((message) => {
      const elements = source ? elementsOf(source.nodes(message)) : bodyChild(message);
      if (elements.length === 0) return;
      const budget = new NodeBudget();
      const copies = elements.map((element) => cloneWithOrigins(newDocument(null, 'property'), element, budget));
      for (const element of elements) element.parentNode?.removeChild(element);
      message.payload.changed();
      message.properties.set(property, copies.length === 1 ? (copies[0] as XmlElement) : copies);
    });
  },
});

function elementsOf(nodes: readonly object[]): XmlElement[] {
  return nodes.filter(
    (node): node is XmlElement =>
      !(node instanceof JsonValue) && 'nodeType' in node && node.nodeType === NODE_TYPES.element,
  );
}

function bodyChild({ payload }: MessageContext): XmlElement[] {
  const child = payload.firstBodyChild();
  return child ? [child] : [];
}
