import { expression } from '../../expressions/attribute-types.ts';
import type { Expression } from '../../expressions/expression.ts';
import type { WholeMatch } from '../../expressions/regex.ts';
import { wholeMatch } from '../../expressions/regex-attribute.ts';
import { javaBoolean, readAttributes } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import { type MediatorCompilation, mediator } from '../../mediation/component.ts';
import { callerOf, FLOW_END } from '../../mediation/continuation.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { readTarget, type Target } from '../splitting/target.ts';

const ATTRIBUTES = {
  continueAfter: javaBoolean({ doc: '`true`: the flow goes on after the routes.', default: false }),
} as const;
const ROUTE_ATTRIBUTES = {
  expression: expression({
    required: true,
    missing:
      'Route without an expression attribute has been found, but it is required to have an expression for all routes',
    doc: 'The condition, or with `match` the expression whose text is matched.',
  }),
  match: wholeMatch({ doc: 'What the whole text of the expression must match.' }),
  breakRouter: javaBoolean({ doc: '`false`: further routes are tried after this one.', default: true }),
} as const;

interface Route {
  readonly expression: Expression;
  readonly match: WholeMatch | undefined;
  readonly target: Target;
  readonly breaks: boolean;
}

/** Hands the message to the target of the first route that matches (of the old ESB; spec mediators 3.40). */
export const router = mediator({
  element: 'router',
  doc: 'Hands the message to the target of the first route whose expression holds, or of all such routes.',
  attributes: ATTRIBUTES,
  children: ['route'],
  compile(compilation) {
    const { continueAfter } = compilation.attributes;
    const routes = readRoutes(compilation);
    if (!routes) return undefined;
    const caller = continueAfter ? callerOf(compilation.rest) : FLOW_END;
    return async (message) => {
      for (const route of routes) {
        if (!holds(route, message)) continue;
        await route.target.mediate(message, caller);
        if (route.breaks) break;
      }
      return continueAfter;
    };
  },
});

function holds({ expression: condition, match }: Route, message: MessageContext): boolean {
  if (!match) return condition.booleanValue(message);
  const text = condition.stringValue(message);
  return text !== null && match(text) !== undefined;
}

function readRoutes(compilation: MediatorCompilation<typeof ATTRIBUTES>): Route[] | undefined {
  const written = compilation.element.childrenNamed('route');
  const routes = written.map((child, index) => readRoute(child, index, compilation));
  const complete = routes.filter((route) => route !== undefined);
  return complete.length === routes.length ? complete : undefined;
}

function readRoute(
  element: ConfigElement,
  index: number,
  { reader, compileList }: MediatorCompilation<typeof ATTRIBUTES>,
): Route | undefined {
  const attributes = readAttributes(element, ROUTE_ATTRIBUTES, reader);
  reader.warnUnknownChildren(element, ['target']);
  const inside = element.child('target');
  const target = inside && readTarget(inside, reader, { compileList }, `route${index + 1}`);
  if (!inside) reader.error(element, 'Route without a target has been found', { expected: '<target …/>' });
  if (!attributes || !target) return undefined;
  const { expression: condition, match, breakRouter } = attributes;
  return { expression: condition, match, target, breaks: breakRouter };
}
