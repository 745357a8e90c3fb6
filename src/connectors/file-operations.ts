import { mkdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { decoded, encoded } from '../expressions/charsets.ts';
import type { Payload } from '../message/payload.ts';
import { serializeXml } from '../xml/index.ts';
import { allowedPath } from './file-access.ts';
import { asFileFault, fileFault, type ResultEntry, setContent, setResult, typeOfExtension } from './file-results.ts';
import { appendTo, copyTo, listFiles, moveTo, nameFilter, readWhole, statIfThere, writeWhole } from './files.ts';
import { type ConnectorOperation, isTrue, type OperationCall } from './operation.ts';

/*
 * The operations of WSO2's file connector, for files in the folders that the configuration allows: those of today (`file.*`), and those of
 * its first versions (`fileconnector.*`), which name their parameters and results otherwise.
 */

/** How long an operation may take, ms: a network drive may not answer. */
const DEADLINE_MS = 60_000;

type Run = (files: FileCall) => Promise<void>;

/** An operation's parameters with their paths checked. */
class FileCall {
  readonly message: OperationCall['message'];
  readonly #call: OperationCall;

  constructor(call: OperationCall) {
    this.#call = call;
    this.message = call.message;
  }

  text(...names: readonly string[]): string | undefined {
    for (const name of names) {
      const text = this.#call.text(name);
      if (text !== undefined) return text;
    }
    return undefined;
  }

  flag(name: string, fallback = false): boolean {
    const text = this.#call.text(name);
    return text === undefined ? fallback : isTrue(text);
  }

  /** @throws MediationError when it is missing or not allowed */
  async path(...names: readonly string[]): Promise<string> {
    const written = this.text(...names);
    if (written === undefined) throw fileFault('invalidConfiguration', `the parameter '${names[0]}' is required`);
    return this.allowed(written);
  }

  allowed(path: string): Promise<string> {
    return allowedPath(
      path,
      this.message.configuration.services.fileFolders,
      this.#call.connection?.text('workingDir'),
    );
  }

  done(...more: readonly ResultEntry[]): void {
    setResult(this.message, `${this.#call.operation}Result`, [['success', 'true'], ...more]);
  }

  /** As the first versions answer. */
  result(name: string, value: boolean | readonly ResultEntry[]): void {
    setResult(this.message, 'result', typeof value === 'boolean' ? [[name, String(value)]] : value);
  }
}

function operation(parameters: readonly string[], run: Run): ConnectorOperation {
  return {
    parameters,
    async run(call) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        const text = `file.${call.operation} has not ended within ${DEADLINE_MS / 1000} s`;
        timer = setTimeout(() => reject(fileFault('operation', text)), DEADLINE_MS);
      });
      try {
        await Promise.race([run(new FileCall(call)), late]);
      } catch (error) {
        throw asFileFault(call.operation, error);
      } finally {
        clearTimeout(timer);
      }
      return true;
    },
  };
}

async function write(files: FileCall): Promise<void> {
  const path = await files.path('filePath');
  if (isTrue(files.text('compress'))) throw fileFault('invalidConfiguration', 'compress is not supported');
  const bytes = contentOf(files);
  if (files.flag('createParentDirectories', true)) await mkdir(dirname(path), { recursive: true });
  const mode = (files.text('writeMode') ?? 'Overwrite').toLowerCase();
  const ending = files.flag('appendNewLine') ? encoded('\n', files.text('encoding')) : Buffer.alloc(0);
  const all = Buffer.concat([bytes, ending]);
  if (mode === 'append') await appendTo(path, all);
  else await writeWhole(path, all, { overwrite: mode !== 'create new' });
  files.done(['writtenBytes', String(all.length)]);
}

/** What is said to be written; without it, the payload. */
function contentOf(files: FileCall): Buffer {
  const text = files.text('contentOrExpression', 'content', 'inputContent');
  if (text !== undefined) return encoded(text, files.text('encoding'));
  return payloadBytes(files.message.payload);
}

/** The payload without its envelope, in its own format. */
function payloadBytes(payload: Payload): Buffer {
  const original = payload.plain || payload.format !== 'soap11' ? payload.originalBytes() : undefined;
  if (original && payload.contentEncoding === undefined) return Buffer.from(original);
  const text = payload.json() ?? payload.text();
  if (text !== undefined) return Buffer.from(text);
  const bytes = payload.binary();
  if (bytes) return Buffer.from(bytes);
  const child = payload.firstBodyChild();
  return Buffer.from(child ? serializeXml(child) : '');
}

