import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { consoleModule } from './static.ts';

interface Stream {
  again(): void;
  close(): void;
}

const { backOff, openStream } = await consoleModule<{
  backOff(failures: number): number;
  openStream(options: {
    values?: Record<string, string>;
    names: string[];
    onEvent(name: string, text: string): void;
    onLost(retryAt: number): void;
  }): Stream;
}>('stream.js');

/** What a browser has, as far as a stream needs it. */
class Source extends EventTarget {
  static readonly opened: Source[] = [];
  readonly url: string;
  closed = false;
  onerror: () => void = () => {};

  constructor(url: string) {
    super();
    this.url = url;
    Source.opened.push(this);
  }

  tell(name: string, data: string, lastEventId = ''): void {
    this.dispatchEvent(Object.assign(new Event(name), { data, lastEventId }));
  }

  close(): void {
    this.closed = true;
  }
}

describe('an event stream of the console', () => {
  const network = new EventTarget();
  const heard: string[] = [];
  const lost: number[] = [];
  let stream: Stream;

  const newest = () => {
    const source = Source.opened.at(-1);
    if (!source) throw new Error('nothing was opened');
    return source;
  };

  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(Math, 'random').mockReturnValue(1);
    vi.stubGlobal('EventSource', Source);
    vi.stubGlobal('addEventListener', network.addEventListener.bind(network));
    vi.stubGlobal('removeEventListener', network.removeEventListener.bind(network));
    for (const list of [Source.opened, heard, lost]) list.length = 0;
    stream = openStream({
      values: { logs: 'info' },
      names: ['log', 'ping'],
      onEvent: (name, text) => heard.push(`${name} ${text}`),
      onLost: (at) => lost.push(at - Date.now()),
    });
  });

  afterEach(() => {
    stream.close();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it('waits longer after every failure, half a minute at most, and not all wait alike', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 60].map(backOff)).toEqual([1, 2, 4, 8, 16, 30, 30, 30].map((s) => s * 1000));
    vi.spyOn(Math, 'random').mockReturnValue(0);
    expect(backOff(0)).toBe(750);
  });

  it('comes back after what it has heard last, and begins with short waits again once it hears something', () => {
    expect(newest().url).toBe('/management/events?logs=info');
    newest().tell('log', 'a', '7');
    for (let failure = 0; failure < 3; failure += 1) {
      newest().onerror();
      expect(newest().closed).toBe(true);
      vi.advanceTimersByTime(backOff(failure) - 1);
      expect(Source.opened).toHaveLength(failure + 1);
      vi.advanceTimersByTime(1);
      expect(Source.opened).toHaveLength(failure + 2);
      expect(newest().url).toBe('/management/events?logs=info&lastEventId=7');
    }
    expect(lost).toEqual([1000, 2000, 4000]);
    newest().tell('log', 'b', '8');
    newest().onerror();
    expect(lost.at(-1)).toBe(1000);
    expect(heard).toEqual(['log a', 'log b']);
  });

  it('tells whoever reads it to read anew when it was lost before it could say where', () => {
    newest().tell('ping', 'a');
    newest().onerror();
    stream.again();
    expect(newest().url).toBe('/management/events?logs=info');
    newest().tell('ping', 'b');
    newest().tell('log', 'c', '1');
    expect(heard).toEqual(['ping a', 'reset ', 'ping b', 'log c']);
    newest().onerror();
    stream.again();
    newest().tell('log', 'd', '2');
    // From there the server has sent what was missed.
    expect(heard.slice(4)).toEqual(['log d']);
  });

  it('gives up a stream in which nothing comes, not even a ping', () => {
    vi.advanceTimersByTime(15_000);
    newest().tell('ping', '');
    vi.advanceTimersByTime(19_999);
    expect(lost).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(lost).toEqual([1000]);
  });

  it('does not wait when it is told to come back, or the network has', () => {
    newest().onerror();
    stream.again();
    expect(Source.opened).toHaveLength(2);
    stream.again();
    expect(Source.opened).toHaveLength(2);
    newest().onerror();
    network.dispatchEvent(new Event('online'));
    expect(Source.opened).toHaveLength(3);
  });

  it('leaves no timer and no listener behind', () => {
    newest().onerror();
    stream.close();
    network.dispatchEvent(new Event('online'));
    vi.advanceTimersByTime(60_000);
    expect(Source.opened).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
