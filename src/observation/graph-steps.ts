import type { Endpoint } from '../endpoints/endpoint.ts';
import type { Reference } from '../grammar/reader.ts';
import type { Step, StepList } from '../mediation/step.ts';
import { type GraphDraft, nodeOf } from './graph-draft.ts';

/** Where messages come from that go to the next mediator. */
export interface Exit {
  readonly from: string;
  readonly label: string | undefined;
  readonly count: () => number;
}

/** Mediators after whose branches the flow goes on behind them. */
const JOINING: ReadonlySet<string> = new Set([
  'filter',
  'switch',
  'in',
  'out',
  'sequence',
  'validate',
  'throttle',
  'cache',
  'conditionalRouter',
]);
/** Mediators behind which nothing comes. */
const TERMINAL: ReadonlySet<string> = new Set(['drop', 'respond', 'send', 'loopback', 'throwError']);

/**
 * Draws the mediators of a list one behind the other.
 * @param entries where its messages come from
 * @param parent the artifact that it is written in
 * @returns where its messages go on from
 */
export function drawList(draft: GraphDraft, list: StepList, entries: readonly Exit[], parent: string): readonly Exit[] {
  let exits = entries;
  for (const step of list.steps) {
    const id = `mediator:${step.id}`;
    const { mediator, label, position } = step;
    draft.node({
      id,
      kind: 'mediator',
      name: mediator,
      label: label === undefined ? mediator : `${mediator} ${label}`,
      position,
      parent,
    });
    const only = exits.length === 1;
    const errors = () => step.counts.faults;
    for (const exit of exits)
      draft.edge({ ...exit, to: id, count: only ? () => step.counts.entered : exit.count, ...(only && { errors }) });
    drawReferences(draft, step, id);
    exits = drawBranches(draft, step, id, parent);
  }
  return exits;
}

function drawBranches(draft: GraphDraft, step: Step, id: string, parent: string): readonly Exit[] {
  const { branches, counts } = step;
  const ends = branches.flatMap((branch) => {
    const label = branch.id.slice(step.id.length + 1);
    const inside = drawList(draft, branch, [{ from: id, label, count: () => branch.counts.entered }], parent);
    return inside.length === 1 && branch.steps.length > 0
      ? inside.map((exit) => ({ ...exit, count: () => branch.counts.completed }))
      : inside;
  });
  if (TERMINAL.has(step.mediator)) return [];
  const passed = () => Math.max(0, counts.entered - counts.stopped - counts.faults);
  if (!JOINING.has(step.mediator) || branches.length === 0) return [{ from: id, label: undefined, count: passed }];
  if (!mayBypass(step)) return ends;
  const bypassed = () => Math.max(0, passed() - branches.reduce((sum, branch) => sum + branch.counts.completed, 0));
  return [...ends, { from: id, label: 'else', count: bypassed }];
}

/** Are there messages that go through none of its branches? */
function mayBypass({ id, mediator, branches }: Step): boolean {
  if (mediator === 'sequence') return false;
  const names = branches.map((branch) => branch.id.slice(id.length + 1));
  if (mediator === 'filter') return !names.includes('else');
  if (mediator === 'switch') return !names.some((name) => name.startsWith('default'));
  return true;
}

function drawReferences(draft: GraphDraft, step: Step, id: string): void {
  const targets = step.references.filter((reference) => reference.attribute !== 'onError');
  const entered = () => step.counts.entered;
  for (const reference of step.references) {
    const to = nodeOf(reference);
    if (to === undefined) continue;
    const onError = reference.attribute === 'onError';
    const label = onError ? 'on error' : labelOf(reference, targets);
    const count = onError ? () => 0 : entered;
    draft.edge({ from: id, to, label, count, errors: () => (onError ? 0 : step.counts.faults) });
  }
  for (const [index, endpoint] of step.endpoints.entries()) drawEndpoint(draft, step, id, { endpoint, index });
}

/** Several targets of one kind are told apart by the attribute that names them. */
function labelOf(reference: Reference, all: readonly Reference[]): string | undefined {
  const alike = all.filter(({ kind }) => kind === reference.kind);
  return alike.length > 1 && reference.attribute !== undefined && reference.attribute !== 'key'
    ? reference.attribute
    : undefined;
}

function drawEndpoint(
  draft: GraphDraft,
  step: Step,
  id: string,
  { endpoint, index }: { readonly endpoint: Endpoint; readonly index: number },
): void {
  // What an indirect one means is a node of its own already.
  if (endpoint.kind === 'indirect') return;
  const target = `endpoint:${step.id}/${index + 1}`;
  draft.endpoint(target, endpoint, endpoint.position, id);
  const count = () => endpoint.counts?.requests ?? step.counts.entered;
  draft.edge({ from: id, to: target, label: undefined, count, errors: () => endpoint.counts?.errors ?? 0 });
}
