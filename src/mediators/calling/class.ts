import { expression } from '../../expressions/attribute-types.ts';
import type { Expression } from '../../expressions/expression.ts';
import type * as api from '../../extensions/api.ts';
import { contained, describe, ExtensionError, extensionLog, opened } from '../../extensions/containment.ts';
import { CLASS_NOT_MAPPED, mappedModule } from '../../extensions/mapped-module.ts';
import { MessageView } from '../../extensions/message-view.ts';
import { nonEmptyText, oneOf, readAttributes, text } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { type Mediate, type MediatorCompilation, mediator } from '../../mediation/component.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import type { BuiltInClass } from '../classes/built-in-class.ts';
import { builtInClass } from '../classes/index.ts';

const TARGETS = ['body', 'variable', 'none'] as const;
const FAILED = 'Error occured in the mediation of the class mediator';

const ATTRIBUTES = {
  name: nonEmptyText({
    required: true,
    missing: 'The name of the actual mediator class is a required attribute',
    doc: 'The class; the configuration maps it to a module.',
  }),
  method: nonEmptyText({ default: 'mediate', doc: 'The function of the module that is called.' }),
  target: oneOf(TARGETS, { doc: 'Where the result goes: the payload, a variable, or nowhere.' }),
  'target-variable': nonEmptyText({ doc: 'The variable for the result.' }),
} as const;

const PROPERTY_ATTRIBUTES = {
  name: nonEmptyText({ required: true, doc: 'Its name.' }),
  value: text({ doc: 'The value, literally.' }),
  expression: expression({ doc: 'An expression that gives the value for each message.' }),
} as const;

type Compilation = MediatorCompilation<typeof ATTRIBUTES>;

/** A value that a module is given: fixed, or found out for every message. */
interface Given {
  readonly name: string;
  readonly value: string | Expression;
}

type Method = (message: api.Message, properties: ReadonlyMap<string, string>) => unknown;

/**
 * Runs a module in place of the Java class (spec mediators 3.34). The class name is mapped to the module in the configuration; what
 * the module does wrong is a fault of this message.
 */
export const classMediator = mediator({
  element: 'class',
  doc: 'Calls a JavaScript or TypeScript module that the configuration maps the class name to.',
  attributes: ATTRIBUTES,
  children: ['property', 'inputs'],
  compile(compilation) {
    const { attributes, element, reader, id } = compilation;
    const inputs = element.child('inputs');
    if (inputs) reader.warnUnknownChildren(inputs, ['argument']);
    const properties = [
      ...readGiven(element.childrenNamed('property'), reader),
      ...readGiven(inputs?.childrenNamed('argument') ?? [], reader),
    ];
    if (!targetIsWhole(compilation)) return undefined;
    const { name, method } = attributes;
    const found = mappedModule(name, reader);
    const builtIn = found === 'not-mapped' ? builtInClass(name) : undefined;
    if (builtIn) return builtInMediation(compilation, builtIn, properties);
    if (found === 'not-mapped') {
      reader.error(element, `Error loading class : ${name} - Class not found`, {
        attribute: 'name',
        expected: CLASS_NOT_MAPPED('openMediator'),
      });
      return undefined;
    }
    if ('error' in found) {
      reader.error(element, `Error in instantiating class : ${name}: ${found.error}`, { attribute: 'name' });
      return undefined;
    }
    if ('pending' in found) return notLoaded(name);
    const context: api.MediatorContext = {
      name: id,
      className: name,
      log: extensionLog(name, id),
      properties: new Map(properties.flatMap(({ name, value }) => (typeof value === 'string' ? [[name, value]] : []))),
    };
    try {
      const given = opened<Record<string, Method>>(found.module, 'openMediator', context, { [method]: 'function' });
      const { deadlineMs } = found.module;
      return mediation(compilation, properties, async (message, values) =>
        contained(`${method}() of ${name}`, deadlineMs, () => given[method]?.(new MessageView(message), values)),
      );
    } catch (error) {
      if (!(error instanceof ExtensionError)) throw error;
      reader.error(element, `Error in instantiating class : ${name}: ${error.message}`, { attribute: 'name' });
      return undefined;
    }
  },
});

