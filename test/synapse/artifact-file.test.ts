import { describe, expect, test } from 'vitest';
import { printed, problems, read, SYN } from './read.ts';

describe('the root element', () => {
  test('decides what the file is', () => {
    const reading = read(`<sequence ${SYN} name="s"><drop/></sequence>`);
    expect(reading.whole).toBe(true);
    expect(reading.artifacts.map(({ kind, name }) => [kind, name])).toEqual([['sequence', 's']]);
  });

  test('in no namespace it is read as a Synapse element, with a warning', () => {
    const reading = read('<sequence name="s"><log/><drop/></sequence>');
    expect(problems(reading)).toEqual(['1:1 warning <sequence> is in no namespace and is read as a Synapse element']);
    expect(reading.whole).toBe(true);
    expect(reading.artifacts).toHaveLength(1);
  });

  test('in another namespace it is refused', () => {
    const reading = read('<proxy xmlns="http://example.org/" name="p"/>');
    expect(reading.whole).toBe(false);
    expect(problems(reading)).toEqual([
      '1:1 error Invalid root element : {http://example.org/}proxy is not in the Synapse namespace',
    ]);
  });

  test('import is an artifact of the name of its library', () => {
    const reading = read(`<import ${SYN} name="lib" package="org.example" status="disabled"/>`);
    expect(problems(reading)).toEqual([]);
    expect(reading.artifacts).toMatchObject([
      { kind: 'import', name: 'lib', content: { name: 'lib', package: 'org.example', enabled: false } },
    ]);
    expect(problems(read(`<import ${SYN} name="lib"/>`))).toEqual([
      "1:1 error The 'package' attribute is required for the element 'import'",
    ]);
  });

  test('taskManager is accepted, with a warning where it says something of its own', () => {
    const provider = 'org.wso2.micro.integrator.mediation.ntask.NTaskTaskManager';
    expect(problems(read(`<taskManager ${SYN} provider="${provider}"/>`))).toEqual([]);
    const reading = read(`<taskManager ${SYN} provider="x"/>`);
    expect(problems(reading)).toEqual([
      "1:54 warning the task manager 'x' is not used: tasks are run by the server itself",
    ]);
    expect(reading.whole).toBe(true);
  });

  test.each(['connector', 'component'])('<%s> of an unpacked connector is left to its templates', (root) => {
    const reading = read(`<${root} name="x"/>`);
    expect(problems(reading)).toEqual([]);
    expect(reading.artifacts).toEqual([]);
  });

  test('an unknown one is refused with the nearest name', () => {
    expect(printed(read(`<proxxy ${SYN} name="p"/>`))).toContain("did you mean 'proxy'?");
  });

  test('malformed XML is one located problem', () => {
    const reading = read(`<sequence ${SYN} name="s">\n  <drop>\n</sequence>`);
    expect(reading.root).toBeUndefined();
    expect(reading.diagnostics).toHaveLength(1);
    expect(reading.diagnostics[0]?.position.line).toBeGreaterThan(1);
    expect(printed(reading)).toContain('> ');
  });

  test.each(['', '   ', 'not xml', '<!DOCTYPE x [<!ENTITY a "b">]><sequence/>', '\u0000'])('%j is refused', (text) => {
    const reading = read(text);
    expect(reading.whole).toBe(false);
    expect(reading.artifacts).toEqual([]);
    expect(reading.diagnostics).toHaveLength(1);
  });
});

