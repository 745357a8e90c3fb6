/** A module of the console that needs no browser. @param path below its folder of static files */
export async function consoleModule<T>(path: string): Promise<T> {
  return (await import(new URL(`../../src/console/static/${path}`, import.meta.url).href)) as T;
}
