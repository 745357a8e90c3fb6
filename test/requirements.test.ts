import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { namedRequirements, requirementsOf } from './support/named-requirements.ts';

const SPECIFICATION = '../shared/spec/operator-requirements.md';

/** What no test shows, and why. */
const NOT_SHOWN: Readonly<Record<string, string>> = {
  'OP-101':
    'a figure of speed, which a loaded machine does not give: eventloop_delay_seconds shows it, and an alert rule watches it',
  'OP-102':
    'figures of memory, taken by npm run bench (start), bench:backlog and the soak bench; docs/bench and the README have them',
};

const named = namedRequirements();

describe.skipIf(!existsSync(SPECIFICATION))(`the requirements in ${SPECIFICATION}`, () => {
  const wanted = existsSync(SPECIFICATION) ? requirementsOf(readFileSync(SPECIFICATION, 'utf8')) : new Map();

  it('of P0 and P1 are each named by the title of a test, or it is said why not', () => {
    const missing = [...wanted].filter(([number, priority]) => priority !== 'P2' && !named.has(number));
    expect(missing.map(([number]) => number).sort()).toEqual(Object.keys(NOT_SHOWN).sort());
  });

  it('are all that titles name', () => {
    expect(wanted.size).toBeGreaterThan(80);
    expect([...named.keys()].filter((number) => !wanted.has(number))).toEqual([]);
  });
});
