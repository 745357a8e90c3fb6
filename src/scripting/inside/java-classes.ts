/*
 * Runs inside the sandbox, see `xml-tree.ts`: self-contained. The few classes of Java that artifacts use in scripts (spec mediators 3.17).
 */

/** Global variables of scripts. `script-source.ts` knows the same names. */
export function javaClasses(outside: { uuid(): string; sleep(ms: number): void }): Readonly<Record<string, unknown>> {
  let slept = 0;
  const sleep = (ms: unknown) => {
    const duration = Number(ms);
    if (!(duration >= 0)) throw new RangeError('timeout value is negative');
    slept += duration;
    outside.sleep(duration);
  };
  const uuid = () => {
    const text = outside.uuid();
    return { toString: () => text };
  };
  // The few classes of Java that artifacts use in scripts. Time that was slept has passed.
  const now = Date.now;
  Date.now = () => now() + slept;
  const classes: Record<string, unknown> = {
    'java.lang.Thread': { sleep },
    'java.util.UUID': { randomUUID: uuid },
    'java.lang.String': String,
    'java.lang.Integer': { parseInt: (text: string) => parseInt(text, 10), valueOf: Number },
  };
  const java: Record<string, Record<string, unknown>> = { lang: {}, util: {} };
  for (const [name, value] of Object.entries(classes)) {
    const [, group = '', local = ''] = name.split('.');
    (java[group] as Record<string, unknown>)[local] = value;
  }
  return {
    java,
    Packages: { java },
    Java: {
      type(name: unknown) {
        const found = classes[String(name)];
        if (found === undefined) throw new TypeError(`there is no class ${String(name)} here`);
        return found;
      },
    },
  };
}
