import { useEffect, useRef, useState } from 'preact/hooks';
import { get, query } from '../api.js';
import { Card, Empty, Page, Problem } from '../components/page.js';
import { Tag } from '../components/state.js';
import { doing } from '../components/toast.js';
import { fileName, shortId } from '../format.js';
import { useResource, useSettled } from '../hooks.js';
import { html } from '../html.js';
import { isCutOff } from '../live.js';
import { sourceAt, to } from '../router.js';
import { openStream } from '../stream.js';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'];
const LINES = 300;
const KEPT = 1000;
const POLL_MS = 2000;
/** Of a stream with log lines; others are of no use here, but tell that it lives. */
const NAMES = ['log', 'ping', 'overview'];
const LEVELS_EVERY_MS = 10_000;

/** The end of the log, as it grows. */
export default function Logs() {
  const [level, setLevel] = useState('info');
  const [text, setText] = useState('');
  const [follow, setFollow] = useState(true);
  const settled = useSettled(text);
  const { records, error, reload } = useTail(level);
  const shown = records?.filter((record) => matches(record, settled.trim().toLowerCase()));
  const levels = useResource('logging', { events: ['audit'], every: LEVELS_EVERY_MS });
  const changeLevel = async () => {
    if (await (await dialogs()).changeLogLevel()) await levels.reload();
  };
  const end = useRef();
  useEffect(() => {
    const box = end.current?.parentElement;
    if (follow && box) box.scrollTop = box.scrollHeight;
  }, [shown?.length, follow]);
  return html`<${Page} title="Logs" lead="The latest records of this server" actions=${html`<button type="button" onClick=${changeLevel}>Log levels</button>`}>
    <form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
      <select aria-label="Least level" value=${level} onChange=${(event) => setLevel(event.target.value)}>${LEVELS.map((one) => html`<option key=${one} value=${one}>${one} and above</option>`)}</select>
      <input type="search" placeholder="Text, artifact or message id" aria-label="Text, artifact or message id" value=${text} onInput=${(event) => setText(event.target.value)} />
      <label class="choice"><input type="checkbox" checked=${follow} onChange=${(event) => setFollow(event.target.checked)} />Follow</label>
    </form>
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
              : html`<div class="log" tabindex="0" role="log" aria-label="Log records">${shown.map((record) => html`<${Record} key=${record.key} record=${record} />`)}<span ref=${end}></span></div>`
      }
    <//>
  <//>`;
}

/** Loaded when it is wanted. */
function dialogs() {
  return import('./log-levels.js');
}

/** The artifacts whose messages are logged in more or less detail than others. */
function OwnLevels({ of: { data, reload } }) {
  const list = data?.artifacts ?? [];
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
      <button type="button" class="small" onClick=${() => take(one)}>Take away<span class="sr"> the level of ${one.name}</span></button></li>`,
    )}
  </ul>`;
}

let keys = 0;

/** What was logged before, and what comes by the stream; without one it is asked for. */
function useTail(level) {
  const [state, setState] = useState({ records: undefined, error: undefined });
  const load = async () => {
    try {
      const { list } = await get(`logs/tail${query({ lines: LINES, level })}`);
      setState({ records: list.map(keyed), error: undefined });
    } catch (error) {
      setState((before) => ({ ...before, error }));
    }
  };
  useEffect(() => {
    setState({ records: undefined, error: undefined });
    void load();
    let timer;
    const asked = () => {
      timer ??= setInterval(() => document.hidden || isCutOff() || load(), POLL_MS);
    };
    const received = (name, text) => {
      if (timer !== undefined) void load();
      clearInterval(timer);
      timer = undefined;
      if (name !== 'log') return;
      const record = keyed(JSON.parse(text));
      setState((before) => ({ ...before, records: [...(before.records ?? []), record].slice(-KEPT) }));
    };
    const stream = openStream({ values: { logs: level }, names: NAMES, onEvent: received, onLost: asked });
    return () => {
      stream.close();
      clearInterval(timer);
    };
  }, [level]);
  return { ...state, reload: load };
}

function keyed(record) {
  keys += 1;
  return { ...record, key: keys };
}

function matches({ message, logger, artifact, messageId, store, processor }, wanted) {
  return [message, logger, artifact?.name, messageId, store, processor].join(' ').toLowerCase().includes(wanted);
}

function Record({ record }) {
  const { time, level, logger, message, artifact, file, line, messageId, store, processor, attempt, endpoint, status } =
    record;
  return html`<div class=${`record ${level}`}>
    <time datetime=${time}>${timeOf(time)}</time><b>${level}</b>
    <span class="record-text"><span class="record-logger">${logger}</span> ${message}
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
