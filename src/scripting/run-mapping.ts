import { JobError, type Runner } from '../isolation/jobs.ts';
import { type MappingInput, mappingEnvironment } from './inside/mapping-environment.ts';
import { readInput } from './mapping-input.ts';
import type { MappingJob, MappingResult } from './mapping-job.ts';
import { writeOutput } from './mapping-output.ts';
import { identifierOf, readSchema } from './mapping-schema.ts';
import { inSandbox } from './sandbox.ts';

/** What the tooling generates: `map_S_root_S_root = function () {…}`; newer tools also write `mapFunction`. */
const GENERATED = /\b(map_[LS]_[\w$]+)\s*=\s*function|function\s+(map_[LS]_[\w$]+)\s*\(/;
const INPUT_NAMES = /\binput[\w$]*/g;
const SETUP = `(${mappingEnvironment})`;

/** Runs the data mapper's mappings, in an isolated thread (spec mediators 3.33). */
export function mappingRunner(): Runner<'mapping'> {
  return { run };
}

async function run(job: MappingJob): Promise<MappingResult> {
  const inputSchema = readSchema(job.inputSchema, 'input');
  const outputSchema = readSchema(job.outputSchema, 'output');
  const found = GENERATED.exec(job.mapping);
  const call = found?.[1] ?? found?.[2] ?? (/\bmapFunction\b/.test(job.mapping) ? 'mapFunction' : undefined);
  if (call === undefined) throw new JobError('the mapping has neither a function map_… nor mapFunction');
  const given: MappingInput = {
    input: readInput(job.input, job.inputType, inputSchema),
    properties: job.properties,
    names: [
      ...new Set([`input${identifierOf(inputSchema.title ?? 'root')}`, ...(job.mapping.match(INPUT_NAMES) ?? [])]),
    ],
    call,
    output: `output${identifierOf(outputSchema.title ?? 'root')}`,
  };
  const code = job.mapping.replace(/^\s*export\s+(?=(?:async\s+)?function|const|let|var)/gm, '');
  const run = { setup: SETUP, input: JSON.stringify(given), host: () => null, limitMs: job.limitMs };
  const output = await inSandbox(run, (sandbox) => {
    sandbox.evaluate(code, 'mapping');
    return sandbox.text(sandbox.call('finish'));
  });
  return { text: writeOutput(JSON.parse(output), job.outputType, outputSchema) };
}
