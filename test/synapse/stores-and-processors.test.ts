import { describe, expect, test } from 'vitest';
import { only, printed, problems, read, SYN } from './read.ts';

const FORWARDING = 'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor';

describe('messageStore', () => {
  const store = (attributes: string, inner = '', lookup = {}) =>
    read(`<messageStore ${SYN} ${attributes}>${inner}</messageStore>`, lookup);

  test('without a class it is in memory', () => {
    const { content } = only(store('name="failover"'), 'messageStore');
    expect(content.kind.type).toBe('in-memory-message-store');
  });

  test.each([
    'org.apache.synapse.message.store.impl.memory.InMemoryStore',
    'org.apache.synapse.message.store.InMemoryMessageStore',
  ])('class %s', (name) => {
    expect(only(store(`name="s" class="${name}"`), 'messageStore').content.kind.type).toBe('in-memory-message-store');
  });

  test('without a name it is refused', () => {
    expect(problems(store(''))).toEqual(['1:1 error Message Store name not specified']);
    expect(store('name=" "').whole).toBe(false);
  });

  test.each(['', 'org.example.Store'])('class="%s" is unknown', (name) => {
    expect(problems(store(`name="s" class="${name}"`))).toEqual([
      expect.stringContaining(`error Error while instantiating the message store: unknown class '${name}'`),
    ]);
  });

  test('a misspelt class names the nearest', () => {
    const reading = store('name="s" class="org.apache.synapse.message.store.impl.memory.InMemmoryStore"');
    expect(printed(reading)).toContain("did you mean 'org.apache.synapse.message.store.impl.memory.InMemoryStore'?");
  });

  test('parameters are trimmed; the last of two wins, with a warning', () => {
    const reading = store('name="s"', '<parameter name="p"> 1 </parameter><parameter name="p">\n2\n</parameter>');
    expect(only(reading, 'messageStore').content.written.get('p')).toBe('2');
    expect(problems(reading)).toEqual([expect.stringContaining("parameter 'p' is given twice")]);
  });

  test('a nameless parameter is an error in the reference’s words', () => {
    expect(problems(store('name="s"', '<parameter>1</parameter>'))).toEqual([
      expect.stringContaining('error Invalid MessageStore parameter - Parameter must have a name '),
    ]);
  });

  test('key= takes the text of a local entry', () => {
    const text = '<parameter name="p" key="e"/>';
    const known = { localEntry: (key: string) => (key === 'e' ? ' value ' : undefined) };
    expect(only(store('name="s"', text, known), 'messageStore').content.written.get('p')).toBe('value');
    expect(problems(store('name="s"', text))).toEqual([
      expect.stringContaining('error Registry entry defined with key: e not found.'),
    ]);
  });

  test.each([
    ['$SYSTEM:X', 'environment', 'Environment variable could not be found'],
    ['$FILE:X', 'fileProperty', 'File parameter key: X could not be found'],
    ['$' + '{configs.X}', 'configuration', 'Parameter key: X could not be found'],
  ])('%s', (written, source, missing) => {
    const text = `<parameter name="p">${written}</parameter>`;
    const known = { [source]: (name: string) => (name === 'X' ? 'v' : undefined) };
    expect(only(store('name="s"', text, known), 'messageStore').content.written.get('p')).toBe('v');
    expect(problems(store('name="s"', text))).toEqual([expect.stringContaining(`error ${missing}`)]);
  });

  test('a secret of the vault is never taken for its value', () => {
    const text = `<parameter name="p">{wso2:vault-lookup('alias')}</parameter>`;
    expect(problems(store('name="s"', text))).toEqual([expect.stringContaining("error there is no secret 'alias'")]);
  });

  test('an expression where a text belongs is an error', () => {
    expect(problems(store('name="s"', '<parameter name="p" expression="//a">x</parameter>'))).toEqual([
      expect.stringContaining("error parameter 'p' takes a text, not an expression"),
    ]);
  });

  test('a misspelt child is warned about', () => {
    expect(printed(store('name="s"', '<paremeter name="p">1</paremeter>'))).toContain("did you mean 'parameter'?");
  });
});

describe('messageProcessor', () => {
  const processor = (attributes: string, inner = '') =>
    read(`<messageProcessor ${SYN} ${attributes}>${inner}</messageProcessor>`);

  test('the seed’s forwarder', () => {
    const reading = processor(
      `class="${FORWARDING}" name="Forwarder1" targetEndpoint="E" messageStore="S"`,
      `<parameter name="client.retry.interval">1000</parameter>
       <parameter name="interval">1000</parameter>
       <parameter name="is.active">true</parameter>`,
    );
    expect(problems(reading)).toEqual([]);
    const artifact = only(reading, 'messageProcessor');
    expect(artifact.content).toMatchObject({ name: 'Forwarder1', storeName: 'S', targetEndpoint: 'E' });
    expect(artifact.content.parameters).toMatchObject({ interval: 1000 });
    expect(artifact.references.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['messageStore S', 'endpoint E']);
  });

  test('the older spelling of the class takes targetEndpoint too (REQ-01)', () => {
    const name = 'org.apache.synapse.message.processors.forward.ScheduledMessageForwardingProcessor';
    const reading = processor(`class="${name}" name="F" targetEndpoint="E" messageStore="S"`);
    expect(only(reading, 'messageProcessor').content.targetEndpoint).toBe('E');
  });

  test('everything that is missing is told at once, in the reference’s words', () => {
    expect(problems(processor(''))).toEqual([
      "1:1 error Can't create Message processor without a provider class",
      "1:1 error Can't create Message processor without a name ",
      "1:1 error Can't create a message processor with out a message Store",
    ]);
  });

  test('unknown and unsupported classes', () => {
    expect(printed(processor('class="x.Y" name="F" messageStore="S"'))).toContain(
      "Error while creating Message processor: unknown class 'x.Y'",
    );
    const failover = 'org.apache.synapse.message.processor.impl.failover.FailoverScheduledMessageForwardingProcessor';
    const reading = processor(`class="${failover}" name="F" messageStore="S"`);
    expect(printed(reading)).not.toContain('unknown class');
  });

  test.each([
    ['interval', 'x'],
    ['interval', ''],
    ['member.count', '1.5'],
    ['max.delivery.attempts', 'many'],
    ['client.retry.interval', '-'],
  ])('%s = "%s" is a deployment error that names both (REQ-03)', (name, value) => {
    const reading = processor(
      `class="${FORWARDING}" name="F" targetEndpoint="E" messageStore="S"`,
      `\n<parameter name="${name}">${value}</parameter>`,
    );
    expect(problems(reading)).toEqual([expect.stringMatching(/^2:1 error /)]);
    expect(problems(reading)[0]).toContain(name);
  });
});
