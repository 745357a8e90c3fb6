const HOUR_MS = 3_600_000;

/** The least of every `size` values one after the other; a rest that is shorter does not count. */
export function troughs(values: readonly number[], size: number): number[] {
  const least: number[] = [];
  for (let at = 0; at + size <= values.length; at += size) least.push(Math.min(...values.slice(at, at + size)));
  return least;
}

/**
 * How much values grow by the hour that were taken every `everyMs`: the median of the slopes between all pairs of them (Theil and Sen),
 * which a few outliers do not move, as garbage that has just been or not been collected makes them.
 * NaN for less than two values.
 */
export function slopePerHour(values: readonly number[], everyMs: number): number {
  const slopes: number[] = [];
  values.forEach((value, at) => {
    for (let later = at + 1; later < values.length; later += 1)
      slopes.push((((values[later] ?? Number.NaN) - value) / ((later - at) * everyMs)) * HOUR_MS);
  });
  slopes.sort((one, other) => one - other);
  const middle = Math.floor(slopes.length / 2);
  return ((slopes[middle] ?? Number.NaN) + (slopes[slopes.length - 1 - middle] ?? Number.NaN)) / 2;
}
