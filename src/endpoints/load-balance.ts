import { javaBoolean, milliseconds, oneOf, readAttributes, ValueError } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import { type ChildSelection, RoundRobin, WeightedRoundRobin } from './algorithms.ts';
import { type GroupChild, readChildren } from './children.ts';
import { groupKind } from './component.ts';
import { FailingOverGroup } from './failing-over-group.ts';
import { SESSION_KINDS, SessionAffinity, type SessionType } from './session-affinity.ts';

/** Class names of the reference. */
const ALGORITHMS = [
  'org.apache.synapse.endpoints.algorithms.RoundRobin',
  'org.apache.synapse.endpoints.algorithms.WeightedRoundRobin',
] as const;
const WEIGHT_PROPERTY = 'loadbalance.weight';
const MAX_WEIGHT = 1_000_000;

/** `<loadbalance>`: messages are spread over the children (spec proxies 5.6). */
export const loadBalance = groupKind({
  element: 'loadbalance',
  doc: 'Spreads messages over its children; with failover, a message that one child did not take is sent to another one.',
  attributes: {
    algorithm: oneOf(ALGORITHMS, {
      doc: 'How the next child is found; weights are the property loadbalance.weight of the children.',
    }),
    policy: oneOf(['roundRobin'], { doc: 'Another way to write the algorithm.' }),
    failover: javaBoolean({ default: true, doc: 'Try another child after a failure.' }),
    buildMessage: javaBoolean({ default: false, doc: 'Reads the whole payload before the first attempt.' }),
  },
  children: ['endpoint', 'member'],
  read({ element, attributes, reader, frame, session, readEndpoint }) {
    const { algorithm, policy, failover, buildMessage } = attributes;
    if (algorithm !== undefined && policy !== undefined) {
      reader.error(element, "Both 'algorithm' and 'policy' are given", {
        attribute: 'policy',
        expected: 'one of the two',
      });
    }
    const group = { title: 'FailoverLoadbalance', name: frame.name };
    const children = readChildren(element, reader, group, readEndpoint);
    const affinity = session && readSession(session, reader);
    const selection = children && readSelection(algorithm, children, reader);
    if (!children || !selection || affinity === 'invalid') return undefined;
    return new FailingOverGroup({
      ...frame,
      kind: 'loadbalance',
      children: children.map(({ endpoint }) => endpoint),
      selection,
      failover,
      buildMessage,
      affinity,
    });
  },
});

function readSelection(
  algorithm: (typeof ALGORITHMS)[number] | undefined,
  children: readonly GroupChild[],
  reader: ArtifactReader,
): ChildSelection | undefined {
  if (algorithm !== 'org.apache.synapse.endpoints.algorithms.WeightedRoundRobin') {
    return new RoundRobin(children.length);
  }
  const weights = children.map(({ element }) => readWeight(element, reader));
  return weights.includes(undefined) ? undefined : new WeightedRoundRobin(weights as number[]);
}

/** Undefined after an error. */
function readWeight(child: ConfigElement, reader: ArtifactReader): number | undefined {
  const property = child.childrenNamed('property').find((one) => one.attribute('name') === WEIGHT_PROPERTY);
  const written = property?.attribute('value');
  if (!property || written === undefined) return 1;
  const weight = /^\s*\d{1,7}\s*$/.test(written) ? Number(written) : 0;
  if (weight >= 1 && weight <= MAX_WEIGHT) return weight;
  reader.error(property, `${WEIGHT_PROPERTY} is not a weight: '${written}'`, {
    attribute: 'value',
    expected: `an integer from 1 to ${MAX_WEIGHT}`,
  });
  return undefined;
}

const SESSION_ATTRIBUTES = {
  type: oneOf(Object.keys(SESSION_KINDS), {
    required: true,
    missing: "The 'type' attribute is required for a session",
    doc: 'Where the session shows.',
  }),
} as const;

function readSession(element: ConfigElement, reader: ArtifactReader): SessionAffinity | 'invalid' {
  const attributes = readAttributes(element, SESSION_ATTRIBUTES, reader);
  reader.warnUnknownChildren(element, ['sessionTimeout']);
  const timeout = element.child('sessionTimeout');
  const timeoutMs = timeout && readTimeout(timeout, reader);
  if (!attributes || timeoutMs === 'invalid') return 'invalid';
  return new SessionAffinity(attributes.type as SessionType, timeoutMs);
}

function readTimeout(element: ConfigElement, reader: ArtifactReader): number | 'invalid' {
  const type = milliseconds({});
  try {
    return type.parse(element.text, { element, name: 'sessionTimeout', reader });
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(element, `<sessionTimeout>: ${error.message}`, { expected: 'milliseconds' });
    return 'invalid';
  }
}