async function read(files: FileCall): Promise<void> {
  const path = await fileToRead(await files.path('path', 'source'), files.text('filePattern'));
  const bytes = selectedLines(await readWhole(path), files);
  const encoding = files.text('encoding');
  const property = files.text('resultPropertyName');
  if (property !== undefined && /property/i.test(files.text('includeResultTo') ?? '')) {
    files.message.properties.set(property, decoded(bytes, encoding));
    return;
  }
  const type = files.text('contentType') ?? typeOfExtension(extname(path));
  const charset = encoding === undefined || /charset/i.test(type) ? '' : `; charset=${encoding}`;
  setContent(files.message, bytes, type + charset);
}

async function fileToRead(path: string, pattern: string | undefined): Promise<string> {
  if (!(await stat(path)).isDirectory()) return path;
  const [first] = await listFiles(path, nameFilter(pattern), { recursive: false });
  if (first === undefined) throw fileFault('illegalPath', `there is no file to read in '${path}'`);
  return first;
}

/** Of the modes that read lines, the lines; else all. */
function selectedLines(bytes: Buffer, files: FileCall): Buffer {
  const mode = files.text('readMode')?.toLowerCase();
  if (mode === undefined || mode === 'complete file') return bytes;
  const charset = files.text('encoding');
  const lines = decoded(bytes, charset).split(/\r\n|\n|\r/);
  const number = (name: string, fallback: number) => Number(files.text(name) ?? fallback);
  const from = number('startLineNum', 1);
  const to = number('endLineNum', lines.length);
  const line = number('lineNum', 1);
  const ranges: Readonly<Record<string, readonly [number, number]>> = {
    'starting from line': [from, lines.length],
    'up to line': [1, to],
    'between lines': [from, to],
    'specific line': [line, line],
  };
  const range = ranges[mode];
  if (!range?.every((end) => Number.isInteger(end) && end > 0)) {
    throw fileFault('invalidConfiguration', `readMode '${mode}' with these lines is not supported`);
  }
  return encoded(lines.slice(range[0] - 1, range[1]).join('\n'), charset);
}

/** One file or folder, or the files of a folder that match, into a folder. */
async function transfer(files: FileCall, how: typeof copyTo): Promise<number> {
  const source = await files.path('sourcePath', 'source');
  const target = await files.path('targetPath', 'destination');
  const pattern = files.text('sourceFilePattern', 'filePattern');
  // The first versions have always overwritten.
  const options = { overwrite: files.flag('overwrite', files.text('destination') !== undefined) };
  const isFolder = (await stat(source)).isDirectory();
  if (!isFolder) {
    const to = await files.allowed(join(target, basename(files.text('renameTo') ?? source)));
    await how(source, to, options);
    return 1;
  }
  if (pattern === undefined) {
    const withParent = files.flag('includeParent') || files.flag('includeParentDirectory');
    const name = files.text('renameTo') ?? (withParent ? basename(source) : undefined);
    await how(source, await files.allowed(name === undefined ? target : join(target, basename(name))), options);
    return 1;
  }
  const matching = await listFiles(source, nameFilter(pattern), { recursive: true });
  for (const path of matching) await how(path, await files.allowed(join(target, basename(path))), options);
  return matching.length;
}

async function remove(files: FileCall): Promise<number> {
  const path = await files.path('path', 'source');
  const pattern = files.text('matchingPattern', 'filePattern');
  const isFolder = (await stat(path)).isDirectory();
  if (pattern === undefined || !isFolder) {
    await rm(path, { recursive: true });
    return 1;
  }
  const matching = await listFiles(path, nameFilter(pattern), { recursive: false });
  for (const file of matching) await rm(file);
  return matching.length;
}

async function rename(files: FileCall): Promise<void> {
  const path = await files.path('path');
  const name = files.text('renameTo');
  if (name === undefined || basename(name) !== name) {
    throw fileFault('invalidConfiguration', `the parameter 'renameTo' must be a name: '${name ?? ''}'`);
  }
  await moveTo(path, await files.allowed(join(dirname(path), name)), { overwrite: files.flag('overwrite') });
  files.done();
}

