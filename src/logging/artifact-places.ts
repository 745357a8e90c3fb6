/** More are not remembered; the one that was placed first is forgotten. */
const MAX_PLACES = 10_000;

interface Place {
  readonly file: string;
  readonly line: number;
}

type Details = Readonly<Record<string, string | number | boolean | undefined>>;

/** The detail that names an artifact of this kind. */
const NAMED_BY = { messageProcessor: 'processor', messageStore: 'store' } as const;

export type PlacedKind = keyof typeof NAMED_BY;

const places = new Map<string, Place>();

/** Where an artifact stands, for the lines that name it (OP-70). It stays known when the artifact is gone: its last lines come then. */
export function placeArtifact(kind: PlacedKind, name: string, { file, line }: Place): void {
  const key = `${kind} ${name}`;
  places.delete(key);
  places.set(key, { file, line });
  for (const first of places.keys()) {
    if (places.size <= MAX_PLACES) return;
    places.delete(first);
  }
}

/** With artifact, file and line of the processor or store that the details name, where they tell of no other place. */
export function withPlace(details: Details): Details {
  if (places.size === 0 || details.file !== undefined) return details;
  for (const [kind, member] of Object.entries(NAMED_BY)) {
    const name = details[member];
    const place = name === undefined ? undefined : places.get(`${kind} ${name}`);
    if (!place) continue;
    const { artifact = name, artifactKind = details.artifact === undefined ? kind : undefined } = details;
    return { ...details, ...(artifactKind !== undefined && { artifactKind }), artifact, ...place };
  }
  return details;
}
