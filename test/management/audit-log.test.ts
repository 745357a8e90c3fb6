import { appendFile, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../src/management/audit/audit-entry.ts';
import { AuditLog, auditLine } from '../../src/management/audit/audit-log.ts';
import { fileFolder } from '../support/file-folder.ts';

const entry = (name: string, detail = ''): AuditEntry => ({
  time: '2026-01-01T00:00:00.000Z',
  who: 'olga',
  role: 'operator',
  from: '127.0.0.1',
  action: 'disabled',
  type: 'message_processor',
  name,
  detail,
  count: 1,
  result: 'done',
});

let folder: string;
let file: string;

beforeEach(() => {
  folder = fileFolder('audit');
  file = join(folder, 'audit.ndjson');
});

describe('the audit log', () => {
  it('keeps entries over a restart, newest first, and passes over a half-written line', async () => {
    const first = await AuditLog.open(file);
    await first.record(entry('a'));
    await first.record(entry('b'));
    await appendFile(file, '{"time":"20');
    const second = await AuditLog.open(file);
    expect(second.list(10).map(({ name }) => name)).toEqual(['b', 'a']);
    expect(second.list(1)).toEqual([entry('b')]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('puts large files aside, and no more than four', async () => {
    const audit = await AuditLog.open(file);
    const large = 'x'.repeat(6 * 1024 * 1024);
    for (let number = 0; number < 8; number += 1) await audit.record(entry(String(number), large));
    await audit.close();
    expect((await readdir(folder)).sort()).toEqual([
      'audit.ndjson',
      'audit.ndjson.1',
      'audit.ndjson.2',
      'audit.ndjson.3',
      'audit.ndjson.4',
    ]);
    const newest = JSON.parse(await readFile(file, 'utf8')) as AuditEntry;
    const oldest = JSON.parse(await readFile(`${file}.4`, 'utf8')) as AuditEntry;
    expect([newest.name, oldest.name]).toEqual(['7', '3']);
  }, 60_000);

  it("writes the reference's line", () => {
    expect(JSON.parse(auditLine(entry('X')))).toMatchObject({
      performedBy: 'olga',
      action: 'disabled',
      type: 'message_processor',
      info: '{"messageProcessorName":"X"}',
    });
  });

  it('tells whoever listens', async () => {
    const audit = await AuditLog.open(file);
    const heard: string[] = [];
    const stop = audit.subscribe(({ name }) => heard.push(name));
    await audit.record(entry('a'));
    stop();
    await audit.record(entry('b'));
    expect(heard).toEqual(['a']);
  });
});
