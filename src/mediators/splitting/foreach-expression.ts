import type { Expression } from '../../expressions/expression.ts';
import { jsonText } from '../../expressions/json-text.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import type { Mediate, MediatorCompilation } from '../../mediation/component.ts';
import { causeChain } from '../../mediation/fault.ts';
import { Sequence } from '../../mediation/sequence.ts';
import type { StepList } from '../../mediation/step.ts';
import { breathe } from '../../mediation/turn.ts';
import { copyWithout } from '../../message/copy-without.ts';
import { MediationError } from '../../message/errors.ts';
import { type JsonNode, JsonSyntaxError, parseJson } from '../../message/json.ts';
import { cloneWithOrigins } from '../../message/json-xml.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { Payload } from '../../message/payload.ts';
import { JsonValue, TypedNumber } from '../../message/property-value.ts';
import { createEnvelope, documentOf } from '../../message/soap.ts';
import { NodeBudget, type XmlElement } from '../../xml/index.ts';
import { isJsonExpression } from '../expression-kind.ts';
import type { FOREACH_ATTRIBUTES } from './foreach.ts';
import { selectJson } from './json-selection.ts';
import { admitParts } from './part-limit.ts';
import { ResultBudget } from './result-budget.ts';

const log = logger('ForEachMediator');
const ELEMENT_NODE = 1;
const NOT_INSIDE = ['call', 'callout', 'send'];

type Compilation = MediatorCompilation<typeof FOREACH_ATTRIBUTES>;

/** Runs the sequence once with the payload that the message has at the moment; false when it stopped, or failed and that is allowed. */
type RunOnce = (message: MessageContext) => Promise<boolean>;

/**
 * foreach with `expression` (spec mediators 3.25): the message itself gets one element or item after the other as its payload, and in
 * the end the results in their place. As in the reference, XML results move to the end of the parent of the first match, and of each
 * only the first Body child is kept.
 */
export function compileForeachExpression(compilation: Compilation): Mediate | undefined {
  const { element, attributes, reader } = compilation;
  const selected = attributes.expression;
  const runOnce = readBody(compilation);
  if (!selected) {
    if (element.attribute('expression') === undefined) {
      reader.error(
        element,
        'XPath/JSONPath expression is required for an ForEach Mediator under the "expression" attribute',
        { expected: 'expression="…", or collection="…"' },
      );
    }
    return undefined;
  }
  if (!runOnce) return undefined;
  const prefix = attributes.id === undefined ? '' : `${attributes.id}_`;
  const goesOn = attributes.continueLoopOnFailure;
  const loop = isJsonExpression(selected) ? overJson : overXml;
  return async (message) => {
    const counter = `${prefix}FOREACH_COUNTER`;
    message.properties.set(`${prefix}FOREACH_ORIGINAL_MESSAGE`, copyOfEnvelope(message.payload.envelope()));
    message.properties.set(counter, new TypedNumber('INTEGER', 0));
    let count = 0;
    await loop(message, selected, async () => {
      const outcome = await attempt(message, runOnce, goesOn);
      count += 1;
      message.properties.set(counter, new TypedNumber('INTEGER', count));
      return outcome;
    });
    return true;
  };
}

/** `stop`: this was the last one; `failed`: without a result. */
type Outcome = 'next' | 'stop' | 'failed';

async function attempt(message: MessageContext, runOnce: RunOnce, goesOn: boolean): Promise<Outcome> {
  const { sequenceDepth } = message;
  const { length } = message.callers;
  const handlers = message.faultStack.length;
  try {
    return (await runOnce(message)) || goesOn ? 'next' : 'stop';
  } catch (error) {
    if (!goesOn) throw error;
    log.warn(`An iteration failed; the loop goes on: ${causeChain(error)}`, aboutMessage(message));
    message.sequenceDepth = sequenceDepth;
    message.callers.length = length;
    if (message.faultStack.length > handlers) message.faultStack.length = handlers;
    return 'failed';
  }
}

async function overXml(message: MessageContext, selected: Expression, run: () => Promise<Outcome>): Promise<void> {
  const elements = selected
    .nodes(message)
    .filter((node): node is XmlElement => !(node instanceof JsonValue) && node.nodeType === ELEMENT_NODE);
  const parent = elements[0]?.parentNode;
  if (!parent) return;
  admitParts(message, elements.length, 'foreach');
  const whole = message.payload;
  const { soapVersion } = whole;
  const results: XmlElement[] = [];
  const kept = new ResultBudget(message, 'foreach');
  let taken = 0;
  for (const element of elements) {
    await breathe();
    message.payload = Payload.ofBodyChild(element, soapVersion);
    const outcome = await run();
    taken += 1;
    orGiveBack(message, whole, () => {
      const result = message.payload.firstBodyChild();
      kept.admitNodes(result);
      if (result) results.push(result);
    });
    if (outcome === 'stop') break;
  }
  orGiveBack(message, whole, () => {
    const { envelope, copies } = copyWithout(whole.envelope(), elements.slice(0, taken));
    const place = copies.get(parent);
    const budget = new NodeBudget();
    for (const result of results) place?.appendChild(cloneWithOrigins(documentOf(envelope), result, budget));
    whole.replaceEnvelope(envelope);
  });
  message.payload = whole;
}

