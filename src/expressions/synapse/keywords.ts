/** Words that cannot follow a dot: they need `["…"]` (spec mediators 4.5.1). */
export const KEYWORDS: ReadonlySet<string> = new Set(
  'in nin subsetof anyof noneof size empty null true false and or'.split(' '),
);