describe('definitions', () => {
  test('hold several artifacts', () => {
    const reading = read(`<definitions ${SYN}>
      <registry provider="x"/>
      <localEntry key="e">text</localEntry>
      <sequence name="s"><drop/></sequence>
      <endpoint name="ep"><address uri="http://localhost:9000/"/></endpoint>
      <messageStore name="store"/>
      <proxy name="p"><target inSequence="s"/></proxy>
    </definitions>`);
    expect(problems(reading)).toEqual([]);
    expect(reading.artifacts.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'registry test.xml:2',
      'localEntry e',
      'sequence s',
      'endpoint ep',
      'messageStore store',
      'proxy p',
    ]);
    expect(reading.whole).toBe(true);
  });

  test('one broken artifact does not keep the others from being read; all problems are told at once', () => {
    const reading = read(`<definitions ${SYN}>
      <sequence name="good"><drop/></sequence>
      <sequence name="bad"><lgo/><sned/></sequence>
      <proxy><target/></proxy>
      <endpoint name="ep"/>
    </definitions>`);
    expect(reading.artifacts.map(({ name }) => name)).toEqual(['good']);
    expect(reading.whole).toBe(false);
    expect(problems(reading)).toEqual([
      '3:28 error Unknown mediator referenced by configuration element : {http://ws.apache.org/ns/synapse}lgo',
      '3:34 error Unknown mediator referenced by configuration element : {http://ws.apache.org/ns/synapse}sned',
      "4:7 error The 'name' attribute is required for a Proxy service definition",
      '4:14 error Target of the proxy service must declare either an inSequence or endpoint or both',
      '5:7 error Invalid endpoint configuration.',
    ]);
  });

  test('settings of the server leave the file whole', () => {
    const reading = read(
      `<definitions ${SYN}><taskManager provider="x"/><sequence name="s"><drop/></sequence></definitions>`,
    );
    expect(reading.whole).toBe(true);
    expect(reading.artifacts).toHaveLength(1);
    expect(reading.diagnostics.map(({ severity }) => severity)).toEqual(['warning']);
  });

  test('bare mediators are refused with the reference’s words', () => {
    const reading = read(`<definitions ${SYN}><log/><send/></definitions>`);
    expect(problems(reading)[0]).toContain(
      "Invalid configuration element at the top level, one of 'sequence', 'endpoint', 'proxy', 'eventSource', 'localEntry', 'priorityExecutor', 'registry' or 'inboundEndpoint' is expected",
    );
    expect(reading.diagnostics).toHaveLength(2);
    expect(printed(reading)).toContain('<sequence name="main">');
  });

  test('a name given twice is refused, over the kinds that share a space of names', () => {
    const reading = read(`<definitions ${SYN}>
      <sequence name="a"><drop/></sequence>
      <localEntry key="a">x</localEntry>
      <proxy name="a"><target inSequence="a"/></proxy>
    </definitions>`);
    expect(problems(reading)).toEqual(["3:7 error localEntry 'a' is defined twice in this file, first in line 2"]);
    expect(reading.artifacts.map(({ kind }) => kind)).toEqual(['sequence', 'proxy']);
  });
});

describe('the hash of an artifact', () => {
  const hashes = (text: string) => read(text).artifacts.map(({ hash }) => hash);

  test('does not depend on place, comments and the order of attributes', () => {
    const here = hashes(`<definitions ${SYN}><messageStore name="a" description="d"/></definitions>`);
    const there = hashes(
      `<definitions ${SYN}>\n\n<!-- c -->\n  <messageStore description="d" name="a"><!-- c --></messageStore></definitions>`,
    );
    expect(here).toEqual(there);
  });

  test.each([
    [`<messageStore ${SYN} name="a"/>`, `<messageStore ${SYN} name="b"/>`],
    [`<localEntry ${SYN} key="a">1</localEntry>`, `<localEntry ${SYN} key="a">2</localEntry>`],
    [`<localEntry ${SYN} key="a"><b/></localEntry>`, `<localEntry ${SYN} key="a"><c/></localEntry>`],
    [`<sequence ${SYN} name="a"><drop/></sequence>`, `<sequence ${SYN} xmlns:p="urn:p" name="a"><drop/></sequence>`],
  ])('%s differs from %s', (left, right) => {
    expect(hashes(left)).toHaveLength(1);
    expect(hashes(left)).not.toEqual(hashes(right));
  });

  test('depends on what was looked up', () => {
    const text = `<messageStore ${SYN} name="a"><parameter name="p">$SYSTEM:X</parameter></messageStore>`;
    const hash = (value: string) => read(text, { environment: () => value }).artifacts[0]?.hash;
    expect(hash('1')).not.toBe(hash('2'));
    expect(hash('1')).toBe(hash('1'));
  });

  test('a file is outdated when what it looked up has changed', () => {
    let value = '1';
    const text = `<messageStore ${SYN} name="a"><parameter name="p">$SYSTEM:X</parameter></messageStore>`;
    const reading = read(text, { environment: () => value });
    expect(reading.outdated()).toBe(false);
    value = '2';
    expect(reading.outdated()).toBe(true);
  });
});
