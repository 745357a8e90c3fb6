import { dynamic, expression } from '../../expressions/attribute-types.ts';
import type { Expression } from '../../expressions/expression.ts';
import type { DynamicValue } from '../../expressions/value.ts';
import { nonEmptyText, readAttributes, text } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { IsolationError } from '../../isolation/worker-pool.ts';
import { type Mediate, type MediatorCompilation, mediator } from '../../mediation/component.ts';
import { findEntry } from '../../message/entry.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { applyEffects, elementOf, propertyValue } from '../../scripting/apply-effects.ts';
import { languageOfTheJvm, type ScriptLanguage, scriptLanguage } from '../../scripting/languages.ts';
import { type EndedScript, runForMessage } from '../../scripting/run-for-message.ts';
import type { ScriptJob, SentValue } from '../../scripting/script-job.ts';
import { readScript, type ScriptSource } from '../../scripting/script-source.ts';
import { likelyParts, sentValue, textOfEntry } from '../../scripting/sent-message.ts';
import { positionInText } from './text-position.ts';

const TARGETS = ['body', 'variable', 'none'];

const ATTRIBUTES = {
  language: nonEmptyText({
    required: true,
    missing: "The 'language' attribute is required for a script mediator",
    doc: 'js, graalJs, nashornJs or rhinoJs.',
  }),
  key: dynamic({ doc: 'The local entry or registry resource that holds the script; may be `{expression}`.' }),
  function: nonEmptyText({ doc: 'The function of that script which is called with the message; `mediate` if absent.' }),
  target: text({ doc: 'Where the result goes: body, variable or none.' }),
  'target-variable': nonEmptyText({ doc: 'The variable for the result.' }),
} as const;
const INCLUDE_ATTRIBUTES = {
  key: dynamic({
    required: true,
    missing: "Cannot use 'include' element without 'key' attribute for a script mediator",
    doc: 'An entry with a script that is evaluated after the main one.',
  }),
} as const;
const ARGUMENT_ATTRIBUTES = {
  name: text({ doc: 'Its name, for readers.' }),
  type: text({ doc: 'string, boolean, integer, long, double, json or xml.', default: 'string' }),
  value: text({ doc: 'The value, literally.' }),
  expression: expression({ doc: 'An expression that gives the value for each message.' }),
} as const;

type Compilation = MediatorCompilation<typeof ATTRIBUTES>;
type Argument = (message: MessageContext) => SentValue;

/**
 * Runs JavaScript on the message (spec mediators 3.17). It runs in a sandbox in a thread of its own, bounded in time and memory, and
 * sees nothing but the message; what it does to the message happens when it has come to its end.
 */
export const script = mediator({
  element: 'script',
  packages: ['quickjs-emscripten-core', '@jitl/quickjs-wasmfile-release-sync'],
  doc: 'Runs JavaScript, which reads and changes the message through `mc`.',
  attributes: ATTRIBUTES,
  children: ['include', 'inputs'],
  compile(compilation) {
    const { element, attributes, reader } = compilation;
    const language = readLanguage(compilation);
    const args = readArguments(element, reader);
    const includes = element.childrenNamed('include');
    if (!attributes.key) {
      for (const [found, problem] of [
        [
          attributes.function !== undefined,
          "Cannot use 'function' attribute without 'key' attribute for a script mediator",
        ],
        [includes.length > 0, "Cannot use 'include' element without 'key' attribute for a script mediator"],
      ] as const) {
        if (found) reader.error(element, problem, { expected: 'key="…"' });
      }
    }
    const keys = includes.flatMap((include) => readAttributes(include, INCLUDE_ATTRIBUTES, reader)?.key ?? []);
    if (!targetIsRight(compilation) || !language || !args) return undefined;
    if (!attributes.key) return inlineScript(compilation, language);
    return externalScript(compilation, language, [attributes.key, ...keys], args);
  },
});

function readLanguage({ element, attributes, reader }: Compilation): ScriptLanguage | undefined {
  const { language } = attributes;
  const known = scriptLanguage(language);
  if (known) return known;
  const other = languageOfTheJvm(language);
  reader.error(
    element,
    other
      ? `${other} scripts are not supported: they need a Java virtual machine. Write the script in JavaScript (language="js"), or map a <class> mediator to a module`
      : `No script engine found for language: ${language}`,
    { attribute: 'language', expected: 'one of: js, graalJs, nashornJs, rhinoJs' },
  );
  return undefined;
}

function targetIsRight({ element, attributes, reader }: Compilation): boolean {
  const { target } = attributes;
  if (target !== undefined && !TARGETS.includes(target.toLowerCase())) {
    reader.error(
      element,
      `Invalid 'target' attribute value for script mediator : ${target}. It should be either 'body', 'variable' or 'none'`,
      { attribute: 'target', expected: 'body, variable or none' },
    );
    return false;
  }
  if (target?.toLowerCase() !== 'variable' || attributes['target-variable'] !== undefined) return true;
  reader.error(element, "The 'target-variable' is required when the target is a variable", { attribute: 'target' });
  return false;
}

function readArguments(element: ConfigElement, reader: ArtifactReader): Argument[] | undefined {
  const inputs = element.child('inputs');
  if (!inputs) return [];
  reader.warnUnknownChildren(inputs, ['argument']);
  const found: Argument[] = [];
  for (const child of inputs.childrenNamed('argument')) {
    const argument = readAttributes(child, ARGUMENT_ATTRIBUTES, reader);
    if (!argument) return undefined;
    const given = argument.value ?? argument.expression;
    if (given === undefined) {
      reader.error(child, `The 'value' or the 'expression' of argument '${argument.name ?? ''}' is required`, {
        expected: 'value="…" or expression="…"',
      });
      return undefined;
    }
    found.push((message) => argumentValue(given, argument.type.toLowerCase(), message));
  }
  return found;
}

