import { relative } from 'node:path';
import type { FaultyFile } from '../deployment/index.ts';
import { problemTexts } from './artifact-check.ts';

/** A file that could not be deployed, with the text of its first hundred diagnostics. */
export interface FaultyArtifact {
  readonly file: string;
  readonly problems: readonly string[];
}

/** Each deployment has its own files; health and events ask for them every second. */
const described = new WeakMap<FaultyFile, FaultyArtifact>();

/** As the API shows it. */
export function faultyArtifact(faulty: FaultyFile): FaultyArtifact {
  const known = described.get(faulty);
  if (known) return known;
  const { file, diagnostics, text } = faulty;
  const made = { file: relative(process.cwd(), file) || file, problems: problemTexts(diagnostics, { file, text }) };
  described.set(faulty, made);
  return made;
}
