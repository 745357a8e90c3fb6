import { BUILT_IN_CONNECTORS } from '../../connectors/index.ts';
import type { Connection, ConnectorOperation } from '../../connectors/operation.ts';
import { type DynamicValue, parseDynamicValue } from '../../expressions/value.ts';
import { ValueError } from '../../grammar/attributes.ts';
import { ConfigElement } from '../../grammar/element.ts';
import { ArtifactReader } from '../../grammar/reader.ts';
import type { CompileContext, Mediate } from '../../mediation/component.ts';
import type { Rest } from '../../mediation/continuation.ts';
import { MediationError } from '../../message/errors.ts';
import type { LocalEntry } from '../../message/local-entry.ts';
import type { MessageContext, TemplateParameterValue } from '../../message/message-context.ts';
import { MapValue, type PropertyValue } from '../../message/property-value.ts';
import { keepMessage, restoreMessage, storeInTarget } from './call-source-target.ts';
import { type OperationParameter, readOperationParameters } from './connector-parameters.ts';

/** `<library.operation>` as written. */
interface Invocation {
  /** `library.operation`. */
  readonly name: string;
  readonly library: string;
  readonly operation: string;
  readonly builtIn: ConnectorOperation | undefined;
  readonly parameters: ReadonlyMap<string, OperationParameter>;
  readonly configKey: DynamicValue | undefined;
  /** The id of the step. */
  readonly id: string;
  readonly rest: Rest;
}

/** Parameters that every operation has. */
const COMMON = ['responseVariable', 'overwriteBody', 'name'];

/** An operation of a connector has a dot in its name (spec mediators 2.1). */
export function isConnectorOperation({ name }: ConfigElement): boolean {
  return /^[\w-]+\.[\w.-]+$/.test(name);
}

/** Compiles `<library.operation configKey="…"><parameter>value</parameter>…` (spec mediators 3.22); undefined after an error. */
export function compileConnectorOperation(
  element: ConfigElement,
  reader: ArtifactReader,
  { id, rest }: Pick<CompileContext, 'id' | 'rest'>,
): Mediate | undefined {
  const { name } = element;
  const library = name.slice(0, name.indexOf('.'));
  const operation = name.slice(library.length + 1);
  reader.warnUnknownAttributes(element, ['configKey', 'description']);
  const configKey = readConfigKey(element, reader);
  const parameters = readOperationParameters(element, reader);
  const connector = BUILT_IN_CONNECTORS.get(library);
  const builtIn = connector?.operations.get(operation);
  if (builtIn) reader.warnUnknownChildren(element, [...builtIn.parameters, ...COMMON, 'description']);
  else if (!(connector && operation === 'init')) reader.refer('operation', name, element);
  if (!parameters || configKey === 'invalid') return undefined;
  if (connector && operation === 'init') return (message) => initialize(message, library, parameters);
  const invocation = { name, library, operation, builtIn, parameters, configKey, id, rest };
  return (message) => invoke(message, invocation);
}

function readConfigKey(element: ConfigElement, reader: ArtifactReader): DynamicValue | undefined | 'invalid' {
  const written = element.attribute('configKey');
  if (written === undefined) return undefined;
  try {
    const value = parseDynamicValue(written, element.prefixes());
    if (value.static) reader.refer('localEntry', value.static, element, 'configKey');
    return value;
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(element, error.message, { attribute: 'configKey', expected: 'the key of a local entry' });
    return 'invalid';
  }
}

/**
 * One call of an operation:
 *
 *     keep ──▶ connection (local entry) ──▶ operation ──▶ the answer is the payload ──▶ responseVariable takes it, kept comes back
 *                                               └──failure──▶ kept comes back, fault
 */
async function invoke(message: MessageContext, invocation: Invocation): Promise<boolean> {
  const { parameters, builtIn } = invocation;
  const variable = parameters.get('responseVariable')?.text(message) || undefined;
  const kept = variable !== undefined || builtIn ? keepMessage(message) : undefined;
  // Operations change the payload where it is.
  if (kept) message.payload = message.payload.clone();
  let outcome: boolean;
  try {
    const entry = connectionEntry(message, invocation);
    outcome = builtIn
      ? await runBuiltIn(message, invocation, builtIn, entry)
      : await runTemplate(message, invocation, entry);
  } catch (error) {
    if (kept) restoreMessage(message, kept);
    throw error;
  }
  if (!outcome || variable === undefined || !kept) return outcome;
  storeInTarget(message, { kind: 'variable', name: parseDynamicValue(variable, {}) });
  if (parameters.get('overwriteBody')?.text(message)?.trim().toLowerCase() === 'true') dropPayload(message, variable);
  else restoreMessage(message, kept);
  return true;
}

