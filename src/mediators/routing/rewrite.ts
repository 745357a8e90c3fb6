import { nonEmptyText } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import { always, mediator } from '../../mediation/component.ts';
import { causeChain } from '../../mediation/fault.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { type Evaluator, evaluatorElement, readEvaluator } from './evaluator.ts';
import { type RewriteAction, readRewriteAction } from './rewrite-action.ts';
import { joinUri, splitUri, UriError, type UriFragments } from './uri-fragments.ts';

const log = logger('URLRewriteMediator');

interface Rule {
  readonly condition: Evaluator | undefined;
  readonly actions: readonly RewriteAction[];
}

/** Changes the To address, or a URI in a property, by rules (spec mediators 3.20). */
export const rewrite = mediator({
  element: 'rewrite',
  doc: 'Changes the To address, or a URI in a property, by rules. All rules that match apply, in order.',
  attributes: {
    inProperty: nonEmptyText({ doc: 'The property that holds the URI; without it, To.' }),
    outProperty: nonEmptyText({ doc: 'The property that gets the result; without it, To.' }),
  },
  children: ['rewriterule'],
  compile({ element, attributes, reader }) {
    const { inProperty, outProperty } = attributes;
    const read = element.childrenNamed('rewriterule').map((child) => readRule(child, reader));
    const rules = read.filter((rule) => rule !== undefined);
    if (rules.length < read.length) return undefined;
    return always((message) => {
      const input = (inProperty === undefined ? message.to : message.text(inProperty)) ?? '';
      const output = rewritten(input, rules, message);
      if (outProperty === undefined) message.to = output;
      else message.properties.set(outProperty, output);
    });
  },
});

function rewritten(input: string, rules: readonly Rule[], message: MessageContext): string {
  let uri: UriFragments;
  try {
    uri = splitUri(input.trim());
  } catch (cause) {
    if (!(cause instanceof UriError)) throw cause;
    throw new MediationError(`Malformed input URI: ${input}`, { cause });
  }
  try {
    for (const rule of rules) {
      if (!applies(rule, uri, message)) continue;
      for (const action of rule.actions) uri = action(uri, message);
    }
    return joinUri(uri);
  } catch (cause) {
    if (!(cause instanceof UriError)) throw cause;
    throw new MediationError('Error while constructing a URI from the fragments', { detail: cause.message, cause });
  }
}

/** A condition that cannot be evaluated skips its rule. */
function applies({ condition }: Rule, url: UriFragments, message: MessageContext): boolean {
  if (!condition) return true;
  try {
    return condition({ message, url, fullUrl: joinUri(url) });
  } catch (error) {
    if (!(error instanceof MediationError || error instanceof UriError)) throw error;
    log.warn(`Error while evaluating the condition of a rewrite rule. Skipping it: ${error.message}`, {
      ...aboutMessage(message),
      cause: causeChain(error),
    });
    return false;
  }
}

function readRule(element: ConfigElement, reader: ArtifactReader): Rule | undefined {
  reader.warnUnknownAttributes(element, []);
  reader.warnUnknownChildren(element, ['condition', 'action']);
  const condition = element.child('condition');
  const written = condition && evaluatorElement(condition);
  const evaluator = written && readEvaluator(written, reader);
  if (condition && !written) reader.warning(condition, 'a <condition> without an evaluator is always true');
  const actions = element.childrenNamed('action').map((child) => readRewriteAction(child, reader));
  if (actions.length === 0) {
    reader.error(element, 'At least one action is required per rewrite rule', { expected: '<action …/>' });
    return undefined;
  }
  const complete = actions.filter((action) => action !== undefined);
  if (complete.length < actions.length || (written && !evaluator)) return undefined;
  return { condition: evaluator, actions: complete };
}