async function list(files: FileCall): Promise<readonly string[]> {
  const folder = await files.path('directoryPath', 'source');
  const recursive = files.flag('recursive') || files.flag('recursiveSearch');
  return listFiles(folder, nameFilter(files.text('matchingPattern', 'filePattern')), { recursive });
}

/** A path without an extension is that of a folder. */
async function createOld(files: FileCall): Promise<void> {
  const path = await files.path('source');
  if (extname(path) === '') await mkdir(path, { recursive: true });
  else {
    await mkdir(dirname(path), { recursive: true });
    await writeWhole(path, encoded(files.text('inputContent') ?? '', files.text('encoding')), { overwrite: true });
  }
  files.result('success', true);
}

async function appendOld(files: FileCall): Promise<void> {
  await appendTo(await files.path('destination'), encoded(files.text('inputContent') ?? '', files.text('encoding')));
  files.result('success', true);
}

const COPYING = ['sourcePath', 'targetPath', 'sourceFilePattern', 'includeParent', 'overwrite', 'renameTo'];
const LINES = ['readMode', 'startLineNum', 'endLineNum', 'lineNum'];
/** Retries and locks are those of remote file systems, and accepted. */
const REMOTE = [
  'maxRetries',
  'retryDelay',
  'diskShareAccessMask',
  'enableLock',
  'enableStreaming',
  'timeToWaitOnUpdate',
];

/** `file.*` */
export const FILE_OPERATIONS: ReadonlyMap<string, ConnectorOperation> = new Map(
  Object.entries({
    createDirectory: operation(['directoryPath', ...REMOTE], async (files) => {
      await mkdir(await files.path('directoryPath'), { recursive: true });
      files.done();
    }),
    checkExist: operation(['path', ...REMOTE], async (files) => {
      const found = await statIfThere(await files.path('path'));
      files.done(['fileExists', String(found !== undefined)]);
    }),
    write: operation(
      [
        'filePath',
        'contentOrExpression',
        'content',
        'inputContent',
        'encoding',
        'mimeType',
        'compress',
        'writeMode',
        'createParentDirectories',
        'appendNewLine',
        ...REMOTE,
      ],
      write,
    ),
    read: operation(
      ['path', 'filePattern', 'contentType', 'encoding', 'includeResultTo', 'resultPropertyName', ...LINES, ...REMOTE],
      read,
    ),
    copy: operation([...COPYING, ...REMOTE], async (files) => {
      await transfer(files, copyTo);
      files.done();
    }),
    move: operation([...COPYING, 'createParentDirectories', ...REMOTE], async (files) => {
      await transfer(files, moveTo);
      files.done();
    }),
    rename: operation(['path', 'renameTo', 'overwrite', ...REMOTE], rename),
    delete: operation(['path', 'matchingPattern', ...REMOTE], async (files) => {
      files.done(['numOfDeletedFiles', String(await remove(files))]);
    }),
    listFiles: operation(['directoryPath', 'matchingPattern', 'recursive', ...REMOTE], async (files) => {
      const paths = await list(files);
      files.done(['files', paths.map((path) => ['file', path] as const)]);
    }),
  }),
);

export const FILE_CONNECTION_PARAMETERS: readonly string[] = [
  'connectionType',
  'workingDir',
  'fileLockScheme',
  'maxFailureRetryCount',
];

/** `fileconnector.*` */
export const OLD_FILE_OPERATIONS: ReadonlyMap<string, ConnectorOperation> = new Map(
  Object.entries({
    create: operation(['source', 'inputContent', 'encoding'], createOld),
    append: operation(['destination', 'inputContent', 'encoding'], appendOld),
    read: operation(['source', 'filePattern', 'contentType', 'encoding', 'streaming'], read),
    copy: operation(['source', 'destination', 'filePattern', 'includeParentDirectory'], async (files) => {
      await transfer(files, copyTo);
      files.result('success', true);
    }),
    move: operation(['source', 'destination', 'filePattern', 'includeParentDirectory'], async (files) => {
      await transfer(files, moveTo);
      files.result('success', true);
    }),
    delete: operation(['source', 'filePattern'], async (files) => {
      await remove(files);
      files.result('success', true);
    }),
    isFileExist: operation(['source'], async (files) => {
      files.result('fileExist', (await statIfThere(await files.path('source'))) !== undefined);
    }),
    search: operation(['source', 'filePattern', 'recursiveSearch'], async (files) => {
      files.result(
        'file',
        (await list(files)).map((path) => ['file', path] as const),
      );
    }),
  }),
);
