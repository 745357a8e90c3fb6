import { useEffect, useRef, useState } from 'preact/hooks';
import { get, query } from '../api.js';
import { matching, Search } from '../components/list.js';
import { Card, Empty, Page, Problem } from '../components/page.js';
import { Tag } from '../components/state.js';
import { Countdown } from '../components/time.js';
import { doing } from '../components/toast.js';
import { fileName, number, shortId } from '../format.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';
import { isCutOff } from '../live.js';
import { sourceAt, to } from '../router.js';
import { openStream } from '../stream.js';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'];
/** What the server has at hand, and what is kept here. */
const KEPT = 2000;
/** Records that are drawn at once. */
const DRAWN = 200;
const POLL_MS = 2000;
/** A busy server logs hundreds of lines a second; they are shown together. */
const GATHERED_MS = 250;
/** Of a stream with log lines; others are of no use here, but tell that it lives. */
const NAMES = ['log', 'ping', 'overview', 'reset'];
const LEVELS_EVERY_MS = 10_000;

/** The end of the log, as it grows. */
export default function Logs() {
  const [level, setLevel] = useState('info');
  const [text, setText] = useState('');
  const [follow, setFollow] = useState(true);
  // The last record of the part that is shown; undefined: the newest one.
  const [until, setUntil] = useState(undefined);
  const { records, error, reload } = useTail(level);
  const found = records && matching(records, text, textOf);
  const end = !found || until === undefined ? found?.length : endAt(found, until);
  const shown = found?.slice(Math.max(0, end - DRAWN), end);
  const levels = useResource('logging', { events: ['audit'], every: LEVELS_EVERY_MS });
  const changeLevel = async () => {
    if (await (await dialogs()).changeLogLevel()) await levels.reload();
  };
  const box = useRef();
  const newest = shown?.at(-1)?.key;
  useEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [newest, follow]);
  const search = (wanted) => {
    setText(wanted);
    setUntil(undefined);
  };
  const look = (at) => {
    const last = at >= found.length;
    setUntil(last ? undefined : found[Math.max(DRAWN, at) - 1].key);
    setFollow(last);
    if (!last) box.current.scrollTop = 0;
  };
  return html`<${Page} title="Logs" lead="The latest records of this server" actions=${html`<button type="button" onClick=${changeLevel}>Log levels</button>`}>
    <div class="filters">
      <select aria-label="Least level" value=${level} onChange=${(event) => {
        setLevel(event.target.value);
        setUntil(undefined);
      }}>${LEVELS.map((one) => html`<option key=${one} value=${one}>${one} and above</option>`)}</select>
      <${Search} label="Text, artifact or message id" text=${text} onText=${search} found=${found?.length} of=${records?.length}>
        <label class="choice"><input type="checkbox" checked=${follow} onChange=${(event) => {
          setFollow(event.target.checked);
          setUntil(undefined);
        }} />Follow</label>
      <//>
    </div>
    <${OwnLevels} of=${levels} />
    ${error && !error.missing && html`<${Problem} error=${error} what="the log" again=${reload} />`}
    <${Card} flush>
      ${
        error?.missing
          ? html`<${Empty} icon="log" title="Not available: the log"><p>This server does not offer it; its log goes to standard output.</p><//>`
          : !shown
            ? html`<div class="skeleton"><i></i><i></i><i></i></div>`
            : shown.length === 0
              ? html`<${Empty} icon="log" title="No record matches" />`
              : html`<div class="log" tabindex="0" role="log" aria-label="Log records" ref=${box}>${shown.map((record) => html`<${Record} key=${record.key} record=${record} />`)}</div>
                  <${Pager} end=${end} of=${found.length} kept=${records.length >= KEPT} look=${look} />`
      }
    <//>
  <//>`;
}

/** Behind the record that was the last one; a part is whole where there are enough records. */
function endAt(found, until) {
  const end = found.findLastIndex(({ key }) => key <= until) + 1;
  return Math.min(found.length, Math.max(DRAWN, end));
}

function Pager({ end, of, kept, look }) {
  const first = Math.max(0, end - DRAWN);
  const button = (text, to, off) =>
    html`<button type="button" class="small" disabled=${off} data-turn=${text} onClick=${() => look(to)}>${text}</button>`;
  return html`<div class="pager">
    <span>${number(first + 1)}–${number(end)} of ${number(of)}${kept && ' · what the server has at hand; all of it is in its log'}</span>
    ${of > DRAWN && html`<div class="actions">${button('First', DRAWN, first === 0)}${button('Previous', first, first === 0)}${button('Next', end + DRAWN, end === of)}${button('Last', of, end === of)}</div>`}
  </div>`;
}

