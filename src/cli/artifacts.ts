import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { formatDiagnostic } from '../grammar/diagnostic.ts';
import { parseFlags, takeArguments } from './arguments.ts';
import { type CommandIo, EXIT, UsageError } from './io.ts';
import { type ManagementClient, RefusedError } from './remote/client.ts';
import { connect } from './remote/connect.ts';
import { json } from './show/json.ts';
import { confirmed } from './show/prompt.ts';
import { printable } from './show/terminal.ts';
import { ARTIFACT_DEPLOY, ARTIFACT_SHOW, ARTIFACT_UNDEPLOY, ARTIFACT_VALIDATE } from './table/artifacts.ts';

/** A problem as the management API shows it. */
interface Problem {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly line: number;
  readonly column: number;
  readonly frame: string;
  readonly expected?: string;
  readonly didYouMean?: string;
  readonly at?: string;
}

interface Checked {
  readonly valid: boolean;
  readonly problems: readonly Problem[];
}

/** What became of one file. */
interface Outcome {
  readonly file: string;
  readonly state: string;
  readonly fine: boolean;
  readonly problems: readonly Problem[];
  readonly reason?: string;
}

/** `mini-synapse artifact show FILE` (OP-35). */
export async function artifactShow(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, ARTIFACT_SHOW.options);
  const [file] = takeArguments(positionals, ['FILE'], ARTIFACT_SHOW);
  const client = await connect(values, io);
  const source = await client.get<{ readonly text: string; readonly problems: readonly Problem[] }>(
    '/management/artifacts/source',
    { file },
  );
  if (values.json) return json(source, io);
  io.stdout.write(printable(source.text, 'lines').replace(/\n?$/, '\n'));
  io.stderr.write(problemsText(file, source.problems));
  return EXIT.fine;
}

/** `mini-synapse artifact validate FILE...` (OP-35): 1 when one of them is not valid. */
export async function artifactValidate(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, ARTIFACT_VALIDATE.options);
  const files = filesOf(positionals, values.as, ARTIFACT_VALIDATE);
  const client = await connect(values, io);
  return await forEachFile(files, values, io, async ({ path, bytes }) => {
    if (isApplication(path) || isConnector(path))
      throw new UsageError(`'${path}' is an archive: mini-synapse check looks into it`);
    const { body } = await client.send('POST', '/management/artifacts/validate', {
      query: { file: path },
      headers: XML,
      body: bytes,
    });
    const { valid, problems } = body as Checked;
    return { file: path, state: valid ? 'valid' : 'not valid', fine: valid, problems };
  });
}

/** `mini-synapse artifact deploy FILE...`: waits until what is uploaded is served. */
export async function artifactDeploy(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, ARTIFACT_DEPLOY.options);
  const files = filesOf(positionals, values.as, ARTIFACT_DEPLOY);
  if (values.as !== undefined && isApplication(positionals[0] ?? ''))
    throw new UsageError('--as is of .xml and .zip files; applications have their names');
  const client = await connect(values, io);
  return await forEachFile(files, values, io, async ({ path, bytes }) => {
    try {
      return isApplication(path) ? await deployApplication(client, path, bytes) : await deployFile(client, path, bytes);
    } catch (error) {
      if (!(error instanceof RefusedError) || error.status !== 400) throw error;
      const problems = Array.isArray(error.body.problems) ? (error.body.problems as readonly Problem[]) : [];
      return { file: path, state: 'refused', fine: false, problems, reason: error.message };
    }
  });
}

async function deployFile(client: ManagementClient, path: string, bytes: Uint8Array): Promise<Outcome> {
  const headers = isConnector(path) ? ZIP : XML;
  const { body } = await client.send('PUT', filePath(path), { headers, body: bytes });
  const { state, problems } = body as Checked & { readonly state: string };
  return { file: path, state, fine: state !== 'faulty', problems };
}

async function deployApplication(client: ManagementClient, name: string, bytes: Uint8Array): Promise<Outcome> {
  const form = new FormData();
  form.append('file', new Blob([Buffer.from(bytes)]), name);
  const encoded = new Response(form);
  const headers = { 'Content-Type': encoded.headers.get('Content-Type') ?? '' };
  await client.send('POST', '/management/applications', { headers, body: new Uint8Array(await encoded.arrayBuffer()) });
  return { file: name, state: 'uploaded', fine: true, problems: [] };
}

