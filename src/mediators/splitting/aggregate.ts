import { dynamic, expression } from '../../expressions/attribute-types.ts';
import type { Expression } from '../../expressions/expression.ts';
import type { DynamicValue } from '../../expressions/value.ts';
import { integer, nonEmptyText, oneOf, readAttributes } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { type MediatorCompilation, mediator } from '../../mediation/component.ts';
import { callerOf, goOn, type Rest } from '../../mediation/continuation.ts';
import { handleFault } from '../../mediation/fault.ts';
import { runFlow } from '../../mediation/flow.ts';
import { runSteps } from '../../mediation/step.ts';
import type { Caller, Split } from '../../message/caller.ts';
import { MediationError } from '../../message/errors.ts';
import { type MessageContext, ORIGINAL_ID } from '../../message/message-context.ts';
import { type Merging, mergedMessage } from './aggregate-result.ts';
import { Aggregation, type Condition, type Group } from './aggregation.ts';

const COMPLETE_CONDITION = {
  timeout: integer({
    minimum: 0,
    maximum: 2_000_000,
    default: 0,
    doc: 'Seconds after which a group is complete anyway.',
  }),
} as const;

const MESSAGE_COUNT = {
  min: dynamic({ doc: 'A group of so many messages is complete; may be `{expression}`.' }),
  max: dynamic({ doc: 'A group of so many messages is complete; may be `{expression}`.' }),
} as const;

const CORRELATE_ON = {
  expression: expression({
    required: true,
    invalid: 'Unable to load the corelate XPATH expression',
    doc: 'Messages for which it gives the same text belong together.',
  }),
} as const;

const ON_COMPLETE = {
  expression: expression({
    invalid: 'Unable to load the aggregating XPATH',
    doc: 'What is taken of every message; default: the first child of the Body.',
  }),
  sequence: nonEmptyText({ doc: 'The sequence that takes the result.' }),
  enclosingElementProperty: nonEmptyText({ doc: 'The property with the element that is put around the result.' }),
  aggregateElementType: oneOf(['root', 'child'], {
    default: 'root',
    doc: 'Of JSON: an array of the values, or one object with the members of all.',
  }),
} as const;

/** Collects messages until they are complete and goes on with one that is made of them (spec mediators 3.15). */
export const aggregate = mediator({
  element: 'aggregate',
  doc: 'Collects the answers to what iterate or clone sent out, and goes on with one message made of them.',
  attributes: { id: nonEmptyText({ doc: 'The id of the iterate or clone whose parts are collected.' }) },
  children: ['correlateOn', 'completeCondition', 'onComplete'],
  compile(compilation) {
    const { element, attributes, reader, id: place, rest } = compilation;
    const { id } = attributes;
    const grouping = readGrouping(element, reader, id);
    const condition = readCondition(element, reader, id);
    const completion = readCompletion(compilation);
    if (!grouping || !condition || !completion) return undefined;
    const joint = new Joint({ id, place, rest, completion });
    const aggregation = new Aggregation({
      label: joint.label,
      expired: (group) => joint.expired(group),
    });
    return (message) => {
      if (splitOf(message, id)?.finishedBy.has(place)) return false;
      const key = grouping.keyOf(message);
      if (key === undefined) return true;
      const group = aggregation.add(key, message, () => condition(message), grouping.shared);
      if (!group.complete || !aggregation.close(group)) return false;
      return joint.complete(group, message);
    };
  },
});

interface JointParts {
  readonly id: string | undefined;
  /** The mediator's place in the configuration. */
  readonly place: string;
  readonly rest: Rest;
  readonly completion: Completion;
}

/** Where the messages of a group become one, and where that one goes on. */
class Joint {
  readonly #parts: JointParts;

  constructor(parts: JointParts) {
    this.#parts = parts;
  }

  get label(): string {
    const { id, place } = this.#parts;
    return id === undefined ? place : `'${id}'`;
  }

  /**
   * The message that completes a group goes on with the result if onComplete came to its end. A fault in there is the result's.
   * @throws MediationError when the messages do not fit together
   */
  async complete(group: Group, last: MessageContext): Promise<boolean> {
    try {
      this.#finish(group);
      const result = mergedMessage(group.messages, this.#parts.completion);
      placeAt(result, last.callers, last.resumed);
      let goesOn = false;
      await runFlow(result, async () => {
        goesOn = await this.#parts.completion.run(result);
      });
      last.payload = result.payload;
      return goesOn;
    } finally {
      group.finished();
    }
  }

  /** Nobody comes any more: the result goes on alone, where the last message would have (spec mediators 2.6). Never rejects. */
  async expired(group: Group): Promise<void> {
    const [first] = group.messages;
    if (!first) return;
    this.#finish(group);
    if (group.condition.timeoutMs === 0) {
      const text = `Aggregate ${this.label} was given up with ${group.progress}`;
      await handleFault(first, new MediationError(text, { status: 504 }));
      return;
    }
    const { completion, rest } = this.#parts;
    await runFlow(first, async () => {
      const result = mergedMessage(group.messages, completion);
      placeAt(result, group.callers, group.messages.at(-1)?.resumed ?? false);
      await runFlow(result, async () => {
        if (await completion.run(result)) await goOn(result, rest);
      });
    });
  }

  #finish(group: Group): void {
    const { id, place } = this.#parts;
    for (const message of group.messages) {
      splitOf(message, id)?.finishedBy.add(place);
      // Those that had to wait have left the template whose parameters the expression may need (sample 751).
      message.templateFrames.length = 0;
      message.templateFrames.push(...group.frames);
    }
  }
}

