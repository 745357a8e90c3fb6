import { UsageError } from './io.ts';

/** An artifact as it is named on the command line. */
export interface ArtifactReference {
  readonly kind: string;
  readonly name: string;
}

/** Reads `KIND:NAME`. @param where what stands in front of it, for example `--artifact` @throws UsageError */
export function artifactReference(where: string, written: string): ArtifactReference {
  const [, kind, name] = /^(\w+):(.+)$/.exec(written) ?? [];
  if (kind !== undefined && name !== undefined) return { kind, name };
  throw new UsageError(`${where} ${written}: expected KIND:NAME, for example proxy:Orders`.trimStart());
}
