/** A tree of objects, lists and texts as block-style YAML; texts are written as JSON writes them, which YAML reads. */
export function yamlOf(value: unknown): string {
  return `${lines(value).join('\n')}\n`;
}

function lines(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [JSON.stringify(value)];
  if (Array.isArray(value)) return value.flatMap((item) => hung('- ', lines(item)));
  return Object.entries(value as Readonly<Record<string, unknown>>).flatMap(([key, inner]) => entry(key, inner));
}

function entry(key: string, value: unknown): string[] {
  const name = /^[A-Za-z][\w-]*$/.test(key) ? key : JSON.stringify(key);
  if (typeof value !== 'object' || value === null) return [`${name}: ${JSON.stringify(value)}`];
  if (Object.keys(value).length === 0) return [`${name}: ${Array.isArray(value) ? '[]' : '{}'}`];
  return [`${name}:`, ...lines(value).map((line) => `  ${line}`)];
}

function hung(mark: string, inside: readonly string[]): string[] {
  return inside.map((line, index) => (index === 0 ? mark : ' '.repeat(mark.length)) + line);
}
