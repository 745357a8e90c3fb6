import { compileWholeMatch } from '../../expressions/regex.ts';
import { stringOfProperty } from '../../expressions/string-value.ts';
import { goOn, type Rest } from '../../mediation/continuation.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import type { BuiltInClass } from './built-in-class.ts';
import { recentlyCompiled } from './recently-compiled.ts';

type Condition = (message: MessageContext) => boolean;

/** A rule: a sequence, and when a message goes through it. */
interface Rule {
  readonly applies: Condition;
  readonly sequence: string;
}

/**
 * What the template `dynamic_router` of the EIP library runs: its parameter `conditions` has rules, each with a sequence, and a message
 * goes through the sequences of all rules that apply, one after another (sample 856).
 *
 *     rules     = rule *("," rule)
 *     rule      = condition *((and | or) condition) ";seq=" sequence            and binds closer than or
 *     and       = "{AND}" | "#"      or = "{OR}" | "@"                           the signs are those of the sample's own file
 *     condition = "header=" name ":" regex | "url=" regex                       the whole value must match
 */
export const dynamicRouter: BuiltInClass = {
  className: 'org.apache.synapse.libraries.eip.DynamicRouterMediator',
  properties: [],
  open({ rest }) {
    const rulesOf = recentlyCompiled(parseRules);
    return (message) => route(message, rulesOf(stringOfProperty(message.functionParameter('conditions')) ?? ''), rest);
  },
};

/** A message that leaves a sequence by itself, such as the answer to a call, goes on with the rules after it. */
async function route(message: MessageContext, rules: readonly Rule[], rest: Rest, from = 0): Promise<boolean> {
  for (const [index, { applies, sequence }] of rules.entries()) {
    if (index < from || !applies(message)) continue;
    const found = message.configuration.find('sequence', sequence);
    if (!found) throw new MediationError(`Sequence named '${sequence}' cannot be found`);
    const after = {
      goOn: async (left: MessageContext) => (await route(left, rules, rest, index + 1)) && goOn(left, rest),
    };
    if (!(await found.mediate(message, after))) return false;
  }
  return true;
}

// A sign that no condition follows belongs to a regular expression.
const AND = /\{AND\}|#(?=\s*(?:header|url)=)/;
const OR = /\{OR\}|@(?=\s*(?:header|url)=)/;

/** @throws MediationError saying where the text is wrong */
export function parseRules(text: string): Rule[] {
  const rules = text.split(/,(?=\s*(?:header|url)=)/);
  return rules.map((rule) => {
    const [, conditions, sequence] = /^\s*(.+?)\s*;\s*seq=\s*([^;]+?)\s*$/s.exec(rule) ?? [];
    if (conditions === undefined || sequence === undefined)
      throw new MediationError(`'${rule}' is no rule of a dynamic router, expected CONDITION;seq=SEQUENCE`);
    const alternatives = conditions.split(OR).map((part) => part.split(AND).map(parseCondition));
    return { sequence, applies: (message) => alternatives.some((all) => all.every((condition) => condition(message))) };
  });
}

function parseCondition(text: string): Condition {
  const [, name, header, url] = /^\s*(?:header=\s*([^:\s]+)\s*:(.*?)|url=(.*?))\s*$/s.exec(text) ?? [];
  const pattern = header ?? url;
  if (pattern === undefined)
    throw new MediationError(`'${text}' is no condition of a dynamic router, expected header=NAME:REGEX or url=REGEX`);
  const match = compileWholeMatch(pattern);
  if (name === undefined) return (message) => match(urlOf(message)) !== undefined;
  return ({ headers }) => {
    const value = headers.get(name);
    return value !== undefined && match(value) !== undefined;
  };
}

/** As the client wrote it; To for messages that came in by another way. */
function urlOf({ axis2, to }: MessageContext): string {
  const target = axis2.get('TransportInURL');
  return typeof target === 'string' ? target : (to ?? '');
}
