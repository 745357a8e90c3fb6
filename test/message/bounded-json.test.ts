import { expect, it } from 'vitest';
import { jsonToXml } from '../../src/message/json-xml.ts';

it('a JSON object with more @ keys than an element may have attributes becomes elements from there on', () => {
  const members = Object.fromEntries(Array.from({ length: 1_100 }, (_, index) => [`@a${index}`, index]));
  const root = jsonToXml(JSON.stringify({ r: members }));
  const owner = [root, ...root.childNodes].find((node) => 'attributes' in node && node.attributes.length > 0);
  expect(owner && 'attributes' in owner && owner.attributes.length).toBe(1_024);
});
