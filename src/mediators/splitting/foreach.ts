import { expression } from '../../expressions/attribute-types.ts';
import { javaBoolean, nonEmptyText, text } from '../../grammar/attributes.ts';
import { mediator } from '../../mediation/component.ts';
import { compileForeachCollection } from './foreach-collection.ts';
import { compileForeachExpression } from './foreach-expression.ts';

/** The attributes of both versions; which of them count depends on `collection` (spec mediators 3.25, 3.26). */
export const FOREACH_ATTRIBUTES = {
  expression: expression({
    invalid: 'Unable to build the ForEach Mediator. Invalid expression',
    doc: 'Version 1: the elements, or the JSON array, that the sequence is run for, on this message.',
  }),
  id: nonEmptyText({ doc: 'Version 1: goes in front of the names of FOREACH_COUNTER and FOREACH_ORIGINAL_MESSAGE.' }),
  sequence: nonEmptyText({ doc: 'Version 1: the name of the sequence to run.' }),
  continueLoopOnFailure: javaBoolean({ default: false, doc: 'Version 1: goes on with the next one after a failure.' }),
  collection: text({ doc: 'Version 2: what the sequence is run for, on copies of the message.' }),
  'parallel-execution': javaBoolean({ default: true, doc: 'Version 2: do not wait for one before the next.' }),
  'continue-without-aggregation': javaBoolean({ default: false, doc: 'Version 2: go on at once, forget the results.' }),
  'update-original': javaBoolean({ default: true, doc: 'Version 2: do the results take the place of the collection?' }),
  'target-variable': nonEmptyText({ doc: 'Version 2: the variable that the results are put into instead.' }),
  'result-content-type': nonEmptyText({ doc: 'Version 2: JSON or XML.' }),
  'result-enclosing-element': nonEmptyText({ doc: 'Version 2: the name of the element around XML results.' }),
  'counter-variable': nonEmptyText({ doc: 'Version 2: the variable with the index, from 0.' }),
} as const;

/** Runs a sequence for every element or item; two mediators of one name, told apart by `collection`. */
export const foreach = mediator({
  element: 'foreach',
  doc: 'Runs a sequence for every selected element or JSON item and puts the results back.',
  attributes: FOREACH_ATTRIBUTES,
  children: ['sequence'],
  compile: (compilation) =>
    compilation.attributes.collection?.trim()
      ? compileForeachCollection(compilation)
      : compileForeachExpression(compilation),
});
