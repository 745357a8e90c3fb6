import { mediator } from '../mediation/component.ts';
import { runSteps } from '../mediation/step.ts';

/** Several properties in order (spec mediators 3.3). */
export const propertyGroup = mediator({
  element: 'propertyGroup',
  doc: 'Sets or removes several properties, in order.',
  attributes: {},
  children: 'mediators',
  compile({ element, reader, compileList, leavesBody }) {
    leavesBody();
    for (const child of element.children) {
      if (child.name === 'property' || child.name === 'description') continue;
      reader.error(child, `<${child.name}> is not allowed inside <propertyGroup>`, { expected: '<property>' });
    }
    const list = compileList(element, 'propertyGroup');
    return (message) => runSteps(list, message);
  },
});
