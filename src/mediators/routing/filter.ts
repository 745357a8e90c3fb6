import { expression } from '../../expressions/attribute-types.ts';
import type { Expression } from '../../expressions/expression.ts';
import { wholeMatch } from '../../expressions/regex-attribute.ts';
import { nonEmptyText, readAttributes } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import { type Mediate, type MediatorCompilation, mediator } from '../../mediation/component.ts';
import { callerOf } from '../../mediation/continuation.ts';
import { runSteps } from '../../mediation/step.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';

const ATTRIBUTES = {
  xpath: expression({
    invalid: 'Invalid XPath expression for attribute xpath',
    doc: 'The condition; wins over source and regex.',
  }),
  source: expression({
    invalid: 'Invalid XPath expression for attribute source',
    doc: 'The expression whose text the regex must match.',
  }),
  regex: wholeMatch({
    invalid: 'Invalid Regular Expression for attribute regex',
    doc: 'What the whole text of `source` must match.',
  }),
} as const;
const BRANCH_ATTRIBUTES = {
  sequence: nonEmptyText({ doc: 'The sequence to run instead of the mediators inside.' }),
} as const;

type Compilation = MediatorCompilation<typeof ATTRIBUTES>;
type Condition = (message: MessageContext) => boolean;

/** Runs one of two lists of mediators, as an expression decides (spec mediators 3.12). */
export const filter = mediator({
  element: 'filter',
  doc: 'Runs the mediators inside, or <then> and <else>, as an expression or a regular expression decides.',
  attributes: ATTRIBUTES,
  children: 'mediators',
  compile(compilation) {
    const { element, attributes, compileList } = compilation;
    const condition = readCondition(compilation);
    if (![attributes.xpath, attributes.source].some((each) => each?.needsBody)) compilation.leavesBody();
    if (!element.child('then')) {
      const list = compileList(element, 'then');
      return condition && ((message) => (condition(message) ? runSteps(list, message) : true));
    }
    const then = readBranch(compilation, 'then');
    const otherwise = element.child('else') ? readBranch(compilation, 'else') : () => true;
    compilation.reader.warnUnknownChildren(element, ['then', 'else', 'description']);
    return condition && ((message) => (condition(message) ? then(message) : otherwise(message)));
  },
});

function readCondition({ element, attributes, reader }: Compilation): Condition | undefined {
  if (attributes.xpath) return evaluated(attributes.xpath);
  const { source, regex } = attributes;
  const blank = element.attribute('regex')?.trim() === '';
  if (source && regex && !blank) {
    return (message) => {
      const text = source.stringValue(message);
      return text !== null && regex(text) !== undefined;
    };
  }
  const problem = blank
    ? 'Invalid attribute values for source and/or regex specified'
    : 'An xpath or (source, regex) attributes are required for a filter';
  reader.error(element, problem, { expected: 'xpath="…", or source="…" and regex="…"' });
  return undefined;
}

function evaluated(condition: Expression): Condition {
  return (message) => {
    try {
      return condition.booleanValue(message);
    } catch (cause) {
      // A payload that cannot be read has a code of its own.
      if (!(cause instanceof MediationError) || cause.code !== undefined) throw cause;
      throw new MediationError(`Error evaluating Expression : ${condition.source}`, {
        detail: cause.detail ?? cause.message,
        cause,
      });
    }
  };
}

/** With a `sequence` the mediators inside do not count, and are not even looked at. */
function readBranch({ element, reader, rest, compileList }: Compilation, name: 'then' | 'else'): Mediate {
  const branch = element.child(name) as ConfigElement;
  const key = readAttributes(branch, BRANCH_ATTRIBUTES, reader)?.sequence;
  if (key === undefined) {
    const list = compileList(branch, name);
    return (message) => runSteps(list, message);
  }
  reader.refer('sequence', key, branch, 'sequence');
  const caller = callerOf(rest);
  return (message) => {
    const found = message.configuration.find('sequence', key);
    if (!found) throw new MediationError(`Couldn't find the referred ${name} sequence with key : ${key}`);
    return found.mediate(message, caller);
  };
}
