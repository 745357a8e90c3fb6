import { globSync, readFileSync } from 'node:fs';

/** A test that names a requirement in its title. */
export interface NamedTest {
  readonly file: string;
  readonly title: string;
}

/** A text that stands right behind an opening parenthesis, as the title of a test does, also that of `it.each(…)(…)`. */
const TITLES = /\(\s*(['"`])((?:(?!\1)[^\\]|\\.)*)\1/gs;

/** Requirement (`OP-12`) -> the tests whose titles name it, by the files of `test`. */
export function namedRequirements(): ReadonlyMap<string, readonly NamedTest[]> {
  const named = new Map<string, NamedTest[]>();
  for (const file of globSync('test/**/*.ts').sort()) {
    for (const [, , title = ''] of readFileSync(file, 'utf8').matchAll(TITLES))
      for (const [number] of title.matchAll(/\bOP-\d+/g))
        named.set(number, [...(named.get(number) ?? []), { file, title }]);
  }
  return named;
}

/** Requirement -> priority (`P0` to `P2`), as the specification has them in tables and in lines of text. */
export function requirementsOf(specification: string): ReadonlyMap<string, string> {
  const lines = [
    ...specification.matchAll(/^\| (OP-\d+) \| (P\d) \|/gm),
    ...specification.matchAll(/(OP-\d+) \**(P\d)\b/g),
  ];
  return new Map(lines.map(([, number = '', priority = '']) => [number, priority]));
}
