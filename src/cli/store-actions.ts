import { counted } from '../logging/counted.ts';
import { parseFlags, takeArguments } from './arguments.ts';
import { type CommandIo, EXIT, UsageError } from './io.ts';
import { type FilterFlags, filterQuery, isFiltered } from './message-filter.ts';
import { type ManagementClient, RefusedError } from './remote/client.ts';
import { connect } from './remote/connect.ts';
import { interruption } from './remote/interruption.ts';
import { type FailedMessage, followJob, type Job } from './remote/jobs.ts';
import { json } from './show/json.ts';
import { confirmed } from './show/prompt.ts';
import { clock, laterTime } from './show/quantities.ts';
import { printable } from './show/terminal.ts';
import { countOf, countOfAll } from './store-pages.ts';
import { STORE_DELETE, STORE_MOVE, STORE_PURGE, STORE_RESEND } from './table/steering.ts';

/** Of how many messages that failed the reasons are told. */
const MAX_REASONS = 20;
/** How often the number of messages may have changed between the question and the answer. */
const MAX_RECOUNTS = 3;
/** Of one request. */
const MAX_IDS = 10_000;

/** What an operation answers that has ended. */
interface Result {
  readonly done: number;
  readonly count: number;
  readonly failed: readonly FailedMessage[];
  readonly failures?: number;
  readonly state?: string;
  readonly problem?: string;
}

interface ManyFlags extends FilterFlags {
  readonly all?: boolean | undefined;
  readonly rate?: string | undefined;
  readonly force?: boolean | undefined;
  readonly yes?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly 'dry-run'?: boolean | undefined;
}

/** What is done, in words and as the API wants it. */
interface Action {
  readonly verb: string;
  readonly past: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Messages that are named by id are asked about, too. */
  readonly asksAlways: boolean;
}

/** `mini-synapse store resend STORE …` (OP-61, OP-62, OP-63). */
export async function storeResend(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, STORE_RESEND.options);
  const targets = { store: values['to-store'], sequence: values['to-sequence'], endpoint: values['to-endpoint'] };
  if (Object.values(targets).filter((target) => target !== undefined).length > 1)
    throw new UsageError('only one of --to-store, --to-sequence and --to-endpoint');
  if (values.at !== undefined && values['dry-run'])
    throw new UsageError('--dry-run tells of messages that are there now; not with --at');
  if (values.at !== undefined) return await scheduled(values.at, { ...targets, force: values.force }, args, io);
  const body = { action: 'resend', ...targets, ...(values.force && { force: true }) };
  const action = { verb: 'Resend', past: 'resent', asksAlways: false, body };
  return act(action, values, messagesOf(positionals, values, STORE_RESEND), await connect(values, io), io);
}

/** A resend at a time (OP-63): of what matches, or is there, by then. */
async function scheduled(
  written: string,
  { force, ...targets }: Readonly<Record<string, string | boolean | undefined>>,
  args: string[],
  io: CommandIo,
): Promise<number> {
  const { values, positionals } = parseFlags(args, STORE_RESEND.options);
  const { store, ids } = messagesOf(positionals, values, STORE_RESEND);
  const at = laterTime(written);
  if (at === undefined)
    throw new UsageError(`--at ${written}: expected a time like 2026-01-31T12:00:00Z, or 15m, 2h, 3d from now`);
  const rate = rateOf(values.rate);
  const which = ids.length > 0 ? { ids } : values.all ? { all: true } : { filter: filterQuery(values) };
  const wishes = {
    at,
    ...targets,
    ...which,
    ...(force && { force }),
    ...(rate !== undefined && { ratePerSecond: rate }),
  };
  const client = await connect(values, io);
  const { body } = await client.send('POST', `${messagesPath(store)}/schedule`, { body: wishes });
  if (values.json) return json(body, io);
  const { id, what, nextAt } = body as { readonly id: string; readonly what: string; readonly nextAt: string };
  io.stdout.write(printable(`Resend ${id} of ${what} at ${clock(nextAt)}; 'schedule cancel ${id}' takes it back`));
  io.stdout.write('\n');
  return EXIT.fine;
}

/** `mini-synapse store move STORE … --to STORE` (OP-61). */
export async function storeMove(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, STORE_MOVE.options);
  if (values.to === undefined) throw new UsageError('--to STORE is missing: where to?');
  const action = { verb: 'Move', past: 'moved', asksAlways: false, body: { action: 'move', to: values.to } };
  return act(action, values, messagesOf(positionals, values, STORE_MOVE), await connect(values, io), io);
}

/** `mini-synapse store delete STORE …` (OP-61). */
export async function storeDelete(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, STORE_DELETE.options);
  const action = { verb: 'Delete', past: 'deleted', asksAlways: true, body: { action: 'delete' } };
  return act(action, values, messagesOf(positionals, values, STORE_DELETE), await connect(values, io), io);
}

