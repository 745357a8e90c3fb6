import type { Stop } from './stops-probe.ts';

/** A stop, and of whom. */
export interface Named extends Stop {
  readonly name: string;
}

/** Of `-Xlog:safepoint:...:time`: when all threads of the broker stood still for at least so many ms, and what for. */
export function brokerStops(log: string, leastMs: number): Named[] {
  return [...log.matchAll(/^\[([^\]]+)\].*Safepoint "([^"]+)".* Total: +(\d+) ns/gm)].flatMap(
    ([, at = '', reason, total]) => {
      const tookMs = Number(total) / 1e6;
      // +0000 is not what Date reads.
      const to = Date.parse(at.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
      return tookMs < leastMs ? [] : [{ name: `broker stands still for ${reason}`, from: to - tookMs, to }];
    },
  );
}

/** What ActiveMQ says about accesses to its store that took longer than it was told, one each. */
export function slowAccesses(lines: readonly string[]): Named[] {
  return lines.flatMap((line) => {
    const [, at = '', what = ''] = /^([\d-]+ [\d:]+,\d+) \|.*?\| (Slow KahaDB access: .*?) \|/.exec(line) ?? [];
    if (what === '') return [];
    const to = Date.parse(at.replace(' ', 'T').replace(',', '.'));
    const tookMs = [...what.matchAll(/(\d+) ms/g)].reduce((sum, [, part]) => sum + Number(part), 0);
    return [{ name: what, from: to - tookMs, to }];
  });
}

/** One line for each long stop of one of `whose`: when, how long, and how much of it each other one stood still, too. */
export function reasonsOf(stops: readonly Named[], whose: readonly string[], leastMs: number): string[] {
  return stops
    .filter(({ name, from, to }) => whose.includes(name) && to - from >= leastMs)
    .sort((one, other) => one.from - other.from)
    .map((stop) => {
      const beside = stops.filter((other) => other !== stop && overlapMs(stop, other) > 0);
      const said = beside.map((other) => `${other.name} ${overlapMs(stop, other).toFixed(0)}`);
      return `${new Date(stop.from).toISOString().slice(11, 23)} ${stop.name} ${(stop.to - stop.from).toFixed(0)} ms: ${said.join(', ') || 'nothing else'}`;
    });
}

function overlapMs(one: Stop, other: Stop): number {
  return Math.max(0, Math.min(one.to, other.to) - Math.max(one.from, other.from));
}
