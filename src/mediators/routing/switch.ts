import { expression } from '../../expressions/attribute-types.ts';
import type { WholeMatch } from '../../expressions/regex.ts';
import { wholeMatch } from '../../expressions/regex-attribute.ts';
import { readAttributes } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import { type MediatorCompilation, mediator } from '../../mediation/component.ts';
import { runSteps, type StepList } from '../../mediation/step.ts';
import type { MessageContext } from '../../message/message-context.ts';

const log = logger('SwitchMediator');

const ATTRIBUTES = {
  source: expression({
    required: true,
    missing: "A 'source' XPath attribute is required for a switch mediator",
    invalid: "Invalid XPath for attribute 'source'",
    doc: 'The expression whose text decides.',
  }),
} as const;
const CASE_ATTRIBUTES = {
  regex: wholeMatch({
    required: true,
    missing: "The 'regex' attribute is required for a switch case definition",
    invalid: "Invalid Regular Expression for attribute 'regex'",
    doc: 'What the whole text must match.',
  }),
} as const;

interface Case {
  readonly regex: WholeMatch;
  readonly list: StepList;
}

/** Runs the first case that matches the text of an expression, else the default (spec mediators 3.16). */
export const switchMediator = mediator({
  element: 'switch',
  doc: 'Runs the mediators of the first <case> whose regex matches the whole text of an expression, else <default>.',
  attributes: ATTRIBUTES,
  children: ['case', 'default'],
  compile(compilation) {
    const { source } = compilation.attributes;
    const cases = readCases(compilation);
    const fallback = readDefault(compilation);
    if (!cases) return undefined;
    if (!source.needsBody) compilation.leavesBody();
    return (message) => {
      const list = choose(source.stringValue(message), cases, fallback, message);
      return list ? runSteps(list, message) : true;
    };
  },
});

function choose(
  text: string | null,
  cases: readonly Case[],
  fallback: StepList | undefined,
  message: MessageContext,
): StepList | undefined {
  if (text !== null) return cases.find(({ regex }) => regex(text) !== undefined)?.list ?? fallback;
  if (!fallback && cases.length > 0)
    log.warn('The source of a switch without a default gives nothing', aboutMessage(message));
  return fallback;
}

function readCases({ element, reader, compileList }: MediatorCompilation<typeof ATTRIBUTES>): Case[] | undefined {
  const cases: Case[] = [];
  let complete = true;
  for (const [index, child] of element.childrenNamed('case').entries()) {
    const attributes = readAttributes(child, CASE_ATTRIBUTES, reader);
    const list = compileList(child, `case${index + 1}`);
    if (attributes) cases.push({ regex: attributes.regex, list });
    else complete = false;
  }
  return complete ? cases : undefined;
}

/** Only the first one counts. */
function readDefault({ element, reader, compileList }: MediatorCompilation<typeof ATTRIBUTES>): StepList | undefined {
  const [first, ...more] = element.childrenNamed('default');
  for (const other of more) warnIgnored(other);
  return first && compileList(first, 'default');

  function warnIgnored(other: ConfigElement): void {
    reader.warning(other, 'only the first <default> of a switch counts; this one is ignored');
  }
}
