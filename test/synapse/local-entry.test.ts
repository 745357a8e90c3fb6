import { expect, test } from 'vitest';
import { only, problems, read, SYN } from './read.ts';

const content = (text: string, lookup = {}) => only(read(text, lookup), 'localEntry').content;

test('text is trimmed and may be CDATA', () => {
  expect(content(`<localEntry ${SYN} key="e">\n a <![CDATA[<b>]]>\n</localEntry>`).entry).toEqual({
    key: 'e',
    text: 'a <b>',
    xml: undefined,
  });
});

test('the description is not part of the value', () => {
  const { entry } = content(`<localEntry ${SYN} key="e"><description>d</description>5000</localEntry>`);
  expect(entry.text).toBe('5000');
});

test('the first element wins over text', () => {
  const { entry } = content(`<localEntry ${SYN} key="e">text<a xmlns="urn:a"><b/></a></localEntry>`);
  expect(entry.xml?.localName).toBe('a');
  expect(entry.text).toBe('<a xmlns="urn:a"><b/></a>');
});

test('without a key it is refused', () => {
  expect(problems(read(`<localEntry ${SYN}>x</localEntry>`))).toEqual([
    "1:1 error The 'key' attribute is required for a local registry entry",
  ]);
});

test('a sequence or an endpoint inside can be referred to', () => {
  const sequence = content(`<localEntry ${SYN} key="e"><sequence name="s"><drop/></sequence></localEntry>`);
  expect(sequence.sequence?.list.steps).toHaveLength(1);
  const endpoint = content(
    `<localEntry ${SYN} key="e"><endpoint><address uri="http://localhost/"/></endpoint></localEntry>`,
  );
  expect(endpoint.endpoint?.kind).toBe('address');
  expect(content(`<localEntry ${SYN} key="e"><sequence xmlns="urn:other"/></localEntry>`).sequence).toBeUndefined();
});

test('src: text, XML, or an error with the reason', () => {
  const text = `<localEntry ${SYN} key="e" src="file:x"/>`;
  expect(content(text, { resource: () => ({ text: ' plain < text ' }) }).entry.text).toBe(' plain < text ');
  expect(content(text, { resource: () => ({ text: '<?xml version="1.0"?><a/>' }) }).entry.xml?.localName).toBe('a');
  expect(content(text, { resource: () => ({ text: '<broken' }) }).entry.xml).toBeUndefined();
  expect(problems(read(text, { resource: () => ({ error: 'no such file' }) }))).toEqual([
    expect.stringContaining("error cannot read the source of local entry 'e': no such file"),
  ]);
});
