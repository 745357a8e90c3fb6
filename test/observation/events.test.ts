import type { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { LogLevel } from '../../src/logging/index.ts';
import { EventHub, TooManyListenersError } from '../../src/observation/events.ts';

const hubs: EventHub[] = [];

function newHub(): EventHub {
  const hub = new EventHub();
  hubs.push(hub);
  return hub;
}

afterEach(() => {
  for (const hub of hubs.splice(0)) hub.close();
});

/** What a listener has been sent. */
async function sent(stream: Readable): Promise<string> {
  await turn();
  const chunk: unknown = stream.read();
  return Buffer.isBuffer(chunk) ? chunk.toString('utf8') : '';
}

const names = (text: string) => [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name);
const ids = (text: string) => [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id ?? '');

describe('server-sent events', () => {
  it('are id, event and data, and pictures of the moment have no id', async () => {
    const hub = newHub();
    const listener = hub.subscribe();
    hub.publish('store', { name: 'S', state: 'DOWN' });
    hub.publish('overview', { x: 1 });
    const text = await sent(listener);
    expect(text).toMatch(
      /^retry: 2000\n\nid: \d+\nevent: store\ndata: \{"name":"S","state":"DOWN"\}\n\nevent: overview\n/,
    );
    expect(ids(text)).toHaveLength(1);
  });

  it('go on after the last one that a listener has seen', async () => {
    const hub = newHub();
    const first = hub.subscribe();
    hub.publish('store', { n: 1 });
    const seen = ids(await sent(first)).at(-1) ?? '';
    first.destroy();
    hub.publish('processor', { n: 2 });
    hub.publish('endpoint', { n: 3 });
    expect(names(await sent(hub.subscribe({ lastEventId: seen })))).toEqual(['processor', 'endpoint']);
  });

  it('say reset when what was missed is not kept any more, or the id is of another server', async () => {
    const hub = newHub();
    const first = hub.subscribe();
    hub.publish('store', { n: 0 });
    const seen = ids(await sent(first)).at(-1) ?? '';
    for (let n = 0; n < 600; n += 1) hub.publish('store', { n });
    expect(names(await sent(hub.subscribe({ lastEventId: seen })))).toEqual(['reset']);
    expect(names(await sent(hub.subscribe({ lastEventId: '12' })))).toEqual(['reset']);
    expect(names(await sent(hub.subscribe({ lastEventId: 'nonsense' })))).toEqual(['reset']);
  });

  it('have at most twenty listeners', () => {
    const hub = newHub();
    const listeners = Array.from({ length: 20 }, () => hub.subscribe());
    expect(() => hub.subscribe()).toThrow(TooManyListenersError);
    listeners[0]?.destroy();
    return turn().then(() => expect(hub.subscribe()).toBeDefined());
  });

  it('have no more than twelve listeners of one user', () => {
    const hub = newHub();
    for (let n = 0; n < 12; n += 1) hub.subscribe({ owner: 'eve' });
    expect(() => hub.subscribe({ owner: 'eve' })).toThrow('eve listens 12 times already');
    expect(hub.subscribe({ owner: 'ann' })).toBeDefined();
    expect(hub.subscribe()).toBeDefined();
  });

  it('drop a listener that does not read', async () => {
    const hub = newHub();
    const slow = hub.subscribe();
    const quick = hub.subscribe();
    const text = 'x'.repeat(10_000);
    for (let n = 0; n < 200; n += 1) {
      hub.publish('store', { text });
      await sent(quick);
    }
    expect(slow.destroyed).toBe(true);
    expect(quick.destroyed).toBe(false);
    expect(hub.dropped).toBe(1);
    expect(hub.listeners).toBe(1);
  });

  it('have log lines only for those who want them, up to their level', async () => {
    const hub = newHub();
    const without = hub.subscribe();
    const warnings = hub.subscribe({ logs: 'warn' });
    const masked = hub.subscribe({ logs: 'warn', shownLine: (line) => ({ ...line, message: 'hidden' }) });
    const line = (level: LogLevel, message: string) => ({ time: 0, level, category: 'Test', message, details: {} });
    hub.log(line('info', 'quiet'));
    hub.log(line('error', 'loud'));
    expect(names(await sent(without))).toEqual([]);
    const shown = await sent(warnings);
    expect(shown).toContain('"loud"');
    expect(shown).not.toContain('quiet');
    expect(await sent(masked)).toMatch(/^(?!.*loud).*"hidden"/s);
  });
});
