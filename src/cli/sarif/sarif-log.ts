import { isAbsolute, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FileReport } from '../../deployment/artifact-set.ts';
import { codeFrame, type Diagnostic } from '../../grammar/diagnostic.ts';
import { maskedSource } from '../../grammar/masked-source.ts';
import type { ArtifactFileReading } from '../../synapse/index.ts';
import { RULES, type Rule, ruleOf } from './rules.ts';

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json';

/**
 * What `check` found, as SARIF 2.1.0 (OP-124): one run, one result for each problem, with its rule, place, element path and code
 * frame. Names of files are relative to the working directory, which is what code hosts expect of a checkout.
 */
export function sarifLog(reports: readonly FileReport[], version: string) {
  const results = reports.flatMap(({ diagnostics, reading }) =>
    diagnostics.map((diagnostic) => resultOf(diagnostic, reading)),
  );
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'mini-synapse',
            version,
            semanticVersion: version,
            rules: RULES.map(ruleView),
          },
        },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { SRCROOT: { uri: `${pathToFileURL(process.cwd()).href.replace(/\/?$/, '/')}` } },
        artifacts: reports.map(({ reading }) => ({
          location: placeOf(reading.source.file),
          roles: ['analysisTarget'],
          mimeType: /\.(?:car|zip)$/i.test(reading.source.file) ? 'application/zip' : 'application/xml',
        })),
        invocations: [{ executionSuccessful: true }],
        results,
      },
    ],
  };
}

function ruleView({ id, title, help }: Rule) {
  return {
    id,
    name: id.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: title },
    fullDescription: { text: `${title} ${help}` },
    help: { text: help, markdown: help.replaceAll('&', '&amp;').replaceAll('<', '&lt;') },
  };
}

function resultOf(diagnostic: Diagnostic, reading: ArtifactFileReading) {
  const { severity, message, position, path, expected, nearest } = diagnostic;
  const rule = ruleOf(diagnostic);
  const { line, column } = position;
  const text = reading.sourceAt(position)?.text;
  const snippet = text === undefined ? undefined : maskedSource(text).split(/\r\n|\r|\n/)[line - 1];
  const frame = text === undefined ? undefined : codeFrame(text, line, column);
  const physicalLocation = {
    artifactLocation: placeOf(position.file),
    region: { startLine: line, startColumn: column, ...(snippet && { snippet: { text: snippet } }) },
  };
  return {
    ruleId: rule.id,
    ruleIndex: RULES.indexOf(rule),
    level: severity,
    message: { text: sentence({ message, expected, nearest }) },
    locations: [
      { physicalLocation, ...(path && { logicalLocations: [{ fullyQualifiedName: path, kind: 'element' }] }) },
    ],
    properties: { ...(expected && { expected }), ...(nearest && { didYouMean: nearest }), ...(frame && { frame }) },
  };
}

function sentence({
  message,
  expected,
  nearest,
}: Record<'message' | 'expected' | 'nearest', string | undefined>): string {
  const parts = [message?.trim(), expected && `expected ${expected}`, nearest && `did you mean '${nearest}'?`];
  return parts.filter(Boolean).join('; ');
}

/** Below the working directory by a relative name, which is that of the repository; elsewhere as a URL. */
function placeOf(file: string) {
  // Files of an archive are named behind it: `app.car!/x.xml`.
  const from = relative(process.cwd(), file);
  if (from.startsWith('..') || isAbsolute(from)) return { uri: pathToFileURL(file).href };
  return { uri: from.split(/[\\/]/).map(encodeURIComponent).join('/'), uriBaseId: 'SRCROOT' };
}
