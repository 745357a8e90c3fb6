import { compileWholeMatch, type WholeMatch } from '../../expressions/regex.ts';
import { stringOfProperty } from '../../expressions/string-value.ts';
import { callerOf } from '../../mediation/continuation.ts';
import { MediationError } from '../../message/errors.ts';
import type { BuiltInClass } from './built-in-class.ts';
import { recentlyCompiled } from './recently-compiled.ts';

interface Routes {
  readonly routes: ReadonlyArray<{ readonly match: WholeMatch; readonly sequence: string }>;
  readonly otherwise: string;
}

/** Where a message goes when no sequence is named. */
const DEFAULT_SEQUENCE = 'main';

/**
 * What the template `content_based_router` of the EIP library runs: the value of `routing_exp` goes to the sequence of the first regular
 * expression in `match_content` that it matches as a whole (sample 855).
 *
 *     match_content = [regex ":" sequence *("," regex ":" sequence)] [";" sequence for all others]
 */
export const contentRouter: BuiltInClass = {
  className: 'org.apache.synapse.libraries.eip.ContentBasedRouterMediator',
  properties: [],
  open({ rest }) {
    const routesOf = recentlyCompiled(parseRoutes);
    const caller = callerOf(rest);
    return (message) => {
      const { routes, otherwise } = routesOf(stringOfProperty(message.functionParameter('match_content')) ?? '');
      const value = stringOfProperty(message.functionParameter('routing_exp')) ?? '';
      const name = routes.find(({ match }) => match(value) !== undefined)?.sequence ?? otherwise;
      const sequence = message.configuration.find('sequence', name);
      if (!sequence) throw new MediationError(`Sequence named '${name}' cannot be found`);
      return sequence.mediate(message, caller);
    };
  },
};

/** @throws ValueError for a wrong regular expression, MediationError for what is no route */
export function parseRoutes(text: string): Routes {
  const semicolon = text.lastIndexOf(';');
  const written = semicolon < 0 ? text : text.slice(0, semicolon);
  const otherwise = semicolon < 0 ? '' : text.slice(semicolon + 1).trim();
  const routes = written
    .split(',')
    .filter((route) => route.trim() !== '')
    .map((route) => {
      const colon = route.lastIndexOf(':');
      if (colon < 0) throw new MediationError(`'${route}' is no route, expected REGEX:SEQUENCE`);
      const sequence = route.slice(colon + 1).trim() || DEFAULT_SEQUENCE;
      return { match: compileWholeMatch(route.slice(0, colon).trim()), sequence };
    });
  return { routes, otherwise: otherwise || DEFAULT_SEQUENCE };
}