/** `mini-synapse store purge STORE` (OP-61). */
export async function storePurge(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, STORE_PURGE.options);
  const [store] = takeArguments(positionals, ['STORE'], STORE_PURGE);
  const client = await connect(values, io);
  const path = messagesPath(store);
  const { force } = values;
  if (values['dry-run']) return wouldBe(await countOfAll(client, store, force), 'deleted', values, io);
  const ask = (confirm: number | undefined) => client.send('DELETE', path, { query: { confirm, force } });
  const first = await countOfAll(client, store, force);
  const answer = await withCount(ask, first, (count) =>
    confirmed(`Purge store ${store}: delete ${counted(count, 'message')}?`, values.yes, io),
  );
  return report(await ended(answer, client, io), 'deleted', values, io);
}

interface Meant {
  readonly store: string;
  readonly ids: readonly string[];
}

/** @throws UsageError unless ids, a filter or --all say which messages are meant */
function messagesOf(
  [store, ...ids]: readonly string[],
  flags: ManyFlags,
  command: { readonly name: string; readonly usage: string },
): Meant {
  if (store === undefined) throw new UsageError(`STORE is missing; expected: ${command.name} ${command.usage}`);
  const ways = [ids.length > 0, isFiltered(flags), flags.all === true].filter(Boolean).length;
  if (ways !== 1) {
    const hint = 'say which messages: their ids, a filter such as --cause, or --all';
    throw new UsageError(ways === 0 ? hint : `only one way to ${hint}`);
  }
  return { store, ids };
}

async function act(
  action: Action,
  flags: ManyFlags,
  meant: Meant,
  client: ManagementClient,
  io: CommandIo,
): Promise<number> {
  const { store, ids } = meant;
  const { verb, asksAlways } = action;
  if (flags['dry-run']) return wouldBe(await countMeant(meant, flags, client), action.past, flags, io);
  const question = (count: number) =>
    confirmed(`${verb} ${counted(count, 'message')} of store ${store}?`, flags.yes, io);
  if (ids.length > 0 && asksAlways) await question(ids.length);
  const [id] = ids;
  if (ids.length === 1 && id !== undefined) return one(action, { store, id }, flags, client, io);
  const rate = rateOf(flags.rate);
  const which = ids.length > 0 ? { ids } : flags.all ? { all: true } : { filter: filterQuery(flags) };
  const body = { ...action.body, ...which, ...(rate !== undefined && { ratePerSecond: rate }) };
  const ask = (confirm: number | undefined) =>
    client.send('POST', `${messagesPath(store)}/actions`, {
      query: { force: flags.force },
      body: { ...body, ...(confirm !== undefined && { confirm }) },
    });
  if (ids.length > 0) return report(await ended(await ask(undefined), client, io), action.past, flags, io);
  const first = await countMeant(meant, flags, client);
  const answer = await withCount(ask, first, question);
  return report(await ended(answer, client, io), action.past, flags, io);
}

/** By looking only: nothing is changed. Undefined where only the server can tell. */
async function countMeant(
  { store, ids }: Meant,
  flags: ManyFlags,
  client: ManagementClient,
): Promise<number | undefined> {
  const { force } = flags;
  if (ids.length === 0)
    return flags.all ? countOfAll(client, store, force) : countOf(client, store, { ...filterQuery(flags), force });
  // A store that is not there is no store without these messages.
  await client.get('/management/message-stores', { name: store });
  let count = 0;
  for (const id of new Set(ids)) {
    try {
      await client.get(`${messagesPath(store)}/${encodeURIComponent(id)}`, { force });
      count += 1;
    } catch (error) {
      if (!(error instanceof RefusedError) || error.status !== 404) throw error;
    }
  }
  return count;
}

/** What `--dry-run` tells. */
function wouldBe(count: number | undefined, past: string, { json: asJson }: ManyFlags, io: CommandIo): number {
  if (asJson) return json({ dryRun: true, count: count ?? null }, io);
  const how = count === undefined ? 'An unknown number of messages' : counted(count, 'message');
  io.stdout.write(`${how} would be ${past}\n`);
  return EXIT.fine;
}

interface Named {
  readonly store: string;
  readonly ids: readonly string[];
  /** What they have in common, for the question. */
  readonly about: string;
}