/**
 * What foreach itself cannot do is a fault of the whole message, which its handlers find as it was; one of an iteration leaves them that
 * iteration's payload, as in the reference.
 */
function orGiveBack(message: MessageContext, whole: Payload, work: () => void): void {
  try {
    work();
  } catch (error) {
    message.payload = whole;
    throw error;
  }
}

async function overJson(message: MessageContext, selected: Expression, run: () => Promise<Outcome>): Promise<void> {
  const selection = selectJson(selected, message);
  if (selection.node?.kind !== 'array') {
    throw new MediationError(`JSON element expressed by the path ${selected.source} is not a valid JSON array`);
  }
  const { items } = selection.node;
  if (items.length === 0) {
    log.info(`${selected.source} is an empty array: nothing to iterate over`, aboutMessage(message));
    return;
  }
  admitParts(message, items.length, 'foreach');
  const whole = message.payload;
  const results: JsonNode[] = [];
  const kept = new ResultBudget(message, 'foreach');
  for (const item of items) {
    await breathe();
    message.payload = Payload.ofJson(jsonText(item));
    const outcome = await run();
    orGiveBack(message, whole, () => {
      kept.admit(message.payload);
      if (outcome !== 'failed') results.push(resultOf(message.payload));
    });
    if (outcome === 'stop') break;
  }
  orGiveBack(message, whole, () => {
    const changed = selection.withItems(results);
    if (!changed) {
      throw new MediationError(`The results cannot be put back to where ${selected.source} found the items`);
    }
    whole.setJson(jsonText(changed));
  });
  message.payload = whole;
}

/** A payload that is no JSON becomes JSON, or stands there as text. */
function resultOf(payload: Payload): JsonNode {
  const text = payload.jsonText();
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return { kind: 'string', value: text };
  }
}

function copyOfEnvelope(envelope: XmlElement): XmlElement {
  return cloneWithOrigins(documentOf(createEnvelope('1.1')), envelope);
}

function readBody({ element, attributes, reader, compileList }: Compilation): RunOnce | undefined {
  const inline = element.child('sequence');
  const key = attributes.sequence ?? inline?.attribute('key');
  if (key !== undefined) {
    reader.refer('sequence', key, element, attributes.sequence === undefined ? undefined : 'sequence');
    return async (message) => {
      const found = message.configuration.find('sequence', key);
      if (!found) throw new MediationError(`Sequence named '${key}' cannot be found`);
      refuse(found.list);
      return found.mediate(message);
    };
  }
  if (!inline) {
    reader.error(element, 'A sequence is required for a ForEach Mediator', {
      expected: '<sequence> or sequence="…"',
    });
    return undefined;
  }
  if (inline.children.some(({ name }) => NOT_INSIDE.includes(name))) {
    reader.error(inline, 'Sequence cannot contain Call, Send or CallOut mediators', {
      expected: 'collection="…" instead of expression="…", where they may stand inside',
    });
    return undefined;
  }
  warnNested(inline, reader);
  const list = compileList(inline, 'sequence', 'ends');
  const onError = inline.attribute('onError');
  if (onError !== undefined) reader.refer('sequence', onError, inline, 'onError');
  const sequence = new Sequence({ list, position: inline.position, ...(onError !== undefined && { onError }) });
  return async (message) => sequence.mediate(message);
}

function refuse({ steps }: StepList): void {
  if (steps.some(({ mediator }) => NOT_INSIDE.includes(mediator))) {
    throw new MediationError('ForEach: Referred sequence cannot contain Call, Send or CallOut mediators');
  }
}

/** The reference only looks at the top level, and goes wrong with those further inside (MREQ-33). */
function warnNested(element: ConfigElement, reader: ArtifactReader): void {
  for (const child of element.children) {
    for (const inner of child.children) {
      if (NOT_INSIDE.includes(inner.name) && inner.namespace === element.namespace) {
        reader.warning(inner, `<${inner.name}> inside a foreach with expression="…" does not work in the reference`, {
          expected: 'collection="…" instead of expression="…"',
        });
      }
    }
    warnNested(child, reader);
  }
}
