import { describe, expect, it } from 'vitest';
import type { FaultyFile } from '../../src/deployment/index.ts';
import type { Diagnostic } from '../../src/grammar/diagnostic.ts';
import { problemsOf, problemTexts } from '../../src/management/artifact-check.ts';
import { faultyArtifact } from '../../src/management/faulty-artifacts.ts';

const diagnostic = (line: number, severity: Diagnostic['severity']): Diagnostic => ({
  severity,
  position: { file: 'Many.xml', line, column: 1 },
  message: `wrong ${line}`,
});
const many = (count: number, severity: Diagnostic['severity'] = 'warning') =>
  Array.from({ length: count }, (_, index) => diagnostic(index + 1, severity));

describe('the problems of one file', () => {
  it('are all shown when they are not too many', () => {
    expect(problemsOf(many(100), undefined)).toHaveLength(100);
    expect(problemTexts(many(100), { file: 'Many.xml', text: '' })).toHaveLength(100);
  });

  it('are a hundred at most, and one that says how many more there are', () => {
    const problems = problemsOf(many(2_500), undefined);
    expect(problems).toHaveLength(101);
    expect(problems[99]).toMatchObject({ message: 'wrong 100' });
    expect(problems[100]).toMatchObject({
      severity: 'warning',
      line: 101,
      message: '2400 more problems are not shown here',
    });
    const texts = problemTexts(many(2_500, 'error'), { file: 'Many.xml', text: '<a/>' });
    expect(texts).toHaveLength(101);
    expect(texts[100]).toBe('Many.xml:101:1: error: 2400 more problems are not shown here');
  });

  it('say that there is an error even when that is not shown', () => {
    expect(problemsOf([...many(200), diagnostic(201, 'error')], undefined).at(-1)?.severity).toBe('error');
  });

  it('are written once for a faulty file, however often they are asked for', () => {
    const faulty: FaultyFile = {
      path: 'Many.xml',
      file: 'Many.xml',
      diagnostics: many(3, 'error'),
      text: '<a/>',
      since: 0,
      serves: false,
    };
    expect(faultyArtifact(faulty)).toMatchObject({ file: 'Many.xml', problems: { length: 3 } });
    expect(faultyArtifact(faulty)).toBe(faultyArtifact(faulty));
  });
});
