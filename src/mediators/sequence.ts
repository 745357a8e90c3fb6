import { dynamic } from '../expressions/attribute-types.ts';
import { nonEmptyText } from '../grammar/attributes.ts';
import { mediator } from '../mediation/component.ts';
import { callerOf } from '../mediation/continuation.ts';
import { Sequence } from '../mediation/sequence.ts';
import { MediationError } from '../message/errors.ts';

/** Runs another sequence by key, or the mediators inside with their own `onError` (spec proxies 4.3, mediators 3.10). */
export const sequence = mediator({
  element: 'sequence',
  doc: 'Runs the sequence that `key` names, or the mediators inside.',
  attributes: {
    key: dynamic({ doc: 'The name of the sequence; may be `{expression}`.' }),
    name: nonEmptyText({ doc: 'A name for the mediators inside.' }),
    onError: nonEmptyText({ doc: 'The sequence that handles faults of the mediators inside.' }),
  },
  children: 'mediators',
  compile({ element, attributes, reader, rest, compileList, leavesBody }) {
    const { key, name, onError } = attributes;
    const caller = callerOf(rest);
    if (key === undefined) {
      if (onError !== undefined) reader.refer('sequence', onError, element, 'onError');
      leavesBody();
      const list = compileList(element, 'sequence', 'ends');
      const inline = new Sequence({
        list,
        position: element.position,
        ...(name !== undefined && { name }),
        ...(onError !== undefined && { onError }),
      });
      return (message) => inline.mediate(message, caller);
    }
    if (onError !== undefined) {
      reader.error(element, "A sequence mediator with a reference to another sequence can not have 'ErrorHandler'", {
        attribute: 'onError',
        expected: 'onError on the sequence that is referred to',
      });
    }
    if (key.static !== undefined) {
      reader.refer('sequence', key.static, element, 'key');
      leavesBody();
    }
    return (message) => {
      const wanted = key.static ?? key.evaluate(message) ?? '';
      const found = message.configuration.find('sequence', wanted);
      if (!found) throw new MediationError(`Sequence named '${wanted}' cannot be found`);
      return found.mediate(message, caller);
    };
  },
});
