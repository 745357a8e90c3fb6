import { compileDateFormat, type DateFormat } from '../../expressions/java-date.ts';
import { compileWholeMatch, type WholeMatch } from '../../expressions/regex.ts';
import { integer, javaBoolean, oneOf, text, ValueError, valueType } from '../../grammar/attributes.ts';
import { RECEIVING_PARAMETERS } from '../queue-parameters.ts';
import { FileAddressError, filePath } from './file-address.ts';

const folder = <const O extends { doc: string; required?: boolean; missing?: string }>(options: O) =>
  valueType<string, O>(
    'file:///folder',
    (written) => {
      try {
        return filePath(written);
      } catch (error) {
        if (!(error instanceof FileAddressError)) throw error;
        throw new ValueError(error.message, 'file:///folder', undefined, { cause: error });
      }
    },
    options,
  );

const ACTIONS = ['DELETE', 'MOVE', 'NONE'] as const;
const action = (doc: string) =>
  valueType<(typeof ACTIONS)[number] | undefined, { doc: string }>(
    `one of: ${ACTIONS.join(', ')}`,
    (written) => {
      const word = written.trim().toUpperCase();
      if (word === '') return undefined;
      const known = ACTIONS.find((candidate) => candidate === word);
      if (known) return known;
      throw new ValueError(`'${written}' is not allowed`, `one of: ${ACTIONS.join(', ')}`);
    },
    { doc },
  );

const pattern = valueType<WholeMatch | undefined, { doc: string }>(
  'a Java regular expression',
  (written) => (written === '' ? undefined : compileWholeMatch(written)),
  { doc: 'Only files whose whole name matches are taken.' },
);

const dateFormat = valueType<DateFormat | undefined, { doc: string }>(
  'a date pattern such as yyyy-MM-dd',
  (written) => (written.trim() === '' ? undefined : compileDateFormat(written)),
  { doc: 'Is put before the name of a file that is moved.' },
);

const NO_EFFECT = 'Has no effect on a local folder.';

/** The parameters of a polled folder, the same for inbound endpoints and proxies (spec proxies 1.1, samples 254 and 900). */
export const FOLDER_PARAMETERS = {
  'transport.vfs.FileURI': folder({
    required: true,
    missing: "'{artifact}': parameter 'transport.vfs.FileURI' is required",
    doc: 'The folder, or the one file, that is looked at.',
  }),
  'transport.vfs.ContentType': text({ doc: 'The media type of the files; default: application/octet-stream.' }),
  'transport.vfs.FileNamePattern': pattern,
  'transport.vfs.ActionAfterProcess': action('What happens to a file whose flow ended well; default: DELETE.'),
  'transport.vfs.ActionAfterFailure': action(
    'What happens to a file whose flow failed; absent: it stays and is tried again.',
  ),
  'transport.vfs.MoveAfterProcess': folder({ doc: 'Where files are moved whose flow ended well.' }),
  'transport.vfs.MoveAfterFailure': folder({ doc: 'Where files are moved whose flow failed.' }),
  'transport.vfs.MoveTimestampFormat': dateFormat,
  'transport.vfs.ReplyFileURI': folder({ doc: 'The folder for answers.' }),
  'transport.vfs.ReplyFileName': text({ doc: 'The name of the file for an answer; default: response.xml.' }),
  'transport.vfs.Locking': oneOf(['enable', 'disable'], {
    default: 'enable',
    doc: '`enable`: a lock file beside each file that is processed keeps other processes away.',
  }),
  'transport.vfs.AutoLockRelease': javaBoolean({
    default: false,
    doc: 'Locks of other machines and programs that are old are taken away.',
  }),
  'transport.vfs.AutoLockReleaseInterval': integer({ minimum: 0, default: 20_000, doc: 'How old, ms.' }),
  'transport.vfs.FailedRecordNextRetryDuration': integer({
    minimum: 1,
    default: 3_000,
    doc: 'ms until a file is tried again that failed and stayed; doubled with every failure, up to a minute.',
  }),
  'transport.vfs.FileSortAttribute': valueType(
    'one of: none, name, size, lastmodifiedtimestamp',
    (written) => {
      const word = written.trim().toLowerCase();
      const known = (['none', 'name', 'size', 'lastmodifiedtimestamp'] as const).find(
        (candidate) => candidate === word,
      );
      if (known) return known;
      throw new ValueError(`'${written}' is not allowed`, 'one of: NONE, Name, Size, Lastmodifiedtimestamp');
    },
    { default: 'none' as const, doc: 'What decides which file comes first.' },
  ),
  'transport.vfs.FileSortAscending': javaBoolean({ default: true, doc: '`false`: the greatest first.' }),
  'transport.vfs.FileProcessCount': integer({ minimum: 1, doc: 'Most files taken in one poll.' }),
  'transport.vfs.FileProcessInterval': integer({ minimum: 0, default: 0, doc: 'ms between two files.' }),
  'transport.vfs.CreateFolder': text({ doc: 'Folders that files are moved to are made in any case.' }),
  'transport.vfs.FailedRecordsFileName': text({ doc: 'Has no effect: nothing needs to be recorded.' }),
  'transport.vfs.FailedRecordsFileDestination': text({ doc: 'Has no effect: nothing needs to be recorded.' }),
  'transport.vfs.MoveFailedRecordTimestampFormat': text({ doc: 'Has no effect: nothing needs to be recorded.' }),
  'transport.vfs.LockReleaseSameNode': text({
    doc: 'Locks of processes of this machine that are gone are taken away in any case.',
  }),
  'transport.vfs.DistributedLock': text({ doc: 'Has no effect: see transport.vfs.Locking.' }),
  'transport.vfs.SFTPUserDirIsRoot': text({ doc: NO_EFFECT }),
  'transport.vfs.Streaming': text({ doc: NO_EFFECT }),
  'transport.vfs.Build': text({ doc: NO_EFFECT }),
  'transport.vfs.UpdateLastModified': text({ doc: 'Moved files keep their time.' }),
  'x.quiet': integer({
    minimum: 0,
    default: 500,
    doc: 'ms for which a file must not have changed before it is taken.',
  }),
} as const;

/** The parameters of file inbound endpoints. */
export const FILE_INBOUND_PARAMETERS = { ...RECEIVING_PARAMETERS, ...FOLDER_PARAMETERS } as const;
