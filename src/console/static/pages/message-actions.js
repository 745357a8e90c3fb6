import { change, get, query, segment } from '../api.js';
import { ask } from '../components/dialog.js';
import { tell } from '../components/toast.js';
import { clock, counted, number } from '../format.js';
import { html } from '../html.js';
import { go } from '../router.js';

/**
 * What operators do with messages. Each asks first and names the number; the server does it only if it comes to the same number, so
 * nothing happens to messages that came in between.
 *
 * @typedef {{ids: string[]} | {filter: object} | {all: true}} Meant
 */

const VERBS = {
  resend: { title: 'Resend', done: 'resent' },
  move: { title: 'Move', done: 'moved' },
  delete: { title: 'Delete', done: 'deleted', danger: true },
};

/** @param {string} store @param {'resend'|'move'|'delete'} action @param {Meant} meant @returns {Promise<any>} undefined: nothing was done */
export async function actOn(store, action, meant) {
  const count = await countOf(store, meant);
  if (count === undefined) return undefined;
  if (count === 0) {
    tell('There is no message to do that with');
    return undefined;
  }
  const { title, done, danger } = VERBS[action];
  const targets = action === 'move' ? await otherStores(store) : [];
  const result = await ask({
    title: `${title} ${counted(count, 'message')}?`,
    action: (error) => `${title} ${counted(countNow(error, count), 'message')}`,
    danger,
    text: (error) =>
      html`<p>${TEXTS[action](store)}</p>${error?.body?.count !== undefined && html`<p><strong>It is ${number(error.body.count)} now.</strong></p>`}`,
    initial: { to: targets[0], force: false },
    fields: FIELDS[action]?.(targets),
    act: ({ to, force, at }, error) =>
      at
        ? change('POST', `message-stores/${segment(store)}/messages/schedule`, {
            ...meant,
            ...(force && { force }),
            at: new Date(at).toISOString(),
          })
        : change('POST', `message-stores/${segment(store)}/messages/actions`, {
            action,
            ...meant,
            ...(action === 'move' && { to }),
            ...(force && { force }),
            confirm: countNow(error, count),
          }),
  });
  report(result, done, store);
  return result;
}

/** Empties a store. @param {string} store */
export async function purge(store) {
  const count = await countOf(store, { all: true });
  if (!count) {
    if (count === 0) tell('The store is empty already');
    return undefined;
  }
  const result = await ask({
    title: `Delete all messages of ${store}?`,
    action: (error) => `Delete ${counted(countNow(error, count), 'message')}`,
    danger: true,
    expect: (error) => String(countNow(error, count)),
    text: (error) =>
      html`<p>${counted(countNow(error, count), 'message')} will be gone for good. An export keeps a copy.</p>`,
    act: (_values, error) =>
      change('DELETE', `message-stores/${segment(store)}/messages?confirm=${countNow(error, count)}`),
  });
  report(result, 'deleted');
  return result;
}

/** The server says how many there are when it was asked to do it to another number. */
function countNow(error, before) {
  return error?.body?.count ?? before;
}

const TEXTS = {
  resend: (store) =>
    `Each goes back to the store it failed in, else to the end of ${store}, and is delivered from there.`,
  move: (store) => `They leave ${store} and keep their ids, headers and history.`,
  delete: (store) => `They will be gone from ${store} for good. An export keeps a copy.`,
};

const FIELDS = {
  move: (targets) => (values, set) =>
    html`<label class="field"><span>To the store</span>
      <select value=${values.to} onChange=${(event) => set({ to: event.target.value })}>${targets.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}</select>
    </label>`,
  resend: () => (values, set) =>
    html`<label class="field"><span>When</span>
        <input type="datetime-local" value=${values.at} min=${localTime(Date.now())} aria-describedby="when-note" onInput=${(event) => set({ at: event.target.value })} /></label>
      <p class="sub" id="when-note">${values.at ? 'Those that are meant and there by then.' : 'At once. Choose a time to have it done then.'}</p>
      <label class="choice"><input type="checkbox" checked=${values.force} onChange=${(event) => set({ force: event.target.checked })} />
      Also those that were resent five times already</label>`,
};

/** As a field for local time has it. */
function localTime(time) {
  return new Date(time - new Date(time).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const PAGE = 500;
/** Pages that are counted here; of more messages the server tells the number. */
const MAX_PAGES = 20;

/** How many messages are meant; undefined when that cannot be told, which is told instead. */
async function countOf(store, meant) {
  if (meant.ids) return meant.ids.length;
  try {
    return (
      (meant.all && (await depthOf(store))) ??
      (await countedByPages(store, meant)) ??
      (await countedByServer(store, meant))
    );
  } catch (error) {
    tell(error.message, 'bad');
    return undefined;
  }
}

async function depthOf(store) {
  const { list } = await get('message-stores');
  const { depth, estimated } = list.find(({ name }) => name === store) ?? {};
  return estimated ? undefined : (depth ?? undefined);
}

async function countedByPages(store, { filter }) {
  let total = 0;
  let after = '';
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { count, next } = await get(
      `message-stores/${segment(store)}/messages${query({ limit: PAGE, after, ...filter })}`,
    );
    total += count;
    if (!next) return total;
    after = next;
  }
  return undefined;
}

/** Asked without a number, the server does nothing but say it. */
async function countedByServer(store, meant) {
  try {
    await change('POST', `message-stores/${segment(store)}/messages/actions`, { action: 'resend', ...meant });
  } catch (error) {
    if (error.body?.count !== undefined) return error.body.count;
    throw error;
  }
  return undefined;
}

async function otherStores(store) {
  const { list } = await get('message-stores').catch(() => ({ list: [] }));
  return list.map(({ name }) => name).filter((name) => name !== store);
}

function report(result, done, store) {
  if (!result) return;
  if (result.at) {
    tell(`The resend from ${store} is planned for ${clock(result.at)}`);
    go(['jobs']);
    return;
  }
  if (result.job) {
    tell(`${counted(result.job.total, 'message')} being ${done}: see the job`);
    go(['jobs']);
    return;
  }
  const failed = result.failed?.length ?? 0;
  tell(
    `${counted(result.done, 'message')} ${done}${failed ? `, ${number(failed)} not: ${result.failed[0].Error}` : ''}`,
    failed ? 'bad' : 'good',
  );
}
