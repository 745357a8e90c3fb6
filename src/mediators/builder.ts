import { text } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import { always, mediator } from '../mediation/component.ts';

/**
 * Reads the payload now (spec mediators 3.41). In the reference it names Java classes that do so; here the Content-Type decides, as
 * everywhere.
 */
export const builder = mediator({
  element: 'builder',
  doc: 'Reads the payload now, by its Content-Type. The classes that it names have no effect.',
  attributes: {
    class: text({ doc: 'Accepted and without effect.' }),
    formatterClass: text({ doc: 'Accepted and without effect.' }),
  },
  children: ['messageBuilder'],
  compile({ element, attributes, reader }) {
    const incomplete = attributes.class !== undefined && attributes.formatterClass === undefined;
    if (incomplete) reader.error(element, 'formatterClass attribute is required', { expected: 'formatterClass="…"' });
    const complete = element.childrenNamed('messageBuilder').map((child) => isComplete(child, reader));
    if (incomplete || complete.includes(false)) return undefined;
    return always((message) => message.payload.envelope());
  },
});

function isComplete(element: ConfigElement, reader: ArtifactReader): boolean {
  reader.warnUnknownAttributes(element, ['contentType', 'class', 'formatterClass']);
  const missing = ['contentType', 'class'].filter((name) => element.attribute(name) === undefined);
  for (const name of missing) reader.error(element, `${name} attribute is required`, { expected: `${name}="…"` });
  return missing.length === 0;
}
