import { NODE_TYPES } from '../node-types.ts';
import type { XmlNode } from '../tree.ts';
import { type Matches, REVERSE_AXES, WALKS } from './axes.ts';
import { directPredicate } from './direct-predicates.ts';
import { XPathError, XPathSyntaxError } from './errors.ts';
import { applySteps, type CompiledStep, Evaluation, filtered, type Run } from './evaluation.ts';
import { CORE_FUNCTIONS, type CoreFunction } from './functions.ts';
import { joinedSteps } from './joined-steps.ts';
import { treeOf } from './known-trees.ts';
import { OPERATIONS } from './operations.ts';
import { rootOf } from './order.ts';
import type { BinaryOperator, NodeTest, PathTree, StepTree, XPathTree } from './syntax.ts';
import { isNodeSet, type Spend, toBoolean, toNumber, toText, type XPathValue } from './values.ts';

/**
 * Where an expression gets what XPath itself does not have. `C` is what it is evaluated with, a message for instance. Variables
 * and functions are looked up once, when the expression is compiled.
 */
export interface XPathEnvironment<C> {
  readonly namespaces: Readonly<Record<string, string>>;
  /** The node that relative paths start at; only asked for when a path does. */
  readonly contextNode: (context: C) => XmlNode;
  /** Undefined when there is no such variable: evaluation then fails. */
  variable(prefix: string | undefined, name: string): ((context: C) => XPathValue) | undefined;
  /**
   * A function beyond the core library. Undefined when there is none: evaluation then fails.
   * @throws XPathSyntaxError to refuse the expression
   */
  function(name: string, args: readonly XPathTree[], prefix: string | undefined): XPathFunction<C> | undefined;
}

/** Gets its arguments evaluated. */
export type XPathFunction<C> = (context: C, args: readonly XPathValue[], spend: Spend) => XPathValue;

export interface CompiledXPath<C> {
  readonly source: string;
  readonly tree: XPathTree;
  /** Whether {@link XPathEnvironment.contextNode} may be asked for. */
  readonly needsContextNode: boolean;
  /** What can only fail when evaluated: unknown variables, functions and prefixes. */
  readonly problems: readonly string[];
  /**
   * @throws XPathError when the expression fails or costs too much
   */
  evaluate(context: C): XPathValue;
}

/** Nodes that one evaluation may look at; about a second of work (OP-93). */
export const XPATH_STEP_BUDGET = 10_000_000;

export interface CompileOptions {
  /** Default: {@link XPATH_STEP_BUDGET}. */
  readonly budget?: number;
  /** False: no predicate is a direct look at the node, so that both ways can be compared. */
  readonly direct?: boolean;
}

/**
 * Compiles an XPath 1.0 expression into closures, which keep neither its tree nor the environment: an expression stays for as long as its
 * artifact is served. Evaluation looks at a number of nodes linear in the document for any path whose
 * predicates do so themselves, and is stopped by {@link XPATH_STEP_BUDGET} otherwise. It keeps no state between evaluations.
 * @throws XPathSyntaxError
 */
export function compileXPath<C>(
  source: string,
  environment: XPathEnvironment<C>,
  options: CompileOptions = {},
): CompiledXPath<C> {
  const tree = treeOf(source);
  const compiler = new Compiler(environment, options.direct ?? true);
  const run = compiler.compile(tree, false);
  const budget = options.budget ?? XPATH_STEP_BUDGET;
  const { contextNode } = environment;
  return {
    source,
    tree,
    needsContextNode: compiler.needsContextNode,
    problems: compiler.problems,
    evaluate: evaluateBy(run, contextNode, budget),
  };
}

// What runs is made by functions of their own: a closure keeps what any other closure of its function has looked at, here the compiler.

function evaluateBy<C>(
  run: Run<C>,
  contextNode: (context: C) => XmlNode,
  budget: number,
): CompiledXPath<C>['evaluate'] {
  return (context) => run(new Evaluation(context, contextNode, budget), undefined, 1, 1);
}

function callBy<C>(custom: XPathFunction<C>, args: readonly Run<C>[]): Run<C> {
  return (e, node, position, size) =>
    custom(
      e.context,
      args.map((arg) => arg(e, node, position, size)),
      e.spend,
    );
}

interface CompiledPath<C> {
  readonly absolute: boolean;
  readonly start: Run<C> | undefined;
  readonly startPredicates: readonly Run<C>[];
  readonly steps: readonly CompiledStep<C>[];
}

function pathBy<C>({ absolute, start, startPredicates, steps }: CompiledPath<C>): Run<C> {
  return (e, node, position, size) => {
    if (absolute) return e.fromRoot(rootOf(node ?? e.start), steps);
    if (!start) return applySteps(e, [node ?? e.start], steps);
    const value = start(e, node, position, size);
    if (value === null) return steps.length > 0 ? [] : null;
    if (!isNodeSet(value)) throw new XPathError('a path must start at nodes, not at text or numbers');
    return applySteps(e, filtered(e, value, startPredicates), steps);
  };
}

class Compiler<C> {
  needsContextNode = false;
  readonly problems: string[] = [];
  readonly #environment: XPathEnvironment<C>;
  readonly #direct: boolean;

  constructor(environment: XPathEnvironment<C>, direct: boolean) {
    this.#environment = environment;
    this.#direct = direct;
  }

  /** @param inside whether a predicate gives the context node, so that the start of the expression is not needed */
  compile(tree: XPathTree, inside: boolean): Run<C> {
    switch (tree.kind) {
      case 'number':
      case 'string': {
        const { value } = tree;
        return () => value;
      }
      case 'negation': {
        const operand = this.compile(tree.operand, inside);
        return (e, node, position, size) => -toNumber(operand(e, node, position, size), e.spend);
      }
      case 'operation':
        return operation(tree.operator, this.compile(tree.left, inside), this.compile(tree.right, inside));
      case 'variable':
        return this.#variable(tree.prefix, tree.name);
      case 'call':
        return this.#call(tree, inside);
      case 'path':
        return this.#path(tree, inside);
    }
  }

