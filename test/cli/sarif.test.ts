import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check } from '../../src/cli/check.ts';
import { RULES, ruleOf } from '../../src/cli/sarif/rules.ts';

class Text extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function run(...args: string[]) {
  const [stdout, stderr] = [new Text(), new Text()];
  const code = await check(args, { stdout, stderr });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

const NS = 'xmlns="http://ws.apache.org/ns/synapse"';
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-sarif-'));
  mkdirSync(join(folder, 'proxy services'));
  const proxy = `<proxy ${NS} name="P"><target><inSequence>\n  <lgo/><log foo="x"/>\n</inSequence></target></proxy>`;
  writeFileSync(join(folder, 'proxy services', 'Größe #1.xml'), proxy);
  writeFileSync(join(folder, 'good.xml'), `<sequence ${NS} name="S"><sequence key="none"/></sequence>`);
  writeFileSync(join(folder, 'broken.xml'), `<sequence ${NS} name="T"><log>`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = { type: 'string', minLength: 1 };
const message = { type: 'object', required: ['text'], properties: { text, markdown: text } };
const place = {
  type: 'object',
  required: ['uri'],
  properties: { uri: { type: 'string', format: 'uri-reference', pattern: '^[^ ]+$' }, uriBaseId: text },
  additionalProperties: false,
};
const line = { type: 'integer', minimum: 1 };

/** What SARIF 2.1.0 requires of the members that are written, and no members but its own. */
const SARIF = {
  type: 'object',
  required: ['version', 'runs'],
  additionalProperties: false,
  properties: {
    $schema: { type: 'string' },
    version: { const: '2.1.0' },
    runs: {
      type: 'array',
      items: {
        type: 'object',
        required: ['tool'],
        additionalProperties: false,
        properties: {
          tool: {
            type: 'object',
            required: ['driver'],
            properties: {
              driver: {
                type: 'object',
                required: ['name'],
                additionalProperties: false,
                properties: {
                  name: text,
                  version: text,
                  semanticVersion: text,
                  rules: {
                    type: 'array',
                    uniqueItems: true,
                    items: {
                      type: 'object',
                      required: ['id'],
                      additionalProperties: false,
                      properties: {
                        id: text,
                        name: { type: 'string', pattern: '^[A-Z]\\w+$' },
                        shortDescription: message,
                        fullDescription: message,
                        help: message,
                      },
                    },
                  },
                },
              },
            },
          },
          columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
          originalUriBaseIds: { type: 'object', additionalProperties: place },
          artifacts: {
            type: 'array',
            uniqueItems: true,
            items: {
              type: 'object',
              additionalProperties: false,
              properties: {
                location: place,
                roles: { type: 'array', items: { enum: ['analysisTarget'] } },
                mimeType: { type: 'string', pattern: '^[^/]+/.+$' },
              },
            },
          },
          invocations: { type: 'array', items: { type: 'object', required: ['executionSuccessful'] } },
          results: {
            type: 'array',
            items: {
              type: 'object',
              required: ['message'],
              additionalProperties: false,
              properties: {
                ruleId: text,
                ruleIndex: { type: 'integer', minimum: 0 },
                level: { enum: ['none', 'note', 'warning', 'error'] },
                message,
                properties: { type: 'object' },
                locations: {
                  type: 'array',
                  items: {
                    type: 'object',
                    additionalProperties: false,
                    required: ['physicalLocation'],
                    properties: {
                      physicalLocation: {
                        type: 'object',
                        required: ['artifactLocation'],
                        properties: {
                          artifactLocation: place,
                          region: {
                            type: 'object',
                            required: ['startLine'],
                            properties: { startLine: line, startColumn: line, snippet: { type: 'object' } },
                          },
                        },
                      },
                      logicalLocations: {
                        type: 'array',
                        items: { type: 'object', properties: { fullyQualifiedName: text, kind: text } },
                      },
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
};

describe('check --format sarif (OP-124)', () => {
  it('is SARIF 2.1.0 with rules, places and frames; the exit code is that of check', async () => {
    const { code, stdout, stderr } = await run(folder, '--format', 'sarif');
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    const log = JSON.parse(stdout);
    const validate = new Ajv2020({ strict: false, formats: { 'uri-reference': true } }).compile(SARIF);
    validate(log);
    expect(validate.errors).toBeNull();
    const [{ tool, results, artifacts }] = log.runs;
    expect(artifacts).toHaveLength(3);
    const byRule = Object.groupBy(results, ({ ruleId }: { ruleId: string }) => ruleId);
    expect(Object.keys(byRule).sort()).toEqual([
      'dangling-reference',
      'not-xml',
      'unknown-attribute',
      'unknown-mediator',
    ]);
    for (const { ruleId, ruleIndex, locations } of results) {
      expect(tool.driver.rules[ruleIndex].id).toBe(ruleId);
      const { artifactLocation, region } = locations[0].physicalLocation;
      const lines = readFileSync(fileURLToPath(artifactLocation.uri), 'utf8').split('\n');
      expect(region.startLine).toBeLessThanOrEqual(lines.length);
      expect(region.snippet.text).toBe(lines[region.startLine - 1]);
    }
    expect(byRule['unknown-mediator']?.[0]).toMatchObject({
      level: 'error',
      message: { text: expect.stringContaining("did you mean 'log'?") },
      locations: [
        {
          physicalLocation: { region: { startLine: 2, startColumn: 3 } },
          logicalLocations: [{ fullyQualifiedName: 'proxy[P]/target/inSequence/lgo' }],
        },
      ],
    });
    expect(byRule['unknown-attribute']?.[0]).toMatchObject({ level: 'warning' });
  });

  it('names files below the working directory as the repository does', async () => {
    const { stdout } = await run('samples', '--format', 'sarif');
    const [{ artifacts, originalUriBaseIds }] = JSON.parse(stdout).runs;
    expect(originalUriBaseIds.SRCROOT.uri).toMatch(/^file:\/\/.*\/$/);
    expect(artifacts.length).toBeGreaterThan(3);
    for (const { location } of artifacts)
      expect(location).toMatchObject({ uriBaseId: 'SRCROOT', uri: expect.stringMatching(/^samples\//) });
  });

  it('--json is --format json; other words and both at once are wrong usage', async () => {
    expect((await run(folder, '--format', 'json')).stdout).toBe((await run(folder, '--json')).stdout);
    expect((await run(folder, '--format', 'text')).stdout).toBe((await run(folder)).stdout);
    await expect(run(folder, '--format', 'xml')).rejects.toThrow('expected one of text, json, sarif');
    await expect(run(folder, '--json', '--format', 'sarif')).rejects.toThrow('only one of');
  });
});

describe('the rules', () => {
  it('have ids of their own, a title and a help', () => {
    expect(new Set(RULES.map(({ id }) => id)).size).toBe(RULES.length);
    for (const { id, title, help } of RULES) {
      expect(id).toMatch(/^[a-z]+(?:-[a-z]+)*$/);
      expect(title).toMatch(/\.$/);
      expect(help).toMatch(/\.$/);
    }
  });

  it.each([
    ['not well-formed: unclosed element <log>', 'not-xml'],
    ['Ruby scripts are not supported: they need a Java virtual machine', 'not-supported'],
    ['unknown extension parameter', 'parameter'],
    ["attribute 'level' of <log>: 'x' is not allowed", 'wrong-value'],
    ["the prefix 'm' is not declared: the expression will fail", 'expression'],
    ['something that nobody has thought of', 'artifact-error'],
  ])('%s: %s', (text, id) => {
    expect(ruleOf({ message: text }).id).toBe(id);
  });
});
