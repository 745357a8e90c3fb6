/** Runs an asynchronous step for every item, at most `limit` at a time. Rejects with the first failure. */
export async function forEachBounded<T>(
  items: Iterable<T>,
  limit: number,
  step: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const lane = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await step(next.value);
  };
  await Promise.all(Array.from({ length: limit }, lane));
}
