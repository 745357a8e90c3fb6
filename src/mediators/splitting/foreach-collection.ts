import { compileExpression } from '../../expressions/compile-expression.ts';
import type { Expression } from '../../expressions/expression.ts';
import { ValueError } from '../../grammar/attributes.ts';
import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import type { Mediate, MediatorCompilation } from '../../mediation/component.ts';
import { Sequence } from '../../mediation/sequence.ts';
import { startDetached } from '../../mediation/split.ts';
import type { MessageContext } from '../../message/message-context.ts';
import type { Payload } from '../../message/payload.ts';
import { TypedNumber } from '../../message/property-value.ts';
import { gather } from './branch-results.ts';
import type { FOREACH_ATTRIBUTES } from './foreach.ts';
import { type Collection, selectCollection } from './foreach-items.ts';
import { admitParts } from './part-limit.ts';
import { ResultBudget } from './result-budget.ts';
import { type ResultTarget, readResultTarget } from './result-target.ts';

const log = logger('ForEachMediatorV2');

type Compilation = MediatorCompilation<typeof FOREACH_ATTRIBUTES>;

/**
 * foreach with `collection` (spec mediators 3.26): copies of the message get one item each as their payload, at once or one after the
 * other; when all have come to their end, the message goes on with their results.
 */
export function compileForeachCollection(compilation: Compilation): Mediate | undefined {
  const { attributes } = compilation;
  const collection = readCollection(compilation);
  const sequence = readSequenceChild(compilation);
  const target = readTargetAttributes(compilation);
  if (!collection || !sequence || !target) return undefined;
  const { 'parallel-execution': parallel, 'counter-variable': counter } = attributes;
  const detached = attributes['continue-without-aggregation'];
  return (message) => {
    const found = selectCollection(collection, message);
    if (found.count === 0) {
      log.info(`${collection.source} is empty: nothing to iterate over`, aboutMessage(message));
      return true;
    }
    admitParts(message, found.count, 'foreach');
    const original = detached ? message.copy() : message;
    const branch = (index: number): MessageContext => {
      const copy = original.copy(found.payload(index));
      if (counter !== undefined) copy.variables.set(counter, new TypedNumber('INTEGER', index));
      return copy;
    };
    if (detached) {
      const run = (copy: MessageContext) => sequence.mediate(copy);
      startDetached(message, { role: 'branch', count: found.count, sequential: !parallel, part: branch, run });
      return true;
    }
    return gathered(message, sequence, { collection, found, target, parallel, branch });
  };
}

interface Loop {
  readonly collection: Expression;
  readonly found: Collection;
  readonly target: ResultTarget | 'original';
  readonly parallel: boolean;
  readonly branch: (index: number) => MessageContext;
}

async function gathered(message: MessageContext, sequence: Sequence, loop: Loop): Promise<boolean> {
  const { found, target, parallel, branch } = loop;
  // Of a result its payload is kept, not the message with all its properties.
  const payloads = new Array<Payload | undefined>(found.count).fill(undefined);
  const budget = new ResultBudget(message, 'foreach');
  let arrived = 0;
  await gather(message, {
    mediator: 'foreach',
    count: found.count,
    parallel,
    branch,
    run: (copy, _, caller) => sequence.mediate(copy, caller),
    accept(result, index) {
      budget.admit(result.payload);
      payloads[index] = result.payload;
      arrived += 1;
      return arrived === found.count;
    },
  });
  if (target === 'original') found.update(message, payloads);
  else target.setPayloads(message, payloads);
  return true;
}

function readCollection({ element, attributes, reader }: Compilation): Expression | undefined {
  const written = attributes.collection ?? '';
  // The braces of a dynamic value are accepted around it, too.
  const source = written.startsWith('{') && written.endsWith('}') ? written.slice(1, -1) : written;
  try {
    const compiled = compileExpression(source, element.prefixes());
    for (const warning of compiled.warnings) reader.warning(element, warning, { attribute: 'collection' });
    return compiled;
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(element, `Unable to build the Foreach Mediator. Invalid expression ${written}: ${error.message}`, {
      attribute: 'collection',
      ...(error.expected && { expected: error.expected }),
    });
    return undefined;
  }
}

function readSequenceChild({ element, reader, compileList }: Compilation): Sequence | undefined {
  const inline = element.child('sequence');
  if (!inline) {
    reader.error(element, "A 'sequence' element is required for the configuration of a Foreach mediator", {
      expected: '<sequence>',
    });
    return undefined;
  }
  const list = compileList(inline, 'sequence', 'ends');
  const onError = inline.attribute('onError');
  if (onError !== undefined) reader.refer('sequence', onError, inline, 'onError');
  return new Sequence({ list, position: inline.position, ...(onError !== undefined && { onError }) });
}

function readTargetAttributes({ element, attributes, reader }: Compilation): ResultTarget | 'original' | undefined {
  const { 'parallel-execution': parallel, 'counter-variable': counter, 'update-original': original } = attributes;
  if (counter !== undefined && parallel) {
    reader.error(element, "The 'counter-variable' attribute is not allowed when parallel-execution is true", {
      attribute: 'counter-variable',
      expected: 'parallel-execution="false"',
    });
    return undefined;
  }
  if (original) return 'original';
  const { 'target-variable': variable, 'result-content-type': type } = attributes;
  if (variable === undefined || type === undefined) {
    if (attributes['continue-without-aggregation']) return 'original';
    reader.error(
      element,
      "The 'result-content-type' and 'target-variable' attributes are required when the 'update-original' attribute is 'false'",
    );
    return undefined;
  }
  return readResultTarget(element, reader, {
    mediator: 'Foreach',
    type,
    enclosing: attributes['result-enclosing-element'],
    variable,
  });
}
