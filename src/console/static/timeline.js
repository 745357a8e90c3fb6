import { epoch } from './format.js';

/** Clocks of one moment are read one after the other, ms. */
const SLACK_MS = 3;

/**
 * Steps, store hops and deliveries of a trace in the order they happened; what an attempt to deliver has called stands behind it, one step in.
 * @returns {Array<{key: string, type: 'step'|'hop'|'delivery', depth: number, at: number, title: string, note?: string} & Record<string, any>>}
 */
export function timeline({ steps, hops = [], deliveries = [] }) {
  const tried = deliveries.map(attemptOf);
  const all = stepsOf(steps);
  const callOf = (attempt) =>
    all.filter((step) => step.mediator === 'endpoint' && step.depth === 0 && isWithin(step, attempt));
  const calls = new Map(tried.map((attempt) => [attempt, callOf(attempt)]));
  const called = new Set([...calls.values()].flat());
  const stored = hops.map((hop, index) => hopOf(hop, index, tried));
  // What is of the same millisecond stays in this order: steps are before where they led to.
  return [...all.filter((step) => !called.has(step)), ...stored, ...tried]
    .map((entry, index) => ({ entry, index }))
    .sort((left, right) => left.entry.at - right.entry.at || left.index - right.index)
    .flatMap(({ entry }) => [entry, ...(calls.get(entry) ?? []).map((step) => ({ ...step, depth: 1 }))]);
}

function stepsOf(steps) {
  const depths = new Map([[0, -1]]);
  return steps.map((step) => {
    const depth = (depths.get(step.parent) ?? -1) + 1;
    depths.set(step.n, depth);
    const { n, startedAt, mediator, name, branch } = step;
    return {
      ...step,
      key: `step-${n}`,
      type: 'step',
      depth,
      at: epoch(startedAt),
      title: mediator,
      note: name ?? branch,
    };
  });
}

/** A store may be told that it has a message when somebody has taken it already. */
function hopOf(hop, index, tried) {
  const taken = tried.filter(({ store }) => store === undefined || store === hop.store).map(({ at }) => at);
  const at = Math.min(epoch(hop.storedAt), ...taken);
  return { ...hop, key: `hop-${index}`, type: 'hop', depth: 0, at, title: `stored in ${hop.store}`, outcome: 'stored' };
}

function attemptOf(delivery, index) {
  const { startedAt, attempt, processor, status } = delivery;
  const note = [`by ${processor}`, status].filter(Boolean).join(' · ');
  return {
    ...delivery,
    key: `delivery-${index}`,
    type: 'delivery',
    depth: 0,
    at: epoch(startedAt),
    title: `attempt ${attempt}`,
    note,
  };
}

function isWithin({ at, durationMs = 0, name }, attempt) {
  if (attempt.endpoint !== undefined && name !== undefined && attempt.endpoint !== name) return false;
  return at >= attempt.at - SLACK_MS && at + durationMs <= attempt.at + (attempt.durationMs ?? 0) + SLACK_MS;
}
