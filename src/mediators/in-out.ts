import { mediator } from '../mediation/component.ts';
import { runSteps } from '../mediation/step.ts';
import type { Direction } from '../message/message-context.ts';

/** `<in>` and `<out>` run their mediators for one direction only (spec proxies 4.3, mediators 3.6). */
function directionFilter(element: 'in' | 'out', direction: Direction) {
  return mediator({
    element,
    doc: `Runs the mediators inside for a message in ${direction} direction, and lets others pass.`,
    attributes: {},
    children: 'mediators',
    compile({ element: written, compileList }) {
      const list = compileList(written, element);
      return (message) => (message.direction === direction ? runSteps(list, message) : true);
    },
  });
}

export const inFilter = directionFilter('in', 'request');
export const outFilter = directionFilter('out', 'response');
