/** Texts that are kept compiled; the oldest is forgotten first. */
const MAX_COMPILED = 100;

/** Compiles texts that come with messages, each once as long as there are few of them. */
export function recentlyCompiled<T>(compile: (text: string) => T): (text: string) => T {
  const compiled = new Map<string, T>();
  return (text) => {
    const known = compiled.get(text);
    if (known !== undefined) return known;
    const fresh = compile(text);
    compiled.set(text, fresh);
    for (const oldest of compiled.keys()) {
      if (compiled.size <= MAX_COMPILED) break;
      compiled.delete(oldest);
    }
    return fresh;
  };
}
