import type { FaultyFile } from '../deployment/index.ts';
import { problemTexts } from './artifact-check.ts';

/** A file that could not be deployed, with the text of its first hundred diagnostics. */
export interface FaultyArtifact {
  /** Relative to the artifact folder, as the list of artifacts has it. */
  readonly file: string;
  readonly problems: readonly string[];
}

/** Each deployment has its own files; health and events ask for them every second. */
const described = new WeakMap<FaultyFile, FaultyArtifact>();

/** As the API shows it. */
export function faultyArtifact(faulty: FaultyFile): FaultyArtifact {
  const known = described.get(faulty);
  if (known) return known;
  const { path, file, diagnostics, text } = faulty;
  const made = { file: path, problems: problemTexts(diagnostics, { file, text }) };
  described.set(faulty, made);
  return made;
}
