import { describe, expect, it } from 'vitest';
import { message, problemLines, sequence } from '../mediation/harness.ts';

const BUILDER = '<builder><messageBuilder contentType="application/xml" class="B" formatterClass="F"/></builder>';

describe('builder', () => {
  it('reads the payload now', () => {
    const request = message({ body: '<a/>' });
    expect(sequence(BUILDER).mediate(request)).toBe(true);
    expect(request.payload.kind).toBe('envelope');
    expect(request.payload.untouched).toBe(true);
  });

  it('of one that cannot be read is a fault', () => {
    const run = () => sequence('<builder/>').mediate(message({ body: '<broken' }));
    expect(run).toThrow('Error while building message.');
  });

  it.each([
    ['<builder class="B"/>', ['error: formatterClass attribute is required']],
    ['<builder><messageBuilder class="B"/></builder>', ['error: contentType attribute is required']],
    ['<builder><messageBuilder contentType="a/b"/></builder>', ['error: class attribute is required']],
    ['<builder class="B" formatterClass="F"/>', []],
    [BUILDER, []],
  ])('%s', (xml, expected) => {
    expect(problemLines(xml)).toEqual(expected);
  });
});