/** Lets a message go on where another one is, or was. */
function placeAt(message: MessageContext, callers: readonly Caller[], resumed: boolean): void {
  message.callers.length = 0;
  message.callers.push(...callers);
  message.sequenceDepth = callers.length;
  message.resumed = resumed;
}

/** The splitting of that id that a message is a part of. */
function splitOf(message: MessageContext, id: string | undefined): Split | undefined {
  for (let split = message.split; split; split = split.outer) if (split.id === id) return split;
  return undefined;
}

interface Grouping {
  /** All messages of a group come from one, so that they have the same client. */
  readonly shared: boolean;
  /** Undefined: the message is not to be aggregated. */
  keyOf(message: MessageContext): string | undefined;
}

function readGrouping(element: ConfigElement, reader: ArtifactReader, id: string | undefined): Grouping | undefined {
  const written = element.child('correlateOn');
  if (!written) {
    const property = id === undefined ? ORIGINAL_ID : `${ORIGINAL_ID}.${id}`;
    return { shared: true, keyOf: (message) => message.text(property) };
  }
  const attributes = readAttributes(written, CORRELATE_ON, reader);
  return attributes && { shared: false, keyOf: (message) => correlation(attributes.expression, message) };
}

/** The text of the expression, not the expression itself: unrelated messages must not mix (MREQ-10). */
function correlation(correlateOn: Expression, message: MessageContext): string | undefined {
  const value = correlateOn.value(message);
  if (value === false) return undefined;
  const text = value === null ? null : correlateOn.stringValue(message);
  const nothing = text === null || (text === '' && correlateOn.nodes(message).length === 0);
  if (nothing) throw new MediationError(`Failed to evaluate correlate expression: ${correlateOn.source}`);
  return text;
}

type ConditionFor = (message: MessageContext) => Condition;

function readCondition(
  element: ConfigElement,
  reader: ArtifactReader,
  id: string | undefined,
): ConditionFor | undefined {
  const written = element.child('completeCondition');
  const sequenceProperty = id === undefined ? 'messageSequence' : `messageSequence.${id}`;
  const total = (message: MessageContext) => Number(message.text(sequenceProperty)?.split('/')[1] ?? 0) || 0;
  if (!written) return (message) => ({ total: total(message), min: 0, max: 0, timeoutMs: 0 });
  reader.warnUnknownChildren(written, ['messageCount']);
  const attributes = readAttributes(written, COMPLETE_CONDITION, reader);
  const counted = written.child('messageCount');
  const counts = counted ? readAttributes(counted, MESSAGE_COUNT, reader) : { min: undefined, max: undefined };
  if (!attributes || !counts) return undefined;
  const { min, max } = counts;
  for (const [name, value] of Object.entries({ min, max })) {
    if (counted && value?.static !== undefined && countIn(value.static) === undefined) {
      reader.error(counted, `attribute '${name}' of <messageCount>: '${value.static}' is not a valid number`, {
        attribute: name,
        expected: 'an integer or {expression}',
      });
      return undefined;
    }
  }
  const timeoutMs = attributes.timeout * 1000;
  return (message) => ({
    total: total(message),
    min: countOf('min', min, message),
    max: countOf('max', max, message),
    timeoutMs,
  });
}

function countOf(name: string, value: DynamicValue | undefined, message: MessageContext): number {
  if (!value) return 0;
  const text = value.evaluate(message) ?? '';
  const count = countIn(text);
  if (count !== undefined) return count;
  throw new MediationError(`aggregate: ${name} of messageCount is '${text.slice(0, 100)}', which is no number`);
}

/** Numbers from XPath come as `3.0`. */
function countIn(text: string): number | undefined {
  return /^\s*[+-]?\d{1,15}(\.\d*)?\s*$/.test(text) ? Math.trunc(Number(text)) : undefined;
}

interface Completion extends Merging {
  /** Runs `<onComplete>` on the result. */
  run(result: MessageContext): boolean | Promise<boolean>;
}

function readCompletion({
  element,
  reader,
  rest,
  compileList,
}: Pick<MediatorCompilation<Record<string, never>>, 'element' | 'reader' | 'rest' | 'compileList'>):
  | Completion
  | undefined {
  const written = element.child('onComplete');
  if (!written) {
    reader.warning(element, 'an aggregate without <onComplete> fails when it is complete', {
      expected: '<onComplete>',
    });
    return { expression: undefined, enclosingElementProperty: undefined, elementType: 'root', run: noSequence };
  }
  const attributes = readAttributes(written, ON_COMPLETE, reader);
  const { sequence } = attributes ?? {};
  const list = sequence === undefined ? compileList(written, 'onComplete') : undefined;
  if (!attributes) return undefined;
  if (sequence !== undefined) reader.refer('sequence', sequence, written, 'sequence');
  const caller = callerOf(rest);
  return {
    expression: attributes.expression,
    enclosingElementProperty: attributes.enclosingElementProperty,
    elementType: attributes.aggregateElementType,
    run(result) {
      // Nothing to do with the result: it is dropped.
      if (list) return list.steps.length > 0 && runSteps(list, result);
      const found = result.configuration.find('sequence', sequence ?? '');
      return found ? found.mediate(result, caller) : noSequence();
    },
  };
}

function noSequence(): never {
  throw new MediationError('Unable to find the sequence for the mediation of the aggregated message');
}