/** A class of the reference, its samples or its EIP library: it has `mediate` only. */
function builtInMediation(
  compilation: Compilation,
  { properties: known, className, open }: BuiltInClass,
  properties: readonly Given[],
): Mediate | undefined {
  const { attributes, element, reader, rest } = compilation;
  const unknown = properties.filter(({ name }) => !known.includes(name)).map(({ name }) => name);
  const problem =
    attributes.method !== 'mediate'
      ? `the class ${className} has no method '${attributes.method}'`
      : unknown.length > 0
        ? `the class ${className} has no property '${unknown.join("', '")}'`
        : undefined;
  if (problem === undefined) return mediation(compilation, properties, open({ rest }));
  reader.error(element, problem, {
    expected: known.length > 0 ? `mediate, with properties: ${known.join(', ')}` : 'mediate, without properties',
  });
  return undefined;
}

function mediation(
  { attributes }: Compilation,
  properties: readonly Given[],
  run: (message: MessageContext, values: ReadonlyMap<string, string>) => unknown,
): Mediate {
  const { name, method, target } = attributes;
  return async (message) => {
    const values = new Map(
      properties.map(({ name, value }) => [
        name,
        typeof value === 'string' ? value : (value.stringValue(message) ?? ''),
      ]),
    );
    try {
      const result = await run(message, values);
      if (target === undefined) return verdict(result, `${method}() of ${name}`);
      place(result, message, target, attributes['target-variable']);
      return true;
    } catch (cause) {
      // Modules throw errors of their own; what is a fault already says more than we could.
      if (cause instanceof MediationError) throw cause;
      const detail = cause instanceof Error ? cause.message : String(cause);
      throw new MediationError(FAILED, { detail, cause });
    }
  };
}

/** @throws ExtensionError */
function verdict(result: unknown, what: string): boolean {
  if (result === undefined || result === true) return true;
  if (result === false) return false;
  throw new ExtensionError(`${what} returned ${describe(result)}, expected true, false or nothing`);
}

/** @throws ExtensionError for a result that has no place there */
function place(result: unknown, message: MessageContext, target: (typeof TARGETS)[number], variable = ''): void {
  const view = new MessageView(message);
  if (target === 'none') return;
  if (result === undefined) throw new ExtensionError(`the result for the target ${target} is missing`);
  if (target === 'variable') view.setVariable(variable, plainValue(result));
  else if (result instanceof Uint8Array) view.setBytes(result, 'application/octet-stream');
  else if (typeof result === 'string') view.setText(result);
  else view.setJson(result);
}

/** A variable holds what a property can; of anything else it holds the JSON. */
function plainValue(result: unknown): api.Value {
  switch (typeof result) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return result;
    default:
      return JSON.stringify(result) ?? '';
  }
}

function readGiven(elements: readonly ConfigElement[], reader: ArtifactReader): Given[] {
  return elements.flatMap((element) => {
    const attributes = readAttributes(element, PROPERTY_ATTRIBUTES, reader);
    if (!attributes) return [];
    const value = attributes.value ?? attributes.expression;
    if (value !== undefined) return [{ name: attributes.name, value }];
    reader.error(element, `The 'value' or the 'expression' of ${element.name} '${attributes.name}' is required`, {
      expected: 'value="…" or expression="…"',
    });
    return [];
  });
}

function targetIsWhole({ attributes, element, reader }: Compilation): boolean {
  if (attributes.target !== 'variable' || attributes['target-variable'] !== undefined) return true;
  reader.error(element, "The 'target-variable' is required when the target is a variable", { attribute: 'target' });
  return false;
}

/** Read where no modules are loaded, as by `check`. */
function notLoaded(name: string): Mediate {
  return () => {
    throw new MediationError(FAILED, { detail: `the module of ${name} was not loaded` });
  };
}
