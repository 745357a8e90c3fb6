/**
 * `FAULT_TIMES=50`: how often servers, and the runtime at random moments, are killed and restarted in each row, instead of as
 * often as there is time for when everything runs.
 */
const TIMES = timesOf(process.env.FAULT_TIMES);

function timesOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const times = Number(text);
  if (!Number.isSafeInteger(times) || times < 1) throw new Error(`FAULT_TIMES=${text} is not a positive whole number`);
  return times;
}

/** What `FAULT_TIMES` says, else the usual number. */
export function timesOr(usual: number): number {
  return TIMES ?? usual;
}

/** For a test in which something happens so often that may take so long each time, ms. */
export function timeoutFor(times: number, eachMs: number): number {
  return 300_000 + times * eachMs;
}
