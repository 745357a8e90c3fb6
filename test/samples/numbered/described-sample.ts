import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';

/** `repository/conf/sample` of an Apache Synapse distribution, where one is at hand. */
const DISTRIBUTION = process.env.SYNAPSE_SAMPLES;

/**
 * Tests of a numbered sample whose file is not in the open corpus: with an artifact of our own after its row in the catalogue
 * (stockquote-samples 3.1), and with the file itself where the environment's SYNAPSE_SAMPLES names the folder that has it.
 * @param title begins with the sample's number
 */
export function described(title: string, own: string, tests: (xml: string) => void): void {
  describe(title, () => tests(`<definitions xmlns="http://ws.apache.org/ns/synapse">${own}</definitions>`));
  const file = join(DISTRIBUTION ?? 'SYNAPSE_SAMPLES', `synapse_sample_${/^\d+/.exec(title)?.[0]}.xml`);
  describe.skipIf(!existsSync(file))(`${title} (${file})`, () => {
    tests(existsSync(file) ? readFileSync(file, 'utf8') : '');
  });
}
