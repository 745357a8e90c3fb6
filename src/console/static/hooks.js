import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { get } from './api.js';
import { isCutOff, onEvents } from './live.js';

/** @typedef {{data: any, error: any, loading: boolean, reload: () => Promise<void>}} Loaded */

const SOON_MS = 400;

/**
 * A resource of the API: read at once, again every `every` ms, soon after events that may have changed it, and when the server is back. What was read stays while
 * it is read again.
 * @param {string | undefined} path undefined: nothing yet
 * @param {{every?: number, events?: string[]}} [options]
 * @returns {Loaded}
 */
export function useResource(path, { every, events } = {}) {
  const [state, setState] = useState({ data: undefined, error: undefined, path: undefined });
  const current = useRef();
  const reload = useCallback(async () => {
    if (path === undefined) return;
    current.current?.abort();
    const controller = new AbortController();
    current.current = controller;
    try {
      const data = await get(path, { signal: controller.signal });
      if (!controller.signal.aborted) setState({ data, error: undefined, path });
    } catch (error) {
      if (controller.signal.aborted) return;
      setState((before) => ({ data: before.path === path ? before.data : undefined, error, path }));
    }
  }, [path]);
  useEffect(() => {
    void reload();
    return () => current.current?.abort();
  }, [reload]);
  useEffect(() => {
    if (!every) return undefined;
    const timer = setInterval(() => document.hidden || isCutOff() || reload(), every);
    return () => clearInterval(timer);
  }, [reload, every]);
  const names = ['reset', ...(events ?? [])].join();
  useEffect(() => {
    let soon;
    const leave = onEvents(names.split(','), () => {
      soon ??= setTimeout(() => {
        soon = undefined;
        void reload();
      }, SOON_MS);
    });
    return () => {
      leave();
      clearTimeout(soon);
    };
  }, [reload, names]);
  const known = state.path === path;
  return {
    data: known ? state.data : undefined,
    error: known ? state.error : undefined,
    loading: path !== undefined && !(known && (state.data || state.error)),
    reload,
  };
}

/** The time, that ticks. @param {number} [every] ms */
export function useNow(every = 1000) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

const TELL_MS = 250;
/** What is looked at again with every tick; one clock for all that is on the page. */
const told = new Set();
let clock;

/** A text about a moment, as of now: drawn again only when it reads differently. @param {() => string} read @param {any} at undefined: there is nothing to tell */
export function useTold(read, at) {
  const [, setText] = useState('');
  const latest = useRef(read);
  latest.current = read;
  useEffect(() => {
    if (at === undefined || at === null) return undefined;
    const look = () => document.hidden || setText(latest.current());
    told.add(look);
    clock ??= setInterval(() => {
      for (const one of told) one();
    }, TELL_MS);
    return () => {
      told.delete(look);
      if (told.size > 0) return;
      clearInterval(clock);
      clock = undefined;
    };
  }, [at]);
  return read();
}

/** The page's name in the window's title. */
export function useTitle(title) {
  useEffect(() => {
    document.title = title ? `${title} · mini-synapse` : 'mini-synapse';
  }, [title]);
}

/** A value that follows with a delay, for what is being typed. */
export function useSettled(value, ms = 300) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
