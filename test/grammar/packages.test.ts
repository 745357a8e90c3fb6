import { describe, expect, it } from 'vitest';
import { ArtifactReader } from '../../src/grammar/reader.ts';
import { mediator } from '../../src/mediation/component.ts';
import { element } from '../mediation/harness.ts';

const needing = (packages: readonly string[]) =>
  mediator({ element: 'wish', doc: 'Wishes.', attributes: {}, packages, compile: () => () => true });
const context = { id: 'test/1', rest: undefined as never, compileList: () => ({}) as never };

describe('a mediator whose package is missing', () => {
  it('is refused where it stands, with what to do', () => {
    const reader = new ArtifactReader();
    expect(needing(['no-such-package']).compile(element('<wish/>'), reader, context)).toBeUndefined();
    expect(reader.diagnostics).toMatchObject([
      { severity: 'error', message: expect.stringMatching(/^<wish> needs .*npm install no-such-package$/) },
    ]);
  });

  it('is compiled where all are there', () => {
    const reader = new ArtifactReader();
    expect(needing(['fontoxpath']).compile(element('<wish/>'), reader, context)).toBeTypeOf('function');
    expect(reader.diagnostics).toEqual([]);
  });
});
