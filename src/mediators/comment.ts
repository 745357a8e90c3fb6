import { mediator } from '../mediation/component.ts';

/** Text for those who read the configuration (spec mediators 3.41). */
export const comment = mediator({
  element: 'comment',
  doc: 'Does nothing.',
  attributes: {},
  children: 'any',
  compile: () => () => true,
});
