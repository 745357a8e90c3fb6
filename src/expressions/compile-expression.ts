import type { Expression, Prefixes } from './expression.ts';
import { compileJsonEval } from './json-eval.ts';
import { compileSynapseExpression } from './synapse-expression.ts';
import { compileXPathExpression } from './xpath.ts';

/**
 * Compiles the text of an attribute that holds an expression. The kind follows from the raw text: `json-eval(…)`, `${…}`, else XPath
 * 1.0 (spec mediators 4.1).
 * @throws ValueError saying what is wrong and at which column of the text
 */
export function compileExpression(text: string, prefixes: Prefixes): Expression {
  if (text.startsWith('json-eval(')) return compileJsonEval(text, (inner) => compileExpression(inner, prefixes));
  if (text.startsWith('${') && text.endsWith('}')) return compileSynapseExpression(text, prefixes);
  return compileXPathExpression(text, prefixes);
}