/** Sends these messages to the store they failed in again, as many at a time as the API takes; asks first. */
export async function resendMessages(
  { store, ids, about }: Named,
  flags: Pick<ManyFlags, 'rate' | 'force' | 'yes' | 'json'>,
  client: ManagementClient,
  io: CommandIo,
): Promise<number> {
  const rate = rateOf(flags.rate);
  if (ids.length > 0)
    await confirmed(`Resend ${counted(ids.length, 'message')} of store ${store} (${about})?`, flags.yes, io);
  const results: Result[] = [];
  for (let from = 0; from < ids.length; from += MAX_IDS) {
    const body = {
      action: 'resend',
      ids: ids.slice(from, from + MAX_IDS),
      ...(flags.force && { force: true }),
      ...(rate !== undefined && { ratePerSecond: rate }),
    };
    const query = { force: flags.force };
    const result = await ended(
      await client.send('POST', `${messagesPath(store)}/actions`, { query, body }),
      client,
      io,
    );
    results.push(result);
    if (result.state === 'cancelled') break;
  }
  return report(together(results), 'resent', flags, io);
}

function together(results: readonly Result[]): Result {
  const sum = (number: (result: Result) => number) => results.reduce((total, result) => total + number(result), 0);
  const problem = results.find((result) => result.problem !== undefined)?.problem;
  return {
    done: sum(({ done }) => done),
    count: sum(({ count }) => count),
    failed: results.flatMap(({ failed }) => failed),
    failures: sum(({ failed, failures = failed.length }) => failures),
    state: results.find(({ state = 'done' }) => state !== 'done')?.state ?? 'done',
    ...(problem !== undefined && { problem }),
  };
}

async function one(
  { body: { action, ...more }, past }: Action,
  { store, id }: { readonly store: string; readonly id: string },
  flags: ManyFlags,
  client: ManagementClient,
  io: CommandIo,
): Promise<number> {
  const path = `${messagesPath(store)}/${encodeURIComponent(id)}`;
  const query = { force: flags.force };
  const asking = action === 'delete' ? { query } : { query, body: more };
  const { body } = await client.send(
    action === 'delete' ? 'DELETE' : 'POST',
    action === 'delete' ? path : `${path}/${action}`,
    asking,
  );
  return report(body as Result, past, flags, io);
}

/**
 * Has the number of messages confirmed, and does it; anew when the number is another one meanwhile.
 * @param first as it was counted by looking: what the server refuses for its number is an entry in its audit log
 */
async function withCount(
  ask: (confirm: number | undefined) => Promise<{ body: unknown }>,
  first: number | undefined,
  question: (count: number) => Promise<void>,
): Promise<{ body: unknown }> {
  let count = first;
  // Nothing to ask about.
  if (count !== undefined && count > 0) await question(count);
  for (let tries = 0; ; tries += 1) {
    try {
      return await ask(count);
    } catch (error) {
      if (!(error instanceof RefusedError) || tries >= MAX_RECOUNTS) throw error;
      const real = error.body.count;
      if (typeof real !== 'number') throw error;
      if (real > 0) await question(real);
      count = real;
    }
  }
}

/** The result, when need be of a job that is followed to its end. */
async function ended({ body }: { body: unknown }, client: ManagementClient, io: CommandIo): Promise<Result> {
  const { job } = body as { readonly job?: Job };
  if (!job) return body as Result;
  const interrupted = interruption();
  try {
    const { done, total, failed, errors, state, problem } = await followJob(client, job, io, interrupted.signal);
    return { done, count: total, failed: errors, failures: failed, state, ...(problem !== undefined && { problem }) };
  } finally {
    interrupted.close();
  }
}

function report(result: Result, past: string, flags: { readonly json?: boolean | undefined }, io: CommandIo): number {
  const { done, count, failed, failures = failed.length, state = 'done', problem } = result;
  const code = failures === 0 && state === 'done' ? EXIT.fine : EXIT.wrong;
  if (flags.json) {
    json(result, io);
    return code;
  }
  const ended = state === 'done' ? '' : `, ${state}`;
  io.stdout.write(`${done === count ? '' : `${done} of `}${counted(count, 'message')} ${past}${ended}\n`);
  if (problem !== undefined) io.stderr.write(`${printable(problem)}\n`);
  for (const { id, Error: reason } of failed.slice(0, MAX_REASONS))
    io.stderr.write(`${printable(`${id}: ${reason}`)}\n`);
  if (failures > Math.min(failed.length, MAX_REASONS))
    io.stderr.write(`and ${failures - Math.min(failed.length, MAX_REASONS)} more failed\n`);
  return code;
}

export function messagesPath(store: string): string {
  return `/management/message-stores/${encodeURIComponent(store)}/messages`;
}

/** @throws UsageError */
export function rateOf(written: string | undefined): number | undefined {
  if (written === undefined) return undefined;
  const rate = Number(written);
  if (written.trim() !== '' && rate > 0 && rate <= 100_000) return rate;
  throw new UsageError(`--rate ${written}: expected a number of messages a second, up to 100000`);
}
