import { describe, expect, it } from 'vitest';
import { readAttributes, text } from '../../src/grammar/attributes.ts';
import { codeFrame, formatDiagnostic, nearestName } from '../../src/grammar/diagnostic.ts';
import { ConfigElement } from '../../src/grammar/element.ts';
import { ArtifactReader } from '../../src/grammar/reader.ts';
import { parseXml } from '../../src/xml/index.ts';

const ARTIFACT = `<proxy xmlns="http://ws.apache.org/ns/synapse" name="P">
  <target>
    <inSequence>
      <log levle="full"/>
      <log/>
    </inSequence>
  </target>
</proxy>`;

function root(): ConfigElement {
  const node = parseXml(ARTIFACT).documentElement;
  if (!node) throw new Error('no root');
  return new ConfigElement(node, { file: 'P.xml', text: ARTIFACT });
}

describe('a diagnostic (OP-35)', () => {
  it('is one of thousands in a large file: its secrets are masked once', () => {
    const text = '<property name="password" value="hidden"/>\n'.repeat(40_000);
    const began = performance.now();
    for (let line = 1; line <= 2_000; line += 1) expect(codeFrame(text, line, 1)).not.toContain('hidden');
    // Once for each of them takes minutes.
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(codeFrame('<b/>', 1, 1)).toContain('<b/>');
  });

  it('names place, path, expectation and nearest name, with a code frame of five lines (MREQ-1, MREQ-3)', () => {
    const log = root().children[0]?.children[0]?.children[0] as ConfigElement;
    const reader = new ArtifactReader();
    readAttributes(log, { level: text({ doc: '' }), separator: text({ doc: '' }) }, reader);
    expect(reader.failed).toBe(false);
    expect(formatDiagnostic(reader.diagnostics[0] as never, log.source)).toBe(
      [
        "P.xml:4:12: warning: unknown attribute 'levle' of <log> is ignored",
        '  at proxy[P]/target/inSequence/log[1]',
        '  expected one of: level, separator',
        "  did you mean 'level'?",
        '  2 |   <target>',
        '  3 |     <inSequence>',
        '> 4 |       <log levle="full"/>',
        '    |            ^',
        '  5 |       <log/>',
        '  6 |     </inSequence>',
      ].join('\n'),
    );
  });

  it('reports a required attribute that is missing at its element', () => {
    const reader = new ArtifactReader();
    const values = readAttributes(
      root(),
      { class: text({ required: true, doc: '' }), name: text({ doc: '' }) },
      reader,
    );
    expect(values).toBeUndefined();
    expect(reader.diagnostics[0]).toMatchObject({ severity: 'error', position: { line: 1, column: 1 } });
  });
});

describe('a code frame', () => {
  it('of a long line shows what surrounds the column', () => {
    const line = `${'a'.repeat(300)}HERE${'b'.repeat(300)}`;
    const [before, marked, marker] = codeFrame(`short\n${line}`, 2, 301).split('\n');
    expect(before).toBe('  1 | …');
    expect(marked).toContain('aaHEREbb');
    expect(marked).toHaveLength('> 2 | '.length + 160);
    expect(marked?.indexOf('HERE')).toBe(marker?.indexOf('^'));
  });

  it.each([
    ['the text of a parameter', '<parameter name="store.jms.password">geheim</parameter>'],
    ['a parameter over several lines', '<parameter\n  name="p.secret">\n  geheim\n</parameter>'],
    ['a parameter in CDATA', '<parameter name="token"><![CDATA[geheim]]></parameter>'],
    ['the value of a property', '<property scope="transport" value="Basic geheim" name="Authorization"/>'],
    ['an attribute', "<account password = 'geheim' user='u'/>"],
    ['an element', '<password>geheim</password>'],
    ['the password of a URL', '<address uri="http://user:geheim@host/x"/>'],
    ['an option of a URL', '<x>failover:(tcp://h:1)?jms.password=geheim&amp;a=b</x>'],
  ])('masks %s (REQ-20)', (_, xml) => {
    const text = `<root>\n${xml}\n</root>`;
    const shown = text.split('\n').map((_line, index) => codeFrame(text, index + 1, 1));
    expect(shown.join('\n')).not.toContain('geheim');
    expect(shown.join('\n')).toContain('******');
  });

  it('keeps everything else in its place when it masks', () => {
    const text = '<parameter name="password">geheim</parameter><log levle="x"/>';
    expect(codeFrame(text, 1, 51).split('\n')).toEqual([
      '> 1 | <parameter name="password">******</parameter><log levle="x"/>',
      `    | ${' '.repeat(50)}^`,
    ]);
  });
});

describe('the nearest name', () => {
  it.each([
    ['propery', 'property'],
    ['Store', 'store'],
    ['xyzzy', undefined],
    ['lgo', 'log'],
  ])('to %s is %s', (written, expected) => {
    expect(nearestName(written, ['property', 'store', 'log', 'sequence'])).toBe(expected);
  });

  it('is none to what is no name, and none of another length', () => {
    expect(nearestName('x'.repeat(200), ['x'.repeat(199)])).toBe('x'.repeat(199));
    expect(nearestName('x'.repeat(201), ['x'.repeat(200)])).toBeUndefined();
    expect(nearestName('log', ['l', 'logger', 'logs'])).toBe('logs');
    expect(nearestName('log', ['x'.repeat(3_000_000)])).toBeUndefined();
  });
});