/** `mini-synapse artifact undeploy FILE.xml|FILE.zip|APPLICATION...`. */
export async function artifactUndeploy(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, ARTIFACT_UNDEPLOY.options);
  if (positionals.length === 0) throw missing(ARTIFACT_UNDEPLOY);
  const client = await connect(values, io);
  await confirmed(`Undeploy ${positionals.join(', ')}?`, values.yes, io);
  const answers: unknown[] = [];
  for (const name of positionals) {
    const application = name.replace(/\.car$/i, '');
    const isFile = /\.xml$/i.test(name) || isConnector(name);
    const path = isFile ? filePath(name) : `/management/applications/${encodeURIComponent(application)}`;
    const { body } = await client.send('DELETE', path);
    answers.push(body);
    const { state, Message } = body as { readonly state?: string; readonly Message?: string };
    if (!values.json) io.stdout.write(`${printable(Message ?? `${name}: ${state ?? 'removed'}`)}\n`);
  }
  return values.json ? json(answers.length === 1 ? answers[0] : answers, io) : EXIT.fine;
}

const XML = { 'Content-Type': 'application/xml' } as const;
const ZIP = { 'Content-Type': 'application/zip' } as const;

interface Upload {
  /** Where it is read. */
  readonly from: string;
  /** Where it would stand in the artifact folder. */
  readonly path: string;
}

/** @throws UsageError */
function filesOf(
  files: readonly string[],
  as: string | undefined,
  command: { readonly name: string; readonly usage: string },
): readonly Upload[] {
  if (files.length === 0) throw missing(command);
  if (as !== undefined && files.length > 1) throw new UsageError('--as is for one file');
  return files.map((from) => ({ from, path: as ?? basename(from) }));
}

/** One after the other; tells what became of each. Exit code 1 when one of them is not fine. */
async function forEachFile(
  files: readonly Upload[],
  flags: { readonly json?: boolean | undefined },
  io: CommandIo,
  treat: (file: { readonly path: string; readonly bytes: Uint8Array }) => Promise<Outcome>,
): Promise<number> {
  const outcomes: Outcome[] = [];
  for (const { from, path } of files) {
    const bytes = await readFile(from).catch((cause: Error) => {
      throw new UsageError(`${from} cannot be read: ${cause.message}`, { cause });
    });
    const outcome = await treat({ path, bytes });
    outcomes.push(outcome);
    if (flags.json) continue;
    const { state, problems, reason } = outcome;
    io.stderr.write(problemsText(path, problems));
    io.stdout.write(
      `${printable(`${path}: ${state}`)}${reason === undefined ? '' : `: ${printable(reason, 'lines')}`}\n`,
    );
  }
  if (flags.json) json({ count: outcomes.length, list: outcomes }, io);
  return outcomes.every(({ fine }) => fine) ? EXIT.fine : EXIT.wrong;
}

function problemsText(file: string, problems: readonly Problem[]): string {
  const texts = problems.map(({ severity, message, line, column, frame, expected, didYouMean, at }) => {
    const diagnostic = { severity, message, position: { file, line, column } };
    const more = {
      ...(at !== undefined && { path: at }),
      ...(expected !== undefined && { expected }),
      ...(didYouMean !== undefined && { nearest: didYouMean }),
    };
    return `${formatDiagnostic({ ...diagnostic, ...more })}\n${frame === '' ? '' : `${frame}\n`}\n`;
  });
  return printable(texts.join(''), 'lines');
}

function filePath(path: string): string {
  return `/management/artifacts/files/${path.split('/').map(encodeURIComponent).join('/')}`;
}

function isConnector(path: string): boolean {
  return /\.zip$/i.test(path);
}

function isApplication(path: string): boolean {
  return /\.car$/i.test(path);
}

function missing({ name, usage }: { readonly name: string; readonly usage: string }): UsageError {
  return new UsageError(`${usage.split(/[.|]/, 1)[0]} is missing; expected: ${name} ${usage}`);
}
