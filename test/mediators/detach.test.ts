import { describe, expect, it } from 'vitest';
import { serializeXml, type XmlElement } from '../../src/xml/index.ts';
import { message, problemLines, sequence } from '../mediation/harness.ts';

function detached(attributes: string) {
  const request = message({ body: '<o><a>1</a><b/><a>2</a></o>' });
  expect(sequence(`<detach property="p" ${attributes}/>`).mediate(request)).toBe(true);
  const value = request.properties.get('p');
  const elements = value === undefined ? [] : Array.isArray(value) ? value : [value as XmlElement];
  const left = request.payload.firstBodyChild();
  return { kept: elements.map((element) => serializeXml(element)), left: left && serializeXml(left) };
}

describe('detach', () => {
  it('takes out what is selected', () => {
    expect(detached('source="//a"')).toEqual({ kept: ['<a>1</a>', '<a>2</a>'], left: '<o><b/></o>' });
    expect(detached('source="//b"')).toEqual({ kept: ['<b/>'], left: '<o><a>1</a><a>2</a></o>' });
  });

  it('takes out the first element of the body when it is not told what', () => {
    expect(detached('')).toEqual({ kept: ['<o><a>1</a><b/><a>2</a></o>'], left: undefined });
  });

  it('leaves everything as it is when nothing is selected', () => {
    expect(detached('source="//gone"')).toEqual({ kept: [], left: '<o><a>1</a><b/><a>2</a></o>' });
    expect(sequence('<detach property="p"/>').mediate(message())).toBe(true);
  });

  it('needs the name of a property', () => {
    expect(problemLines('<detach/>')).toEqual(["error: The 'property' attribute is required for a detach mediator"]);
  });
});
