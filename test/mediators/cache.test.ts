import { describe, expect, it } from 'vitest';
import { CacheStore } from '../../src/mediators/limiting/cache-store.ts';
import { TransportHeaders } from '../../src/message/headers.ts';
import type { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { TypedNumber } from '../../src/message/property-value.ts';
import { FakeExchange, message, problemLines, sequence } from '../mediation/harness.ts';

const HIT = (inside = '', attributes = '') =>
  sequence(`<cache collector="false" ${attributes}>${inside}</cache><property name="missed" value="1"/>`);
const FILL = sequence('<cache collector="true"/>');

interface Asked {
  readonly request: MessageContext;
  readonly exchange: FakeExchange;
  readonly missed: boolean;
}

interface Parts {
  readonly body?: string;
  readonly method?: string;
  readonly to?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask(cache: ReturnType<typeof sequence>, parts: Parts = {}): Promise<Asked> {
  const exchange = new FakeExchange();
  const request = message({ body: parts.body ?? '<q/>', exchange, to: parts.to ?? '/services/P' });
  request.doingRest = true;
  request.axis2.set('HTTP_METHOD', parts.method ?? 'POST');
  for (const [name, value] of Object.entries(parts.headers ?? {})) request.headers.set(name, value);
  const missed = await cache.mediate(request);
  return { request, exchange, missed };
}

async function answer({ request }: Asked, body: string, status = 200, headers: Record<string, string> = {}) {
  const response = request.responseContext(Payload.unread(Buffer.from(body), 'application/xml'));
  response.axis2.set('HTTP_SC', new TypedNumber('INTEGER', status));
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  expect(await FILL.mediate(response)).toBe(true);
  return response;
}

/** A hit says so by what its client got. */
function given({ exchange }: Asked): string | undefined {
  const [response] = exchange.responses;
  return response && Buffer.from(response.payload.originalBytes() ?? []).toString();
}

describe('the cache', () => {
  it('answers an equal request with the answer that was given before', async () => {
    const cache = HIT();
    const first = await ask(cache);
    expect(first.missed).toBe(true);
    await answer(first, '<a/>', 201, { 'X-From': 'back end' });
    const second = await ask(cache);
    expect(second.missed).toBe(false);
    expect(given(second)).toBe('<a/>');
    const [response] = second.exchange.responses;
    expect(response?.direction).toBe('response');
    expect(String(response?.axis2.get('HTTP_SC'))).toBe('201');
    expect(response?.headers.get('X-From')).toBe('back end');
    expect(second.exchange.taken).toBe(true);
    expect(second.request.properties.has('missed')).toBe(false);
  });

  it('tells requests apart by body, address, method and headers', async () => {
    const cache = HIT();
    await answer(await ask(cache, { headers: { Accept: 'a' } }), '<a/>');
    const hits = async (parts: Parts) => !(await ask(cache, { headers: { Accept: 'a' }, ...parts })).missed;
    expect(await hits({})).toBe(true);
    expect(await hits({ headers: { Accept: 'a', Date: 'today', 'User-Agent': 'other' } })).toBe(true);
    expect(await hits({ body: '<other/>' })).toBe(false);
    expect(await hits({ to: '/services/Q' })).toBe(false);
    expect(await hits({ method: 'PUT' })).toBe(false);
    expect(await hits({ headers: { Accept: 'b' } })).toBe(false);
  });

  it('does not look at the body of a GET', async () => {
    const cache = HIT();
    await answer(await ask(cache, { method: 'GET', body: '<x/>' }), '<a/>');
    expect((await ask(cache, { method: 'GET', body: '<y/>' })).missed).toBe(false);
  });

  it.each([
    ['<headersToExcludeInHash>A</headersToExcludeInHash>', { A: '1' }, { A: '2' }, true],
    ['<headersToExcludeInHash>*</headersToExcludeInHash>', { B: '1' }, { B: '2' }, true],
    ['<headersToIncludeInHash>A</headersToIncludeInHash>', { B: '1' }, { B: '2' }, true],
    ['<headersToIncludeInHash>A,B</headersToIncludeInHash>', { B: '1' }, { B: '2' }, false],
  ])('takes the headers that it is told: %s', async (setting, before, after, hit) => {
    const cache = HIT(`<protocol type="HTTP">${setting}</protocol>`);
    await answer(await ask(cache, { headers: before as Record<string, string> }), '<a/>');
    expect(!(await ask(cache, { headers: after as Record<string, string> })).missed).toBe(hit);
  });

  it('only caches the methods, codes and sizes that it is told to', async () => {
    const settings =
      '<protocol type="HTTP"><methods>POST</methods><responseCodes>2[0-9][0-9]</responseCodes></protocol>';
    const cache = HIT(settings, 'maxMessageSize="10"');
    await answer(await ask(cache, { method: 'GET' }), '<a/>');
    expect((await ask(cache, { method: 'GET' })).missed).toBe(true);
    await answer(await ask(cache), '<a/>', 500);
    expect((await ask(cache)).missed).toBe(true);
    await answer(await ask(cache), `<a>${'x'.repeat(20)}</a>`);
    expect((await ask(cache)).missed).toBe(true);
    await answer(await ask(cache), '<a/>');
    expect((await ask(cache)).missed).toBe(false);
  });

  it('obeys Cache-Control where it is told to', async () => {
    const cache = HIT('<protocol type="HTTP"><enableCacheControl>true</enableCacheControl></protocol>');
    await answer(await ask(cache), '<a/>', 200, { 'Cache-Control': 'no-store' });
    expect((await ask(cache)).missed).toBe(true);
    await answer(await ask(cache), '<a/>', 200, { 'Cache-Control': 'max-age=0' });
    expect((await ask(cache)).missed).toBe(true);
    await answer(await ask(cache), '<a/>', 200, { 'Cache-Control': 'no-cache', ETag: '"1"' });
    const again = await ask(cache);
    expect(again.missed).toBe(true);
    expect(again.request.headers.get('If-None-Match')).toBe('"1"');
    const served = await answer(again, '', 304);
    expect(Buffer.from(served.payload.originalBytes() ?? []).toString()).toBe('<a/>');
    expect(String(served.axis2.get('HTTP_SC'))).toBe('200');
  });

  it('says how old an answer is', async () => {
    const cache = HIT('<protocol type="HTTP"><includeAgeHeader>true</includeAgeHeader></protocol>');
    await answer(await ask(cache), '<a/>');
    const hit = await ask(cache);
    expect(hit.exchange.responses[0]?.headers.get('Age')).toBe('0');
  });

  it('runs onCacheHit instead of answering, and the flow ends', async () => {
    const cache = HIT('<onCacheHit><property name="hit" value="1"/><respond/></onCacheHit>');
    await answer(await ask(cache), '<a/>');
    const hit = await ask(cache);
    expect(hit.missed).toBe(false);
    expect(hit.request.text('hit')).toBe('1');
    expect(given(hit)).toBe('<a/>');
  });

  it('is not changed by what becomes of an answer', async () => {
    const cache = HIT();
    await answer(await ask(cache), '<a/>');
    const hit = await ask(cache);
    hit.request.payload.setText('other');
    hit.request.headers.set('X', '1');
    const next = await ask(cache);
    expect(given(next)).toBe('<a/>');
    expect(next.request.headers.has('X')).toBe(false);
  });

  it('is filled by responses and asked by requests', async () => {
    const response = message({ body: '<a/>' });
    response.direction = 'response';
    expect(() => HIT().mediate(response)).toThrow('Response messages cannot be handled in a non collector cache');
    expect(() => FILL.mediate(message())).toThrow('Request messages cannot be handled in a collector cache');
    expect(await FILL.mediate(response)).toBe(true);
  });

  it.each([
    ['<cache/>', 'The collector attribute must be specified'],
    ['<cache collector="maybe"/>', 'The value for collector has to be either true or false'],
    ['<cache collector="false"><protocol><methods>FETCH</methods></protocol></cache>', 'Unexpected method type: FETCH'],
    ['<cache collector="false" timeout="soon"/>', "'soon' is not a valid number"],
    [
      '<cache collector="false"><protocol><responseCodes>(</responseCodes></protocol></cache>',
      'Invalid Regular Expression for responseCodes',
    ],
  ])('refuses %s', (xml, text) => {
    const errors = problemLines(xml).filter((line) => line.startsWith('error'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(text);
  });
});

describe('the store', () => {
  const response = (body = '<a/>') => ({
    payload: Payload.unread(Buffer.from(body), 'application/xml'),
    headers: new TransportHeaders(),
    axis2: new Map(),
    doingRest: true,
    storedAt: 0,
  });

  it('forgets after its time, and the one unused for longest when it is full (MREQ-37)', () => {
    let now = 0;
    const store = new CacheStore({ timeoutMs: 100, entries: 2, bytes: 1e6 }, () => now);
    store.put('a', response());
    store.put('b', response());
    store.get('a');
    store.put('c', response());
    expect(['a', 'b', 'c'].map((key) => store.get(key) !== undefined)).toEqual([true, false, true]);
    now = 100;
    expect(store.get('a')).toBe(undefined);
    expect(store.size).toBe(1);
  });

  it('keeps no more bytes than it may', () => {
    const store = new CacheStore({ timeoutMs: 100, entries: 10, bytes: 5000 }, () => 0);
    for (const key of 'abcdef') store.put(key, response('x'.repeat(1000)));
    expect(store.size).toBe(2);
    store.put('large', response('x'.repeat(5000)));
    expect(store.get('large')).toBe(undefined);
  });
});
