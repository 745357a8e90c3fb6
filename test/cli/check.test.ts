import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { check } from '../../src/cli/check.ts';
import { UsageError } from '../../src/cli/io.ts';
import { definitions, endpoint, proxy, SYN, sequence } from '../deployment/deployed-folder.ts';
import { TemporaryFolder } from '../deployment/temporary-folder.ts';

async function run(...args: string[]): Promise<{ code: number; output: string }> {
  const stdout = new PassThrough();
  const output = readAll(stdout);
  const code = await check(args, { stdout, stderr: stdout });
  stdout.end();
  return { code, output: await output };
}

describe('exit codes', () => {
  test('0: all fine', async () => {
    using folder = new TemporaryFolder();
    folder.write('p.xml', proxy('p'));
    expect(await run(folder.at('p.xml'))).toEqual({
      code: 0,
      output: '1 file checked, all fine: 0 errors, 0 warnings\n',
    });
  });

  test('0: warnings only', async () => {
    using folder = new TemporaryFolder();
    folder.write('p.xml', proxy('p').replace('name=', 'nmae="x" name='));
    const { code, output } = await run(folder.path);
    expect(code).toBe(0);
    expect(output).toContain('warning: unknown attribute');
    expect(output).toContain('1 file checked, all fine: 0 errors, 1 warning');
  });

  test('1: warnings with --strict, or where the configuration says so (MREQ-3)', async () => {
    using folder = new TemporaryFolder();
    folder.write('p.xml', proxy('p').replace('name=', 'nmae="x" name='));
    const { code, output } = await run('--strict', folder.path);
    expect(code).toBe(1);
    expect(output).toContain('error: unknown attribute');
    folder.write('deployment.toml', '[mini_synapse]\nstrict_artifacts = true\n');
    expect((await run('--config', folder.at('deployment.toml'), folder.at('p.xml'))).code).toBe(1);
  });

  test('1: a reference that leads nowhere, with --strict', async () => {
    using folder = new TemporaryFolder();
    folder.write('p.xml', proxy('p', '<sequence key="nowhere"/>'));
    expect((await run(folder.path)).code).toBe(0);
    const { code, output } = await run('--strict', folder.path);
    expect(code).toBe(1);
    expect(output).toContain("error: proxy 'p' refers to sequence 'nowhere', which is not deployed");
  });

  test('0: a secret that the configuration has; 1: one that it has not (OP-84)', async () => {
    using folder = new TemporaryFolder();
    const lookUp = (alias: string) =>
      `<messageStore ${SYN} name="s"><parameter name="p.password">{wso2:vault-lookup('${alias}')}</parameter></messageStore>`;
    folder.write('secrets/broker', 'pw');
    folder.write('deployment.toml', '[mini_synapse]\nsecrets = "secrets"\n');
    folder.write('s.xml', lookUp('broker'));
    const checked = () => run('--config', folder.at('deployment.toml'), folder.at('s.xml'));
    expect(await checked()).toMatchObject({ code: 0, output: expect.not.stringContaining('there is no secret') });
    folder.write('s.xml', lookUp('brokr'));
    expect(await checked()).toMatchObject({ code: 1, output: expect.stringContaining("there is no secret 'brokr'") });
  });

  test('1: problems', async () => {
    using folder = new TemporaryFolder();
    folder.write('p.xml', proxy('p', '<nonsense/>'));
    expect((await run(folder.path)).code).toBe(1);
  });

  test('2: nothing to check, an unknown flag, a path that is not there', async () => {
    await expect(run()).rejects.toThrow(UsageError);
    await expect(run('--jsno', '.')).rejects.toThrow("Did you mean '--json'?");
    await expect(run('/nowhere/to/be/found')).rejects.toThrow("'/nowhere/to/be/found' cannot be checked");
  });
});

test('the artifact of the README is fine, and misspelt it is refused in the words of the README', async () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, artifact = ''] = /```xml\n(.*?)```/s.exec(readme) ?? [];
  const [, quoted = ''] = /```\n(\s+orders\.xml:.*?)\n\s*```/s.exec(readme) ?? [];
  using folder = new TemporaryFolder();
  folder.write('orders.xml', artifact);
  expect((await run(folder.path)).code).toBe(0);
  folder.write('orders.xml', artifact.replace('<store ', '<stroe '));
  const { output } = await run(folder.path);
  expect(output.replace(folder.at('orders.xml'), 'orders.xml')).toContain(quoted.replaceAll(/^ {2}/gm, ''));
  expect(artifact.trimEnd().split('\n')).toHaveLength(15);
});

test('all problems at once, each with its place, a frame, what was expected and the nearest name (OP-124)', async () => {
  using folder = new TemporaryFolder();
  const file = folder.at('d.xml');
  folder.write(
    'd.xml',
    `<definitions ${SYN}>
  <sequence name="s">
    <sned/>
  </sequence>
  <proxy name="p">
    <target/>
  </proxy>
</definitions>
`,
  );
  const { code, output } = await run(file);
  expect(code).toBe(1);
  expect(
    output,
  ).toBe(`${file}:3:5: error: Unknown mediator referenced by configuration element : {http://ws.apache.org/ns/synapse}sned
  at definitions/sequence[s]/sned
  expected a mediator in the namespace http://ws.apache.org/ns/synapse
  did you mean 'send'?
  1 | <definitions ${SYN}>
  2 |   <sequence name="s">
> 3 |     <sned/>
    |     ^
  4 |   </sequence>
  5 |   <proxy name="p">

${file}:6:5: error: Target of the proxy service must declare either an inSequence or endpoint or both
  at definitions/proxy[p]/target
  expected an <inSequence> or an <endpoint>, or both
  4 |   </sequence>
  5 |   <proxy name="p">
> 6 |     <target/>
    |     ^
  7 |   </proxy>
  8 | </definitions>

1 file checked, 1 refused: 2 errors, 0 warnings
`);
});

