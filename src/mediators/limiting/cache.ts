import { nonEmptyText, text } from '../../grammar/attributes.ts';
import { type MediatorCompilation, mediator } from '../../mediation/component.ts';
import { callerOf } from '../../mediation/continuation.ts';
import { runSteps } from '../../mediation/step.ts';
import { approximateBytes } from '../../message/approximate-bytes.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { integerOf, type PropertyValue } from '../../message/property-value.ts';
import { cacheKey } from './cache-key.ts';
import { type CacheSettings, readCacheSettings } from './cache-settings.ts';
import { type CachedResponse, CacheStore } from './cache-store.ts';

const ATTRIBUTES = {
  collector: nonEmptyText({
    required: true,
    missing: 'The collector attribute must be specified',
    doc: '`false` in the request path: answers from the cache; `true` in the response path: fills it.',
  }),
  id: text({ doc: 'Documentation only: the collector finds the cache through the request.' }),
  scope: nonEmptyText({ doc: 'Accepted; there is one cache per mediator.' }),
  hashGenerator: nonEmptyText({ doc: 'Accepted and without effect: it names a Java class.' }),
  timeout: nonEmptyText({ doc: 'Seconds that an answer is good for; default 5000.' }),
  maxMessageSize: nonEmptyText({ doc: 'The largest answer to keep, bytes; -1: any.' }),
} as const;

/** What the response axis2 scope says about an answer. */
const KEPT = [
  'HTTP_SC',
  'HTTP_SC_DESC',
  'HTTP_REASON_PHRASE',
  'messageType',
  'ContentType',
  'NO_ENTITY_BODY',
  'FAULT_MESSAGE',
];

/** Where the answer to a request belongs. Requests and responses of one flow share their operation scope. */
interface Pending {
  readonly store: CacheStore;
  readonly key: string;
  readonly settings: CacheSettings;
  readonly method: string;
}

const pending = new WeakMap<ReadonlyMap<string, PropertyValue>, Pending>();

type Compilation = MediatorCompilation<typeof ATTRIBUTES>;

/** Keeps answers and gives them again (spec mediators 3.35). */
export const cache = mediator({
  element: 'cache',
  doc: 'Answers equal requests with an answer that was given before.',
  attributes: ATTRIBUTES,
  children: ['onCacheHit', 'protocol', 'implementation'],
  compile(compilation) {
    const { element, attributes, reader } = compilation;
    const { collector } = attributes;
    if (collector !== 'true' && collector !== 'false') {
      reader.error(element, 'The value for collector has to be either true or false', {
        attribute: 'collector',
        expected: 'true or false',
      });
      return undefined;
    }
    return collector === 'true' ? collect : compileFinder(compilation);
  },
});

function compileFinder(compilation: Compilation) {
  const { element, reader } = compilation;
  const settings = readCacheSettings(element, reader);
  const onHit = readOnHit(compilation);
  if (!settings || !onHit) return undefined;
  const store = new CacheStore(settings.limits);
  return (message: MessageContext): boolean | Promise<boolean> => {
    if (message.direction === 'response') {
      throw new MediationError('Response messages cannot be handled in a non collector cache');
    }
    const method = String(message.axis2.get('HTTP_METHOD') ?? 'POST').toUpperCase();
    if (!settings.methods.includes('*') && !settings.methods.includes(method)) return true;
    const key = cacheKey(message, settings.keyHeaders);
    const found = store.get(key);
    pending.set(message.operation, { store, key, settings, method });
    if (!found || (settings.cacheControl && mustRevalidate(found, message, store))) return true;
    becomeCached(message, found, store, settings);
    message.exchange?.take();
    return onHit(message);
  };
}

/** `no-cache` asks the back end whether the answer still holds; one that is older than its max-age is fetched anew. */
function mustRevalidate(found: CachedResponse, message: MessageContext, store: CacheStore): boolean {
  const control = (found.headers.get('Cache-Control') ?? '').toLowerCase();
  const etag = found.headers.get('ETag');
  if (/\bno-cache\b/.test(control)) {
    if (etag !== undefined) message.headers.set('If-None-Match', etag);
    return true;
  }
  const age = /\bmax-age\s*=\s*"?(\d+)/.exec(control)?.[1];
  return age !== undefined && store.now - found.storedAt >= Number(age) * 1000;
}

/** @throws MediationError for a request */
function collect(message: MessageContext): boolean {
  if (message.direction === 'request')
    throw new MediationError('Request messages cannot be handled in a collector cache');
  const place = pending.get(message.operation);
  if (!place) return true;
  const { store, key, settings } = place;
  const status = integerOf(message.axis2.get('HTTP_SC')) ?? 200;
  const known = status === 304 ? store.get(key) : undefined;
  if (known) {
    becomeCached(message, known, store, settings);
    store.put(key, { ...known, storedAt: store.now });
    return true;
  }
  if (isKept(message, place, status)) {
    const axis2 = new Map<string, PropertyValue>();
    for (const name of KEPT) {
      const value = message.axis2.get(name);
      if (value !== undefined) axis2.set(name, value);
    }
    const { payload, headers, doingRest } = message;
    store.put(key, { payload: payload.clone(), headers: headers.clone(), axis2, doingRest, storedAt: store.now });
  }
  return true;
}

function isKept({ payload, headers }: MessageContext, { settings }: Pending, status: number): boolean {
  if (!settings.responseCodes(String(status))) return false;
  if (settings.maxMessageBytes >= 0 && approximateBytes(payload) > settings.maxMessageBytes) return false;
  return !(settings.cacheControl && /\bno-store\b/i.test(headers.get('Cache-Control') ?? ''));
}

function becomeCached(
  message: MessageContext,
  found: CachedResponse,
  store: CacheStore,
  settings: CacheSettings,
): void {
  message.direction = 'response';
  message.to = undefined;
  message.payload = found.payload.clone();
  message.headers = found.headers.clone();
  message.doingRest = found.doingRest;
  for (const name of KEPT) message.axis2.delete(name);
  for (const [name, value] of found.axis2) message.axis2.set(name, value);
  if (settings.ageHeader) message.headers.set('Age', String(Math.floor((store.now - found.storedAt) / 1000)));
}

function readOnHit({
  element,
  reader,
  rest,
  compileList,
}: Compilation): ((message: MessageContext) => boolean | Promise<boolean>) | undefined {
  const child = element.child('onCacheHit');
  const key = child?.attribute('sequence');
  if (key !== undefined && child) {
    reader.refer('sequence', key, child, 'sequence');
    const caller = callerOf(rest);
    return (message) => {
      const found = message.configuration.find('sequence', key);
      if (!found) throw new MediationError(`Sequence named '${key}' cannot be found`);
      return stopped(found.mediate(message, caller));
    };
  }
  const list = child && compileList(child, 'onCacheHit', 'ends');
  if (list && list.steps.length > 0) return (message) => stopped(runSteps(list, message));
  return (message) => {
    message.exchange?.respond(message);
    return false;
  };
}

/** The request has its answer: nothing after the cache runs for it. */
function stopped(outcome: boolean | Promise<boolean>): boolean | Promise<boolean> {
  return typeof outcome === 'boolean' ? false : outcome.then(() => false);
}
