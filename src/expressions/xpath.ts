import { ValueError } from '../grammar/attributes.ts';
import { hashicorpAlias, isHashicorpArity } from '../grammar/secret-alias.ts';
import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import '../message/secrets.ts';
import type { XmlNode } from '../xml/index.ts';
import {
  type CompiledXPath,
  compileXPath,
  isNodeSet,
  toBoolean,
  toText,
  type XPathEnvironment,
  XPathError,
  type XPathFunction,
  XPathSyntaxError,
  type XPathTree,
} from '../xml/xpath/index.ts';
import type { Expression, Prefixes } from './expression.ts';
import { synapseFunction, UNSUPPORTED_FUNCTIONS } from './functions.ts';
import { type PropertyReader, propertyCall, propertyCallWarning, propertyReader, readsBody } from './get-property.ts';
import { nodeStyleOf, propertyOfXPath, stringOfProperty, stringOfXPath, xpathOfProperty } from './string-value.ts';
import { variableReader } from './variables.ts';

/**
 * Compiles an XPath 1.0 expression of an artifact (spec mediators 4.2). An expression that is nothing but a property, a header or a
 * string is looked up directly, without the XPath engine.
 * @throws ValueError
 */
export function compileXPathExpression(source: string, prefixes: Prefixes): Expression {
  const needs: Needs = { body: false, warnings: [] };
  let compiled: CompiledXPath<MessageContext>;
  try {
    compiled = compileXPath<MessageContext>(source, environment(prefixes, needs));
  } catch (cause) {
    if (!(cause instanceof XPathSyntaxError)) throw cause;
    throw new ValueError(cause.message, 'an XPath 1.0 expression', undefined, { cause });
  }
  const warnings = [...needs.warnings, ...compiled.problems.map((problem) => `${problem}: the expression will fail`)];
  const needsBody = needs.body || compiled.needsContextNode;
  const common = { source, kind: 'xpath', needsBody, warnings } as const;
  const direct = directReader(compiled.tree);
  return direct ? { ...common, ...lookup(direct) } : { ...common, ...evaluation(compiled) };
}

type Results = Pick<Expression, 'stringValue' | 'booleanValue' | 'nodes' | 'value'>;

function evaluation({ source, evaluate: run }: CompiledXPath<MessageContext>): Results {
  const style = nodeStyleOf(source);
  const evaluate = (message: MessageContext) => {
    try {
      return run(message);
    } catch (cause) {
      throw evaluationError(source, cause);
    }
  };
  return {
    stringValue: (message) => stringOfXPath(evaluate(message), style),
    booleanValue: (message) => toBoolean(evaluate(message)),
    nodes(message) {
      const value = evaluate(message);
      return isNodeSet(value) ? value : [];
    },
    value: (message) => propertyOfXPath(evaluate(message), style),
  };
}

function lookup(read: PropertyReader): Results {
  const asXPath = (message: MessageContext) => xpathOfProperty(read(message));
  return {
    stringValue: (message) => stringOfProperty(read(message)),
    booleanValue: (message) => toBoolean(asXPath(message)),
    nodes(message): readonly XmlNode[] {
      const value = asXPath(message);
      return isNodeSet(value) ? value : [];
    },
    value: read,
  };
}

/** The reader of an expression that is a single look-up. */
function directReader(tree: XPathTree): PropertyReader | undefined {
  if (tree.kind === 'string') {
    const { value } = tree;
    return () => value;
  }
  if (tree.kind === 'variable') {
    const variable = variableReader(tree.prefix, tree.name);
    return variable?.kind === 'property' ? variable.read : undefined;
  }
  if (tree.kind !== 'call' || tree.name !== 'get-property') return undefined;
  const args = literals(tree.args);
  return args && args.length <= 3 ? propertyReader(args) : undefined;
}

function literals(args: readonly XPathTree[]): string[] | undefined {
  const texts: string[] = [];
  for (const arg of args) {
    if (arg.kind !== 'string') return undefined;
    texts.push(arg.value);
  }
  return texts;
}

interface Needs {
  body: boolean;
  readonly warnings: string[];
}

const envelopeOf = (message: MessageContext): XmlNode => message.payload.envelope();

