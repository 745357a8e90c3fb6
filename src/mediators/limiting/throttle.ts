import { nonEmptyText, text } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import { type MediatorCompilation, mediator } from '../../mediation/component.ts';
import { callerOf } from '../../mediation/continuation.ts';
import { runSteps } from '../../mediation/step.ts';
import { type Entry, findEntry } from '../../message/entry.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { parseXml, XmlSyntaxError } from '../../xml/index.ts';
import { CallerCounters, ConcurrencySlots } from './throttle-counters.ts';
import {
  policyFor,
  type Quota,
  readThrottlePolicy,
  type ThrottlePolicy,
  ThrottlePolicyError,
} from './throttle-policy.ts';

const log = logger('ThrottleMediator');
const ALLOWED = 'synapse.is.concurrent.access.allowed';

const ATTRIBUTES = {
  id: text({ required: true, missing: 'Idy attribute must have defined ', doc: 'Names the throttle.' }),
  onReject: nonEmptyText({ doc: 'The sequence for requests beyond the quota.' }),
  onAccept: nonEmptyText({ doc: 'The sequence for requests within the quota.' }),
} as const;

/** Lets so many requests of a caller pass in a time, and so many at once (spec mediators 3.32). State is kept by this server alone. */
export const throttle = mediator({
  element: 'throttle',
  doc: 'Lets a limited number of requests pass.',
  attributes: ATTRIBUTES,
  children: ['policy', 'onReject', 'onAccept'],
  compile(compilation) {
    const { element, reader } = compilation;
    const policyOf = readPolicy(element, reader);
    const onAccept = readOutcome(compilation, 'onAccept');
    const onReject = readOutcome(compilation, 'onReject');
    if (!policyOf || !onAccept || !onReject) return undefined;
    const counters = new CallerCounters();
    const slots = new ConcurrencySlots();
    return (message) => {
      if (message.direction === 'response') return true;
      const policy = policyOf(message);
      if (!policy) return onAccept(message, true);
      if (!takeSlot(message, policy, slots)) {
        log.info('You cannot access this service since you have exceeded the allocated quota.', aboutMessage(message));
        return onReject(message, false);
      }
      if (admitted(message, policy, counters)) return onAccept(message, true);
      return onReject(message, false);
    };
  },
});

/** The slot is given back when the client has its answer. */
function takeSlot(message: MessageContext, { concurrent }: ThrottlePolicy, slots: ConcurrencySlots): boolean {
  if (concurrent === undefined) return true;
  const release = slots.take(concurrent);
  message.properties.set(ALLOWED, release !== undefined);
  if (!release) return false;
  const { exchange, configuration } = message;
  if (exchange?.onEnd) exchange.onEnd(release);
  // Without a client there is no answer to wait for: the longest that a send may take has to do.
  else setTimeout(release, configuration.services.globalTimeoutMs).unref();
  return true;
}

function admitted(message: MessageContext, policy: ThrottlePolicy, counters: CallerCounters): boolean {
  const caller = callerOfMessage(message);
  const found = policyFor(policy, caller);
  if (!found) return true;
  const who = found.type === 'DOMAIN' ? caller.domain : caller.ip;
  if (counters.admit(`${found.type} ${found.id} ${who ?? ''}`, found.quota)) return true;
  log.info(rejection(found.quota), { ...aboutMessage(message), caller: who });
  return false;
}

function rejection({ kind }: Quota): string {
  return kind === 'never'
    ? 'You cannot access this service since you have prohibited permanently.'
    : 'You cannot access this service since you have exceeded the allocated quota.';
}

function callerOfMessage({ headers, axis2 }: MessageContext): { ip: string | undefined; domain: string | undefined } {
  const address = axis2.get('REMOTE_ADDR');
  const host = axis2.get('REMOTE_HOST');
  const forwarded = headers.get('X-Forwarded-For')?.split(',', 1)[0]?.trim();
  return {
    ip: forwarded || (address === undefined ? undefined : String(address)),
    domain: headers.get('X-Forwarded-Host') ?? (host === undefined ? undefined : String(host)),
  };
}

type PolicyOf = (message: MessageContext) => ThrottlePolicy | undefined;

function readPolicy(element: ConfigElement, reader: ArtifactReader): PolicyOf | undefined {
  const written = element.child('policy');
  if (!written) return () => undefined;
  const key = written.attribute('key');
  if (key === undefined) return inlinePolicy(written, reader);
  if (key.trim() === '') {
    reader.error(written, 'key attribute should have a value ', { attribute: 'key' });
    return undefined;
  }
  let known: { readonly text: string; readonly policy: ThrottlePolicy } | undefined;
  return (message) => {
    const entry = findEntry(message.configuration, key);
    if (!entry) throw new MediationError(`Cannot find throttling policy using key : ${key}`);
    if (known?.text !== entry.text) known = { text: entry.text, policy: policyIn(entry, key) };
    return known.policy;
  };
}

/** A policy that cannot be read is an error of the artifact to us, and in the reference one of every message. */
function inlinePolicy(written: ConfigElement, reader: ArtifactReader): PolicyOf | undefined {
  const [root] = written.children;
  if (!root) {
    reader.warning(written, 'a <policy> without key and content limits nothing', {
      expected: '<wsp:Policy> or key="…"',
    });
    return () => undefined;
  }
  try {
    const policy = readThrottlePolicy(root.node);
    return () => policy;
  } catch (error) {
    if (!(error instanceof ThrottlePolicyError)) throw error;
    reader.warning(root, `${error.message}: every request will fail`);
    return () => {
      throw new MediationError(error.message, { cause: error });
    };
  }
}

function policyIn({ text, xml }: Entry, key: string): ThrottlePolicy {
  try {
    const root = xml ?? parseXml(text).documentElement;
    if (!root) throw new ThrottlePolicyError(`'${key}' is empty`);
    return readThrottlePolicy(root);
  } catch (cause) {
    if (cause instanceof XmlSyntaxError)
      throw new MediationError(`Cannot find throttling policy using key : ${key}`, { cause });
    if (!(cause instanceof ThrottlePolicyError)) throw cause;
    throw new MediationError(cause.message, { cause });
  }
}

type Outcome = (message: MessageContext, otherwise: boolean) => boolean | Promise<boolean>;

function readOutcome(
  { element, attributes, reader, rest, compileList }: MediatorCompilation<typeof ATTRIBUTES>,
  name: 'onAccept' | 'onReject',
): Outcome | undefined {
  const key = attributes[name];
  const child = element.child(name);
  if (key !== undefined) {
    reader.refer('sequence', key, element, name);
    const caller = callerOf(rest);
    return (message) => {
      const found = message.configuration.find('sequence', key);
      if (!found) throw new MediationError(`Unable to find ${name} sequence with key : ${key}`);
      return found.mediate(message, caller);
    };
  }
  if (!child) return (_, otherwise) => otherwise;
  const list = compileList(child, name);
  return (message) => runSteps(list, message);
}
