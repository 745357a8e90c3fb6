import type { ParametersOf, WrittenParameter } from '../../grammar/parameters.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { inboundKind } from '../component.ts';
import { concurrencyOf } from '../queue-parameters.ts';
import { type FileAction, FolderListener, type FolderRules } from './folder-listener.ts';
import { FILE_INBOUND_PARAMETERS, type FOLDER_PARAMETERS } from './parameters.ts';

const SHORTEST_INTERVAL_MS = 10;

type FolderValues = ParametersOf<typeof FOLDER_PARAMETERS>;

/** `protocol="file"`: takes the files of a local folder. */
export const fileInbound = inboundKind({
  protocol: 'file',
  doc: 'Takes the files of a folder; each leaves it after its flow has ended.',
  parameters: FILE_INBOUND_PARAMETERS,
  answers: false,
  review: (written, parameters, reader) => reviewFolder(written, parameters, reader),
  open({ entry, parameters, services, previous }) {
    const rules = folderRules(parameters, { intervalMs: parameters.interval, concurrency: concurrencyOf(parameters) });
    return new FolderListener({ entry, services, previous, rules });
  },
});

/** A file is to be moved, and nobody says where. */
export function reviewFolder(
  written: ReadonlyMap<string, WrittenParameter>,
  parameters: FolderValues,
  reader: ArtifactReader,
): void {
  for (const when of ['Process', 'Failure'] as const) {
    const action = written.get(`transport.vfs.ActionAfter${when}`);
    if (
      !action ||
      parameters[`transport.vfs.ActionAfter${when}`] !== 'MOVE' ||
      parameters[`transport.vfs.MoveAfter${when}`] !== undefined
    )
      continue;
    reader.error(
      action.element,
      `parameter 'transport.vfs.ActionAfter${when}' is MOVE, and transport.vfs.MoveAfter${when} does not say where to`,
      {
        expected: `<parameter name="transport.vfs.MoveAfter${when}">file:///folder</parameter>`,
      },
    );
  }
}

export function folderRules(
  parameters: FolderValues,
  { intervalMs, concurrency }: { readonly intervalMs: number; readonly concurrency: number },
): FolderRules {
  const matches = parameters['transport.vfs.FileNamePattern'];
  const release = parameters['transport.vfs.AutoLockRelease'];
  return {
    path: parameters['transport.vfs.FileURI'],
    contentType: parameters['transport.vfs.ContentType'],
    matches: matches ? (name) => matches(name) !== undefined : () => true,
    intervalMs: Math.max(SHORTEST_INTERVAL_MS, intervalMs),
    quietMs: parameters['x.quiet'],
    concurrency,
    afterProcess: actionOf(parameters, 'Process', 'delete'),
    // The reference deletes it: what failed would be lost without a trace.
    afterFailure: actionOf(parameters, 'Failure', 'keep'),
    retryMs: parameters['transport.vfs.FailedRecordNextRetryDuration'],
    locking: parameters['transport.vfs.Locking'] === 'enable',
    releaseLocksAfterMs: release ? parameters['transport.vfs.AutoLockReleaseInterval'] : undefined,
    sort: parameters['transport.vfs.FileSortAttribute'],
    ascending: parameters['transport.vfs.FileSortAscending'],
    most: parameters['transport.vfs.FileProcessCount'],
    pauseMs: parameters['transport.vfs.FileProcessInterval'],
    reply: {
      folder: parameters['transport.vfs.ReplyFileURI'],
      name: parameters['transport.vfs.ReplyFileName'] || undefined,
    },
  };
}

function actionOf(parameters: FolderValues, when: 'Process' | 'Failure', byDefault: 'delete' | 'keep'): FileAction {
  const action = parameters[`transport.vfs.ActionAfter${when}`];
  const folder = parameters[`transport.vfs.MoveAfter${when}`];
  if (action === 'MOVE' && folder !== undefined)
    return { kind: 'move', folder, prefix: parameters['transport.vfs.MoveTimestampFormat'] };
  if (action === 'DELETE') return { kind: 'delete' };
  return { kind: action === 'NONE' ? 'keep' : byDefault };
}
