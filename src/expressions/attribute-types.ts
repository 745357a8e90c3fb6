import { type TypeOptions, type ValueContext, valueType } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import { compileExpression } from './compile-expression.ts';
import type { Expression } from './expression.ts';
import { type DynamicValue, parseDynamicValue } from './value.ts';

/** An attribute or parameter that holds an expression (spec mediators 4.1); prefixes are those declared around the element. */
export function expression<const O extends TypeOptions<Expression>>(options: O) {
  return valueType<Expression, O>(
    `an XPath 1.0 expression, json-eval(path) or \${expression}`,
    (text, context) => {
      const compiled = compileExpression(text, context.element.prefixes());
      warn(compiled, context);
      return compiled;
    },
    options,
  );
}

/** A dynamic attribute: text or `{expression}` (spec mediators 2.4). */
export function dynamic<const O extends TypeOptions<DynamicValue>>(options: O) {
  return valueType<DynamicValue, O>(
    'text or {expression}',
    (text, context) => {
      const value = parseDynamicValue(text, context.element.prefixes());
      if (value.expression) warn(value.expression, context);
      return value;
    },
    options,
  );
}

function warn(expression: Expression, { element, name, reader }: ValueContext): void {
  const details = element.attribute(name) === undefined ? {} : { attribute: name };
  for (const warning of [...expression.warnings, ...hiddenPrefixes(expression.source, element)]) {
    reader.warning(element, warning, details);
  }
}

/** The reference lets the outermost declaration of a prefix win; where that makes a difference it is said (MREQ-17). */
function hiddenPrefixes(source: string, element: ConfigElement): string[] {
  const used = new Set([...source.matchAll(/([A-Za-z_][\w.-]*):[A-Za-z_*]/g)].map((match) => match[1] as string));
  const inner = element.prefixes();
  const warnings: string[] = [];
  for (const prefix of used) {
    const outermost = outermostNamespace(prefix, element);
    if (outermost === undefined || outermost === inner[prefix]) continue;
    warnings.push(
      `prefix '${prefix}' stands for '${inner[prefix]}' here; the reference would take the outermost declaration, '${outermost}'`,
    );
  }
  return warnings;
}

function outermostNamespace(prefix: string, element: ConfigElement): string | undefined {
  return (element.parent && outermostNamespace(prefix, element.parent)) ?? element.prefixes()[prefix];
}
