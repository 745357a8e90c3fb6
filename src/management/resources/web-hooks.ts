import { testAlert } from '../../alerts/alerts.ts';
import type { HookOutcome, WebHook } from '../../alerts/web-hook.ts';
import { listing, listOf } from '../list.ts';
import { ERROR, notFound } from '../management-error.ts';
import { resource } from '../resource.ts';
import { COUNT, INTEGER, object, TEXT, TEXTS, TIME } from '../schemas.ts';

const TAG = 'alerts';
const OUTCOME = object(
  { result: { enum: ['delivered', 'retry', 'failed'] }, time: TIME, event: TEXT, text: TEXT, attempt: COUNT },
  { status: INTEGER, problem: TEXT },
);

const HOOK = object(
  {
    name: TEXT,
    url: { ...TEXT, description: 'Without its path, which may be a secret' },
    events: TEXTS,
    delivered: COUNT,
    failed: COUNT,
    dropped: COUNT,
    attempts: COUNT,
    waiting: COUNT,
  },
  { header: TEXT, last: OUTCOME },
);

/** `GET /management/web-hooks`: who is told of alerts, and what came of it (OP-24). */
export const readWebHooks = resource({
  method: 'GET',
  path: '/management/web-hooks',
  role: 'viewer',
  summary: 'The configured web hooks with their counts and the last outcome',
  tag: TAG,
  answers: { 200: listOf(HOOK) },
  answer: (_request, server) => ({ status: 200, body: listing(server.alerts.hooks.map(viewOf)) }),
});

/** `POST /management/web-hooks/{name}/test`: calls a hook once, now. */
export const tryWebHook = resource({
  method: 'POST',
  path: '/management/web-hooks/{name}/test',
  role: 'operator',
  summary: 'Calls a web hook with a test alert; the answer says what came of it',
  tag: TAG,
  answers: { 200: OUTCOME, 404: ERROR },
  async answer({ parameters: { name }, audit }, server) {
    audit({ type: 'web_hook', action: 'tested', name });
    const { hooks } = server.alerts;
    const hook = hooks.find(({ settings }) => settings.name === name);
    const known = hooks.map(({ settings }) => settings.name);
    if (!hook) throw notFound(`There is no web hook '${name}'`, name, known);
    const outcome = await hook.try(testAlert());
    audit({ detail: outcome.problem ?? 'delivered' });
    return { status: 200, body: outcomeOf(outcome) };
  },
});

function viewOf({ settings, place, counts, waiting, last }: WebHook) {
  const { name, kinds, header } = settings;
  return {
    name,
    url: place,
    events: kinds,
    ...(header && { header: header.name }),
    ...counts,
    waiting,
    ...(last && { last: outcomeOf(last) }),
  };
}

function outcomeOf({ result, time, kind, text, attempt, status, problem }: HookOutcome) {
  return {
    result,
    time: new Date(time).toISOString(),
    event: kind,
    text,
    attempt,
    ...(status !== undefined && { status }),
    ...(problem !== undefined && { problem }),
  };
}
