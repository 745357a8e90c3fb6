import type { ArtifactReader } from '../grammar/reader.ts';
import type { ModuleAnswer } from './loaded-module.ts';

/** What to do about a class that is neither built in nor mapped. */
export const CLASS_NOT_MAPPED = (exported: string): string =>
  `Java classes do not run here: write a JavaScript or TypeScript module that exports ${exported}, and map the class to it in ` +
  'deployment.toml: [[mini_synapse.extension]] class = "…" module = "./extensions/….ts"';

/** The module behind a class name of an artifact. */
export function mappedModule(className: string, { values }: ArtifactReader): ModuleAnswer | 'not-mapped' {
  return values.extension?.(className.trim()) ?? 'not-mapped';
}