/** Loaded when it is wanted. */
function dialogs() {
  return import('./log-levels.js');
}

/** The artifacts whose messages are logged in more or less detail than others, loggers that go back by themselves, and when they do (OP-67). */
function OwnLevels({ of: { data, reload } }) {
  const loggers = (data?.list ?? []).filter(({ resetsAt }) => resetsAt);
  const list = [
    ...(data?.artifacts ?? []),
    ...loggers.map((one) => ({ ...one, kind: 'logger', name: one.loggerName })),
  ];
  if (list.length === 0) return null;
  const take = async (artifact) => {
    await doing(async () => (await dialogs()).takeLogLevel(artifact), `${artifact.name} is logged as all others again`);
    await reload();
  };
  return html`<ul class="own-levels" aria-label="Artifacts with a log level of their own">
    ${list.map(
      (
        one,
      ) => html`<li key=${`${one.kind}:${one.name}`}><span>${one.kind} <strong>${one.name}</strong></span> <${Tag}>${one.level}<//>
      <span class="muted">${one.resetsAt ? html`back in <${Countdown} until=${one.resetsAt} soon="a moment" over="a moment" />` : 'until it is taken away'}</span>
      ${one.kind !== 'logger' && html`<button type="button" class="small" onClick=${() => take(one)}>Take away<span class="sr"> the level of ${one.name}</span></button>`}</li>`,
    )}
  </ul>`;
}

let keys = 0;

/** What was logged before, and what comes by the stream; without one it is asked for. */
function useTail(level) {
  const [state, setState] = useState({ records: undefined, error: undefined });
  const gathered = useRef([]);
  const load = async () => {
    try {
      const { list } = await get(`logs/tail${query({ lines: KEPT, level })}`);
      gathered.current = [];
      setState({ records: list.map(keyed), error: undefined });
    } catch (error) {
      setState((before) => ({ ...before, error }));
    }
  };
  useEffect(() => {
    setState({ records: undefined, error: undefined });
    void load();
    let timer;
    let soon;
    const show = () => {
      const records = gathered.current;
      gathered.current = [];
      soon = undefined;
      setState((before) => ({ ...before, records: [...(before.records ?? []), ...records].slice(-KEPT) }));
    };
    const asked = () => {
      timer ??= setInterval(() => document.hidden || isCutOff() || load(), POLL_MS);
    };
    const received = (name, text) => {
      if (timer !== undefined || name === 'reset') void load();
      clearInterval(timer);
      timer = undefined;
      if (name !== 'log') return;
      gathered.current.push(keyed(JSON.parse(text)));
      soon ??= setTimeout(show, GATHERED_MS);
    };
    const stream = openStream({ values: { logs: level }, names: NAMES, onEvent: received, onLost: asked });
    return () => {
      stream.close();
      clearInterval(timer);
      clearTimeout(soon);
    };
  }, [level]);
  return { ...state, reload: load };
}

function keyed(record) {
  keys += 1;
  return { ...record, key: keys };
}

function textOf({ message, logger, artifact, messageId, store, processor, endpoint }) {
  return [message, logger, artifact?.name, messageId, store, processor, endpoint].join(' ');
}

function Record({ record }) {
  const { time, level, logger, message, artifact, file, line, messageId, store, processor, attempt, endpoint, status } =
    record;
  return html`<div class=${`record ${level}`}>
    <time datetime=${time}>${timeOf(time)}</time><b>${level}</b>
    <span class="record-text"><span class="record-logger">${logger}</span> ${artifact ? message.replace(/^\{[\w-]+:[^}]*\} /, '') : message}
      ${
        (artifact || messageId || processor || store) &&
        html`<span class="record-where">
          ${artifact && html`<span>${artifact.kind} ${artifact.name}</span>`}${file && html`<a href=${sourceAt(file, line)}>${fileName(file)}:${line}</a>`}
          ${processor && html`<a href=${to(['processors', processor])}>${processor}</a>`}${store && html`<a href=${to(['stores', store])}>${store}</a>`}
          ${attempt !== undefined && html`<span>attempt ${attempt}</span>`}${endpoint && html`<span>${endpoint}</span>`}${status !== undefined && html`<span>${status}</span>`}
          ${messageId && html`<a href=${to(['traces'], { id: messageId })}>${shortId(messageId)}</a>`}
        </span>`
      }
    </span>
  </div>`;
}

function timeOf(time) {
  return new Date(time).toTimeString().slice(0, 8);
}
