/** The type of a `Content-Type` without its parameters, in lower case; empty if absent. */
export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