describe('a directory is one deployment', () => {
  test('a name is unique in it, and references that lead nowhere are warned about', async () => {
    using folder = new TemporaryFolder();
    folder.write('a/one.xml', endpoint('x'));
    folder.write('b/two.xml', sequence('x'));
    folder.write('p.xml', `<proxy ${SYN} name="p"><target inSequence="y" faultSequence="fault"/></proxy>`);
    const { code, output } = await run(folder.path);
    expect(code).toBe(1);
    expect(output).toContain(`${folder.at('b/two.xml')}:1:1: error: Sequence named : x already exists.`);
    expect(output).toContain(folder.at('a/one.xml'));
    expect(output).toContain("warning: proxy 'p' refers to sequence 'y', which is not deployed");
    expect(output).toContain('3 files checked, 1 refused: 1 error, 1 warning');
  });

  test('files given one by one are checked by themselves', async () => {
    using folder = new TemporaryFolder();
    folder.write('one.xml', endpoint('x'));
    folder.write('two.xml', sequence('x', '<sequence key="elsewhere"/>'));
    expect((await run(folder.at('one.xml'), folder.at('two.xml'))).code).toBe(0);
  });

  test('an empty one is fine', async () => {
    using folder = new TemporaryFolder();
    expect(await run(folder.path)).toEqual({ code: 0, output: '0 files checked, all fine: 0 errors, 0 warnings\n' });
  });
});

test('--config has the values of placeholders', async () => {
  using folder = new TemporaryFolder();
  folder.write(
    'e.xml',
    `<endpoint xmlns="http://ws.apache.org/ns/synapse" name="e"><address uri="\${configs.url}"/></endpoint>`,
  );
  expect((await run(folder.at('e.xml'))).output).toContain('Parameter key: url could not be found');
  folder.write('deployment.toml', `[mini_synapse.configs]\nurl = "http://b/s"\n`);
  expect((await run(folder.at('e.xml'), '--config', folder.at('deployment.toml'))).code).toBe(0);
});

test('--config says which classes are mapped to modules; those are not run', async () => {
  using folder = new TemporaryFolder();
  folder.write(
    'all.xml',
    definitions(
      '<messageStore name="S" class="com.acme.Store"><parameter name="own">1</parameter></messageStore>' +
        '<messageProcessor name="P" class="com.acme.Processor" messageStore="S"><parameter name="interval">x</parameter></messageProcessor>' +
        '<sequence name="q"><class name="com.acme.Mediator"/><class name="com.acme.Unknown"/></sequence>',
    ),
  );
  const mapping = ['Store', 'Processor', 'Mediator'].map(
    (name) => `[[mini_synapse.extension]]\nclass = "com.acme.${name}"\nmodule = "./gone.ts"\n`,
  );
  folder.write('deployment.toml', mapping.join(''));
  const { code, output } = await run(folder.at('all.xml'), '--config', folder.at('deployment.toml'));
  expect(code).toBe(1);
  expect(output).toContain('1 file checked, 1 refused: 2 errors, 0 warnings');
  expect(output).toContain("parameter 'interval': 'x' is not a valid number");
  expect(output).toContain('Error loading class : com.acme.Unknown - Class not found');
  folder.write('deployment.toml', '[mini_synapse]\nextensio = 1');
  const wrong = await run(folder.at('all.xml'), '--config', folder.at('deployment.toml'));
  expect(wrong).toEqual({ code: 1, output: expect.stringContaining('mini-synapse check: ') });
});

test('--json (OP-124)', async () => {
  using folder = new TemporaryFolder();
  folder.write('d.xml', definitions(sequence('s'), '<nonsense/>'));
  const { code, output } = await run(folder.path, '--json');
  expect(code).toBe(1);
  expect(JSON.parse(output)).toEqual({
    files: [
      {
        file: folder.at('d.xml'),
        root: 'definitions',
        accepted: false,
        artifacts: [{ kind: 'sequence', name: 's', line: 1, column: expect.any(Number) }],
        diagnostics: [
          expect.objectContaining({
            severity: 'error',
            file: folder.at('d.xml'),
            line: 2,
            column: 1,
            message: expect.stringContaining('Invalid configuration element at the top level'),
            frame: expect.stringContaining('> 2 | <nonsense/>'),
          }),
        ],
      },
    ],
    summary: { files: 1, accepted: 0, refused: 1, errors: 1, warnings: 0 },
  });
});

test('a file that is not UTF-8 is refused, not a crash', async () => {
  using folder = new TemporaryFolder();
  folder.write('x.xml', Uint8Array.of(0x3c, 0x61, 0xff, 0x2f, 0x3e));
  const { code, output } = await run(folder.path);
  expect(code).toBe(1);
  expect(output).toContain('x.xml:1:1: error: cannot be read: the document has bytes that are not utf-8');
});
