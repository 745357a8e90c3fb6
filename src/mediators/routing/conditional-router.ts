import { readAttributes, type TypeOptions, text, ValueError, valueType } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import { type MediatorCompilation, mediator } from '../../mediation/component.ts';
import { callerOf, FLOW_END } from '../../mediation/continuation.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { readTarget, type Target } from '../splitting/target.ts';
import { type Evaluator, type EvaluatorFacts, evaluatorElement, readEvaluator } from './evaluator.ts';
import { splitUri, UriError } from './uri-fragments.ts';

const WORDS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  '1': true,
  false: false,
  no: false,
  '0': false,
};

/** A word that must be recognisable as true or false. */
function strictBoolean<const O extends TypeOptions<boolean>>(options: O) {
  return valueType<boolean, O>(
    'true or false',
    (written, { element, name }) => {
      const value = WORDS[written.trim().toLowerCase()];
      if (value !== undefined) return value;
      throw new ValueError(
        `${name} attribute value of the ${element.name} must be either 'true' or 'false', the value found is : ${written}`,
        'true or false',
      );
    },
    options,
  );
}

const ATTRIBUTES = {
  continueAfter: strictBoolean({ doc: '`true`: the flow goes on after the routes.', default: false }),
} as const;
const ROUTE_ATTRIBUTES = {
  breakRoute: strictBoolean({ doc: '`false`: further routes are tried after this one.', default: true }),
  asynchronous: text({ doc: 'Accepted: routes never hold up other messages.' }),
} as const;

interface Route {
  readonly condition: Evaluator;
  readonly target: Target;
  readonly breaks: boolean;
}

/** Hands the message to the targets of the routes whose conditions hold (spec mediators 3.39). */
export const conditionalRouter = mediator({
  element: 'conditionalRouter',
  doc: 'Hands the message to the target of the first route whose condition holds, or of all such routes.',
  attributes: ATTRIBUTES,
  children: ['conditionalRoute'],
  compile(compilation) {
    const { continueAfter } = compilation.attributes;
    const routes = readRoutes(compilation);
    if (!routes) return undefined;
    const caller = continueAfter ? callerOf(compilation.rest) : FLOW_END;
    return async (message) => {
      for (const { condition, target, breaks } of routes) {
        if (!holds(condition, message)) continue;
        await target.mediate(message, caller);
        if (breaks) break;
      }
      return continueAfter;
    };
  },
});

function holds(condition: Evaluator, message: MessageContext): boolean {
  try {
    return condition(factsOf(message));
  } catch (cause) {
    if (!(cause instanceof MediationError || cause instanceof UriError)) throw cause;
    throw new MediationError(`Couldn't evaluate the route condition: ${cause.message}`, {
      detail: cause.message,
      cause,
    });
  }
}

function factsOf(message: MessageContext): EvaluatorFacts {
  const fullUrl = urlOf(message);
  return { message, fullUrl, url: splitUri(fullUrl) };
}

function readRoutes(compilation: MediatorCompilation<typeof ATTRIBUTES>): Route[] | undefined {
  const { element } = compilation;
  const routes = element.childrenNamed('conditionalRoute').map((child, index) => readRoute(child, index, compilation));
  const complete = routes.filter((route) => route !== undefined);
  return complete.length === routes.length ? complete : undefined;
}

/** The To address; of a request that still is where it came in, with its query parameters (sample 157). */
function urlOf({ to = '', axis2 }: MessageContext): string {
  const requested = axis2.get('TransportInURL');
  return typeof requested === 'string' && requested.startsWith(`${to}?`) ? requested : to;
}

function readRoute(
  element: ConfigElement,
  index: number,
  { reader, compileList }: MediatorCompilation<typeof ATTRIBUTES>,
): Route | undefined {
  const attributes = readAttributes(element, ROUTE_ATTRIBUTES, reader);
  reader.warnUnknownChildren(element, ['condition', 'target']);
  const condition = element.child('condition');
  const written = condition && evaluatorElement(condition);
  const evaluator = written && readEvaluator(written, reader);
  if (!written) {
    reader.error(element, "Couldn't find the condition of the conditional router", {
      expected: '<condition> with match, equal, and, or, not',
    });
  }
  const inside = element.child('target');
  const target = inside && readTarget(inside, reader, { compileList }, `route${index + 1}`);
  if (!inside) reader.error(element, "Couldn't find the target of the conditional router", { expected: '<target …/>' });
  return attributes && evaluator && target && { condition: evaluator, target, breaks: attributes.breakRoute };
}
