import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';
import { FIGURES_FOLDER } from './figures.ts';

/** Which scenarios of a run held, and which did not: one that failed early has no figures to tell of it. */
export interface Outcomes {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
}

const FILE = 'outcomes';

/** A reporter of vitest that leaves the outcomes beside the figures, for report.ts. */
export default class OutcomesReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const folder = process.env[FIGURES_FOLDER];
    if (folder === undefined || !existsSync(folder)) return;
    const found = { passed: [] as string[], failed: [] as string[] };
    for (const module of modules) {
      if (module.errors().length > 0) found.failed.push(scenario(module.project.name, module.relativeModuleId));
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed' || state === 'failed') found[state].push(scenario(test.project.name, test.fullName));
      }
    }
    writeFileSync(join(folder, FILE), JSON.stringify(found));
  }
}

/** How often something happens is part of the names of tests, and differs from run to run. */
export function scenario(server: string, name: string): string {
  return `${server}: ${name.replace(/\d+/g, 'N')}`;
}

/** What {@link OutcomesReporter} has left. */
export function readOutcomes(folder: string): Outcomes {
  const file = join(folder, FILE);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Outcomes) : { passed: [], failed: [] };
}

/** What has failed and did not pass since. */
export function stillFailed(before: readonly string[], { passed, failed }: Outcomes): readonly string[] {
  const left = before.filter((name) => !passed.includes(name));
  return [...new Set([...left, ...failed])].sort();
}