  #variable(prefix: string | undefined, name: string): Run<C> {
    const read = this.#environment.variable(prefix, name);
    if (read) return (e) => read(e.context);
    const shown = prefix === undefined ? `$${name}` : `$${prefix}:${name}`;
    return this.#failing(`there is no variable ${shown}`);
  }

  #call(tree: XPathTree & { kind: 'call' }, inside: boolean): Run<C> {
    const { name, prefix } = tree;
    const args = tree.args.map((arg) => this.compile(arg, inside));
    const core = CORE_FUNCTIONS.get(name);
    if (core) return this.#coreCall(name, core, args, inside);
    const custom = this.#environment.function(name, tree.args, prefix);
    if (!custom) return this.#failing(`there is no function ${prefix === undefined ? '' : `${prefix}:`}${name}()`);
    return callBy(custom, args);
  }

  #coreCall(name: string, core: CoreFunction, args: readonly Run<C>[], inside: boolean): Run<C> {
    if (args.length < core.minimum || args.length > core.maximum) {
      throw new XPathSyntaxError(`${name}() does not take ${args.length} arguments`, undefined);
    }
    const needsNode = core.contextNode === 'always' || (core.contextNode === 'without-arguments' && args.length === 0);
    if (needsNode && !inside) this.needsContextNode = true;
    return (e, node, position, size) =>
      core.call(
        { node: needsNode ? (node ?? e.start) : undefined, position, size, spend: e.spend },
        args.map((arg) => arg(e, node, position, size)),
      );
  }

  /** Fails when evaluated, as the reference does, so that what is never evaluated does not keep an artifact from being deployed. */
  #failing(problem: string): Run<C> {
    this.problems.push(problem);
    return () => {
      throw new XPathError(problem);
    };
  }

  #path(tree: PathTree, inside: boolean): Run<C> {
    const start = tree.start && this.compile(tree.start, inside);
    const startPredicates = tree.startPredicates.map((predicate) => this.#predicate(predicate));
    const steps = joinedSteps(tree.steps).map((step) => this.#step(step));
    if (!start && !inside) this.needsContextNode = true;
    return pathBy({ absolute: tree.absolute, start, startPredicates, steps });
  }

  #predicate(tree: XPathTree): Run<C> {
    const check = this.#direct ? directPredicate(tree) : undefined;
    if (!check) return this.compile(tree, true);
    return (e, node) => check(node ?? e.start, e.spend);
  }

  #step(step: StepTree): CompiledStep<C> {
    const { axis } = step;
    if (axis === 'namespace')
      throw new XPathSyntaxError('the namespace axis is known, but not supported yet', undefined);
    const principal = axis === 'attribute' ? NODE_TYPES.attribute : NODE_TYPES.element;
    return {
      axis,
      walk: WALKS[axis],
      matches: this.#matcher(step.test, principal),
      predicates: step.predicates.map((predicate) => this.#predicate(predicate)),
      reverse: REVERSE_AXES.has(axis),
    };
  }

  #matcher(test: NodeTest, principal: number): Matches {
    switch (test.kind) {
      case 'node':
        return () => true;
      case 'text':
        return ({ nodeType }) => nodeType === NODE_TYPES.text || nodeType === NODE_TYPES.cdata;
      case 'comment':
        return ({ nodeType }) => nodeType === NODE_TYPES.comment;
      case 'processing-instruction': {
        const { target } = test;
        return ({ nodeType, nodeName }) =>
          nodeType === NODE_TYPES.processingInstruction && (target === undefined || nodeName === target);
      }
      case 'any-name': {
        if (test.prefix === undefined) return ({ nodeType }) => nodeType === principal;
        const namespace = this.#namespaceOf(test.prefix);
        if (namespace === undefined) return this.#unmatchable(test.prefix);
        return (node) => node.nodeType === principal && (node.namespaceURI ?? '') === namespace;
      }
      case 'name': {
        const { localName, prefix } = test;
        if (prefix === undefined) {
          return (node) => node.nodeType === principal && node.localName === localName && !node.namespaceURI;
        }
        const namespace = this.#namespaceOf(prefix);
        if (namespace === undefined) return this.#unmatchable(prefix);
        return (node) => node.nodeType === principal && node.localName === localName && node.namespaceURI === namespace;
      }
    }
  }

  #namespaceOf(prefix: string): string | undefined {
    if (prefix === 'xml') return 'http://www.w3.org/XML/1998/namespace';
    const { namespaces } = this.#environment;
    return Object.hasOwn(namespaces, prefix) ? namespaces[prefix] : undefined;
  }

  #unmatchable(prefix: string): Matches {
    const problem = `the prefix '${prefix}' is not declared`;
    this.problems.push(problem);
    return () => {
      throw new XPathError(problem);
    };
  }
}

function operation<C>(operator: BinaryOperator, left: Run<C>, right: Run<C>): Run<C> {
  if (operator === 'or') return (e, n, p, s) => toBoolean(left(e, n, p, s)) || toBoolean(right(e, n, p, s));
  if (operator === 'and') return (e, n, p, s) => toBoolean(left(e, n, p, s)) && toBoolean(right(e, n, p, s));
  const compute = OPERATIONS[operator];
  return (e, n, p, s) => compute(left(e, n, p, s), right(e, n, p, s), e);
}

/** {@link toText} without a budget, for values of an evaluation that has ended. */
export function textOfValue(value: XPathValue): string {
  return toText(value, () => undefined);
}
