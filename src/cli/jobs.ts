import { parseFlags, takeArguments } from './arguments.ts';
import { type CommandIo, EXIT } from './io.ts';
import { connect } from './remote/connect.ts';
import { followJob, type Job } from './remote/jobs.ts';
import { json } from './show/json.ts';
import { printable } from './show/terminal.ts';
import { JOB_CANCEL, JOB_WAIT, SCHEDULE_CANCEL } from './table/steering.ts';

/** `mini-synapse job wait ID`; Ctrl-C ends the waiting, not the job. */
export async function jobWait(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, JOB_WAIT.options);
  const [id] = takeArguments(positionals, ['ID'], JOB_WAIT);
  const client = await connect(values, io);
  const job = await client.get<Job>(pathOf(id));
  // Whoever watches has not begun it.
  return report(await followJob(client, job, io, new AbortController().signal), values, io);
}

/** `mini-synapse job cancel ID`. */
export async function jobCancel(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, JOB_CANCEL.options);
  const [id] = takeArguments(positionals, ['ID'], JOB_CANCEL);
  const client = await connect(values, io);
  const { body } = await client.send('DELETE', pathOf(id));
  const job = await followJob(client, body as Job, io, new AbortController().signal);
  if (values.json) return json(job, io);
  io.stdout.write(`${textOf(job)}\n`);
  return EXIT.fine;
}

/** `mini-synapse schedule cancel ID` (OP-63). */
export async function scheduleCancel(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, SCHEDULE_CANCEL.options);
  const [id] = takeArguments(positionals, ['ID'], SCHEDULE_CANCEL);
  const client = await connect(values, io);
  const { body } = await client.send('DELETE', `/management/scheduled-resends/${encodeURIComponent(id)}`);
  if (values.json) return json(body, io);
  io.stdout.write(`${printable(`Resend ${id}: ${(body as { readonly state: string }).state}`)}\n`);
  return EXIT.fine;
}

function pathOf(id: string): string {
  return `/management/jobs/${encodeURIComponent(id)}`;
}

function report(job: Job, flags: { readonly json?: boolean | undefined }, io: CommandIo): number {
  const code = job.state === 'done' && job.failed === 0 ? EXIT.fine : EXIT.wrong;
  if (flags.json) json(job, io);
  else io.stdout.write(`${textOf(job)}\n`);
  return code;
}

function textOf({ id, action, store, done, total, failed, state, problem }: Job): string {
  const wrong = failed > 0 ? `, ${failed} failed` : '';
  return printable(
    `Job ${id} (${action} in ${store}): ${state}, ${done} of ${total}${wrong}${problem ? `: ${problem}` : ''}`,
  );
}