function argumentValue(given: string | Expression, type: string, message: MessageContext): SentValue {
  const value = typeof given === 'string' ? given : (given.value(message) ?? '');
  if (typeof value !== 'string') return sentValue(value);
  const wrong = () => new MediationError(`'${value}' is no ${type}, as an argument of a script should be`);
  switch (type) {
    case 'boolean':
      return { kind: 'boolean', value: value.trim().toLowerCase() === 'true' };
    case 'integer':
    case 'long':
    case 'double':
    case 'number': {
      const number = value.trim() === '' ? Number.NaN : Number(value);
      if (!Number.isFinite(number) || (!['double', 'number'].includes(type) && !Number.isInteger(number)))
        throw wrong();
      return { kind: 'number', value: number };
    }
    case 'json':
      try {
        JSON.parse(value);
      } catch {
        throw wrong();
      }
      return { kind: 'json', value };
    case 'xml':
      return { kind: 'xml', value };
    default:
      return { kind: 'text', value };
  }
}

/** The whole text is compiled at deployment; its own value is the result. */
function inlineScript({ element, attributes, reader }: Compilation, language: ScriptLanguage): Mediate | undefined {
  const source = readScript(element.text, language);
  for (const { message, line, column } of source.problems) {
    reader.error(element, `Exception initializing inline script: ${message}`, {
      position: positionInText(element, line, column),
    });
  }
  if (source.problems.length > 0) return undefined;
  const job = { sources: [{ name: 'script', code: source.code }], call: undefined, xmlObjects: source.xmlObjects };
  const likely = likelyParts(source.code);
  const failure = `The script engine returned an error executing the inlined ${attributes.language} script function mediate`;
  return async (message) => {
    const ended = await run(message, job, likely, failure, failure);
    return !(ended.value?.kind === 'boolean' && !ended.value.value);
  };
}

function externalScript(
  { attributes }: Compilation,
  language: ScriptLanguage,
  keys: readonly DynamicValue[],
  args: readonly Argument[],
): Mediate {
  const { function: name = 'mediate', target, 'target-variable': variable = '', language: written } = attributes;
  return async (message) => {
    const names = keys.map((key) => key.evaluate(message) ?? '');
    const sources = names.map((key) => sourceOf(key, language, message));
    const code = sources.map((source) => source.code);
    const lead = `executing the external ${written} script : ${names[0]} function ${name}`;
    const job = {
      sources: code.map((code, index) => ({ name: names[index] ?? 'script', code })),
      call: { name, args: args.map((argument) => argument(message)) },
      xmlObjects: sources.some((source) => source.xmlObjects),
    };
    const ended = await run(
      message,
      job,
      likelyParts(code.join('\n')),
      `The script engine returned an error ${lead}`,
      `The script engine returned a NoSuchMethodException ${lead}`,
    );
    if (target !== undefined && language.hasTarget) {
      place(ended.value, message, target.toLowerCase(), variable);
      return true;
    }
    return !(ended.value?.kind === 'boolean' && !ended.value.value);
  };
}

/** @throws MediationError when there is no such script, or it cannot be used */
function sourceOf(key: string, language: ScriptLanguage, message: MessageContext): ScriptSource {
  const entry = findEntry(message.configuration, key);
  if (!entry) throw new MediationError(`Cannot find the script ${key}`);
  const source = readScript(textOfEntry(entry), language);
  const [problem] = source.problems;
  if (!problem) return source;
  throw new MediationError(
    `The script ${key} cannot be used: line ${problem.line}, column ${problem.column}: ${problem.message}`,
  );
}

/** @throws MediationError in the reference's words, with the reason behind them */
async function run(
  message: MessageContext,
  job: Pick<ScriptJob, 'sources' | 'call' | 'xmlObjects'>,
  likely: Parameters<typeof runForMessage>[2],
  failure: string,
  missing: string,
): Promise<EndedScript> {
  let ended: EndedScript;
  try {
    ended = await runForMessage(message, job, likely);
  } catch (cause) {
    if (!(cause instanceof IsolationError)) throw cause;
    if (cause.message === 'NoSuchFunction') throw new MediationError(missing, { cause });
    const detail = cause.detail === undefined ? cause.message : `${cause.message}\n${cause.detail}`;
    throw new MediationError(`${failure}: ${cause.message}`, { detail, cause });
  }
  await applyEffects(message, ended.effects);
  return ended;
}

/** @throws MediationError when there is nothing to put there */
function place(value: SentValue | null, message: MessageContext, target: string, variable: string): void {
  if (target === 'none') return;
  if (!value) throw new MediationError(`Return object is null. Cannot set null object to the target : ${target}`);
  if (target === 'variable') message.variables.set(variable, propertyValue(value));
  else if (value.kind === 'xml') message.payload.replaceBody(elementOf(value.value));
  else if (value.kind === 'json') message.payload.setJson(value.value);
  else if (value.kind === 'text') message.payload.setJson(jsonText(value.value));
  else message.payload.setJson(String(value.value));
}

/** Text that is JSON is taken for it, as in `mc.setPayloadJSON` (MREQ-35). */
function jsonText(value: string): string {
  try {
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed === 'object' && parsed !== null) return value;
  } catch {
    // Any other text becomes a JSON string.
  }
  return JSON.stringify(value);
}