/** The body has the answer: the variable need not hold it once more (spec mediators 3.22). */
function dropPayload({ variables }: MessageContext, name: string): void {
  const value = variables.get(name);
  if (!(value instanceof MapValue)) return;
  variables.set(name, new MapValue(new Map([...value.entries].filter(([entry]) => entry !== 'payload'))));
}

function connectionEntry(message: MessageContext, { configKey, name }: Invocation): LocalEntry | undefined {
  const key = configKey?.evaluate(message);
  if (!key) return undefined;
  const entry = message.configuration.find('localEntry', key);
  if (entry) return entry;
  throw new MediationError(`The connection '${key}' of <${name}> cannot be found: there is no local entry of that key`);
}

async function runBuiltIn(
  message: MessageContext,
  { parameters, operation, library }: Invocation,
  builtIn: ConnectorOperation,
  entry: LocalEntry | undefined,
): Promise<boolean> {
  const connection = entry ? connectionOf(message, entry, library) : initialized.get(message)?.get(library);
  const text = (parameter: string) => parameters.get(parameter)?.text(message) || undefined;
  return builtIn.run({ message, operation, text, connection });
}

/** The parameters of `<library.init>` in a local entry. */
function connectionOf(message: MessageContext, { key, xml }: LocalEntry, library: string): Connection {
  const element = xml && new ConfigElement(xml, { file: `local entry '${key}'`, text: '' });
  if (!element || element.name !== `${library}.init`) {
    throw new MediationError(`The local entry '${key}' is no connection: <${library}.init> is expected in it`);
  }
  let parameters = connections.get(element.node);
  if (!parameters) {
    const reader = new ArtifactReader();
    parameters = readOperationParameters(element, reader);
    if (!parameters)
      throw new MediationError(`The connection '${key}' is wrong: ${reader.diagnostics[0]?.message ?? ''}`);
    connections.set(element.node, parameters);
  }
  const read = parameters;
  return { name: key, identity: element.node, text: (parameter) => read.get(parameter)?.text(message) || undefined };
}

const connections = new WeakMap<object, ReadonlyMap<string, OperationParameter>>();
/** Connections that messages have made for themselves, by `<library.init>` in the sequence. */
const initialized = new WeakMap<MessageContext, Map<string, Connection>>();

function initialize(
  message: MessageContext,
  library: string,
  parameters: ReadonlyMap<string, OperationParameter>,
): boolean {
  const texts = new Map([...parameters].map(([name, parameter]) => [name, parameter.text(message)]));
  const connection = { name: library, identity: texts, text: (name: string) => texts.get(name) || undefined };
  const known = initialized.get(message) ?? new Map<string, Connection>();
  initialized.set(message, known.set(library, connection));
  return true;
}

async function runTemplate(
  message: MessageContext,
  invocation: Invocation,
  entry: LocalEntry | undefined,
): Promise<boolean> {
  const { name, library, parameters, id, rest } = invocation;
  if (entry && !(await runInit(message, invocation, entry))) return false;
  const given = new Map<string, TemplateParameterValue>([['INVOKE_MEDIATOR_ID', id]]);
  if (entry) given.set('INIT_CONFIG_KEY', entry.key);
  const values = (parameter: string) => parameters.get(parameter)?.source(message) ?? null;
  return templateOf(message, library, name).call(message, values, rest, given);
}

async function runInit(
  message: MessageContext,
  { library, id, rest }: Invocation,
  { key, xml }: LocalEntry,
): Promise<boolean> {
  const element = xml && new ConfigElement(xml, { file: `local entry '${key}'`, text: '' });
  if (element?.name !== `${library}.init`) {
    throw new MediationError(`The local entry '${key}' is no connection: <${library}.init> is expected in it`);
  }
  const parameters = readOperationParameters(element, new ArtifactReader());
  const given = new Map<string, PropertyValue>([
    ['INVOKE_MEDIATOR_ID', id],
    ['INIT_CONFIG_KEY', key],
  ]);
  const values = (parameter: string) => parameters?.get(parameter)?.source(message) ?? null;
  return templateOf(message, library, `${library}.init`).call(message, values, rest, given);
}

function templateOf({ configuration }: MessageContext, library: string, name: string) {
  if (configuration.find('import', library)?.enabled === false) {
    throw new MediationError(`The connector '${library}' is disabled by its import: <${name}> cannot be used`);
  }
  const template = configuration.find('operation', name);
  if (template) return template;
  throw new MediationError(
    `Sequence template ${name} cannot be found: the connector '${library}' is not deployed, or has no such operation`,
  );
}