function environment(prefixes: Prefixes, needs: Needs): XPathEnvironment<MessageContext> {
  return {
    namespaces: prefixes,
    contextNode: envelopeOf,
    variable(prefix, name) {
      const variable = variableReader(prefix, name);
      if (!variable) return undefined;
      if (variable.warning) needs.warnings.push(variable.warning);
      if (variable.kind === 'nodes') {
        needs.body = true;
        return variable.read;
      }
      const { read } = variable;
      return (message) => xpathOfProperty(read(message));
    },
    function(name, args, prefix) {
      if (UNSUPPORTED_FUNCTIONS.has(name)) {
        const shown = prefix === undefined ? name : `${prefix}:${name}`;
        throw new XPathSyntaxError(`the function ${shown}() is known, but not supported yet`, undefined);
      }
      if (name === 'vault-lookup') return vaultLookup(args, prefix);
      if (name === 'evaluate') return evaluateFunction(prefixes, needs);
      return name === 'get-property' ? getProperty(args, needs) : synapseFunction<MessageContext>(name);
    },
  };
}

/** `wso2:vault-lookup('alias')`, `hashicorp:vault-lookup([namespace,] path, field)`: both are our secrets. @throws XPathSyntaxError */
function vaultLookup(args: readonly XPathTree[], prefix: string | undefined): XPathFunction<MessageContext> {
  const hashicorp = prefix === 'hashicorp';
  if (hashicorp ? !isHashicorpArity(args.length) : args.length !== 1) {
    const expected = hashicorp ? "('path', 'field') or ('namespace', 'path', 'field')" : "('alias')";
    throw new XPathSyntaxError(
      `the function ${prefix ?? 'wso2'}:vault-lookup() takes ${expected}, not ${args.length} arguments`,
      undefined,
    );
  }
  return (message, values, spend) => {
    const parts = values.map((value) => toText(value, spend));
    const name = hashicorp ? hashicorpAlias(parts) : (parts[0] ?? '');
    const secret = message.configuration.services.secrets?.lookup(name);
    if (secret === undefined) throw new XPathError(`there is no secret with the alias '${name}'`);
    return secret;
  };
}

/** Expressions that are evaluated inside of each other; more are an endless loop. */
const MAX_EVALUATE_DEPTH = 4;

/** Jaxen's `evaluate(text)`: the text is an expression itself, known only when the message is there. */
function evaluateFunction(prefixes: Prefixes, needs: Needs, depth = 1): XPathFunction<MessageContext> {
  needs.body = true;
  return (message, [source = ''], spend) => {
    if (depth > MAX_EVALUATE_DEPTH) throw new XPathError('evaluate() is nested too deeply');
    const inner = environment(prefixes, { body: false, warnings: [] });
    const nested: XPathEnvironment<MessageContext> = {
      ...inner,
      function: (name, args, prefix) =>
        name === 'evaluate' ? evaluateFunction(prefixes, needs, depth + 1) : inner.function(name, args, prefix),
    };
    try {
      return compileXPath<MessageContext>(toText(source, spend), nested).evaluate(message);
    } catch (cause) {
      if (cause instanceof XPathSyntaxError) throw new XPathError(cause.message, { cause });
      throw cause;
    }
  };
}

const TOO_MANY_ARGUMENTS =
  'Invalid arguments for synapse:get-property(prop-name) 0r  synapse:get-property(scope, prop-name) XPath function ';

function getProperty(args: readonly XPathTree[], needs: Needs): XPathFunction<MessageContext> {
  const known = literals(args);
  if (args.length > 3) {
    needs.warnings.push('get-property takes at most three arguments: the expression will fail');
    return () => {
      throw new XPathError(TOO_MANY_ARGUMENTS);
    };
  }
  if (!known) {
    // Whatever name comes out may be one that stands for something in the body.
    needs.body = true;
    return dynamicProperty;
  }
  const warning = propertyCallWarning(known);
  if (warning) needs.warnings.push(warning);
  const { scope, key } = propertyCall(known);
  if (readsBody(scope, key)) needs.body = true;
  const read = propertyReader(known);
  return (message) => xpathOfProperty(read(message));
}

const dynamicProperty: XPathFunction<MessageContext> = (message, args, spend) =>
  xpathOfProperty(propertyReader(args.map((arg) => toText(arg, spend)))(message));

function evaluationError(source: string, cause: unknown): unknown {
  if (cause instanceof MediationError) return cause;
  if (!(cause instanceof XPathError || cause instanceof ValueError)) return cause;
  return new MediationError(`Evaluation of the XPath expression ${source} resulted in an error`, {
    detail: cause.message,
    cause,
  });
}
