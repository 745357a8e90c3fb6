import { change, get } from '../api.js';
import { ask } from '../components/dialog.js';
import { tell } from '../components/toast.js';
import { html } from '../html.js';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'];
/** What takes the level of an artifact away again. */
const DEFAULT = 'default';
const LOGGER = 'logger';
const SEPARATOR = ':';
/** The kinds of artifacts whose names stand in log lines, as headings say them. */
const KINDS = {
  proxy: 'Proxies',
  api: 'APIs',
  inboundEndpoint: 'Inbound endpoints',
  messageStore: 'Stores',
  messageProcessor: 'Processors',
};

/**
 * Changes how much is logged: of a logger, or of the messages of one artifact (OP-67).
 * @param {{kind: string, name: string}} [artifact] what is chosen at first
 * @returns {Promise<boolean>} whether it was done
 */
export async function changeLogLevel(artifact) {
  const [loggers, artifacts] = await Promise.all([
    get('logging').catch(() => ({ list: [{ loggerName: 'rootLogger', level: 'INFO' }] })),
    get('artifacts').catch(() => ({ list: [] })),
  ]);
  const own = new Map((loggers.artifacts ?? []).map((one) => [keyOf(one), one.level]));
  const known = [...artifacts.list, ...(loggers.artifacts ?? []), ...(artifact ? [artifact] : [])];
  const groups = Map.groupBy([...new Map(known.map((one) => [keyOf(one), one])).values()], ({ kind }) => kind);
  const result = await ask({
    title: 'Change a log level',
    action: 'Change',
    text: html`<p>It takes effect at once, can go back by itself, and is forgotten when the server ends.</p>`,
    initial: {
      of: artifact ? keyOf(artifact) : `${LOGGER}${SEPARATOR}${loggers.list[0]?.loggerName}`,
      level: 'debug',
      minutes: '10',
    },
    fields: (values, set) => html`
      <label class="field"><span>Of</span><select value=${values.of} onChange=${(event) => set({ of: event.target.value, ...(values.level === DEFAULT && { level: 'debug' }) })}>
        <optgroup label="Loggers">${loggers.list.map(({ loggerName, level }) => html`<option key=${loggerName} value=${`${LOGGER}${SEPARATOR}${loggerName}`}>${loggerName} (${level})</option>`)}</optgroup>
        ${Object.entries(KINDS).map(([kind, title]) => groups.has(kind) && html`<optgroup key=${kind} label=${title}>${groups.get(kind).map((one) => html`<option key=${keyOf(one)} value=${keyOf(one)}>${one.name}${own.has(keyOf(one)) ? ` (${own.get(keyOf(one))})` : ''}</option>`)}</optgroup>`)}
      </select></label>
      <label class="field"><span>Level</span><select value=${values.level} onChange=${(event) => set({ level: event.target.value })}>
        ${LEVELS.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}
        ${own.has(values.of) && html`<option value=${DEFAULT}>that of the loggers again</option>`}
      </select></label>
      ${values.level !== DEFAULT && html`<label class="field"><span>Back after minutes (empty: it stays)</span><input type="number" min="1" max="1440" value=${values.minutes} onInput=${(event) => set({ minutes: event.target.value })} /></label>`}`,
    act: ({ of, level, minutes }) =>
      change('PATCH', 'logging', {
        ...meant(of),
        loggingLevel: level,
        ...(minutes && level !== DEFAULT && { resetAfterMs: Number(minutes) * 60_000 }),
      }),
  });
  if (result) tell('The log level is changed');
  return result !== undefined;
}

/** Gives the lines of an artifact back to the loggers. @param {{kind: string, name: string}} artifact */
export function takeLogLevel({ kind, name }) {
  return change('PATCH', 'logging', { artifact: { kind, name }, loggingLevel: DEFAULT });
}

function keyOf({ kind, name }) {
  return `${kind}${SEPARATOR}${name}`;
}

function meant(of) {
  const at = of.indexOf(SEPARATOR);
  const [kind, name] = [of.slice(0, at), of.slice(at + 1)];
  return kind === LOGGER ? { loggerName: name } : { artifact: { kind, name } };
}
