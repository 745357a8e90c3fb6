import { clock, duration } from './quantities.ts';
import { coloured, colourOfState, printable, type Terminal } from './terminal.ts';

interface ValueChange {
  readonly scope: string;
  readonly name: string;
  readonly before?: string;
  readonly after?: string;
}

interface Step {
  readonly n: number;
  readonly parent: number;
  readonly mediator: string;
  readonly name?: string;
  readonly file: string;
  readonly line: number;
  readonly durationMs: number | null;
  readonly branch?: string;
  readonly outcome: string;
  readonly error?: string;
  readonly status?: number;
  readonly changes?: {
    readonly properties: readonly ValueChange[];
    readonly headers: readonly ValueChange[];
    readonly bodyChanged?: boolean;
    readonly body?: { readonly before: string; readonly after: string; readonly truncated: boolean };
  };
}

/** A trace with all that is known of it, as the management API gives it. */
export interface FullTrace {
  readonly id: string;
  readonly messageId: string;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly artifact: { readonly kind: string; readonly name: string };
  readonly client?: string;
  readonly status?: number;
  readonly outcome: string;
  readonly failure?: { readonly message: string };
  readonly truncated?: boolean;
  readonly steps: readonly Step[];
  readonly hops: ReadonlyArray<{ readonly store: string; readonly storedAt: string; readonly messageId: string }>;
  readonly deliveries: ReadonlyArray<{
    readonly processor: string;
    readonly attempt: number;
    readonly startedAt: string;
    readonly durationMs: number;
    readonly endpoint?: string;
    readonly status?: number;
    readonly outcome: string;
    readonly cause?: string;
  }>;
}

const MAX_BODY_LINES = 40;

/** The way of one message: its steps as a tree with what each changed, then stores and delivery attempts. */
export function traceText(trace: FullTrace, terminal: Terminal): string {
  const { id, messageId, artifact, startedAt, durationMs, client, status, outcome, failure } = trace;
  const lines = [
    `Trace ${id} of message ${messageId}`,
    `${artifact.kind}:${artifact.name}, ${clock(startedAt)}, ${duration(durationMs)}${client ? `, from ${client}` : ''}${status ? `, answered ${status}` : ''}`,
  ].map((line) => printable(line));
  lines.push(`outcome: ${coloured(printable(outcome), colourOfState(outcome), terminal)}`);
  if (failure) lines.push(coloured(printable(failure.message), 'red', terminal));
  lines.push('');
  const children = Map.groupBy(trace.steps, ({ parent }) => parent);
  const known = new Set(trace.steps.map(({ n }) => n));
  for (const step of trace.steps)
    if (step.parent === 0 || !known.has(step.parent)) addStep(step, 0, children, lines, terminal);
  if (trace.truncated) lines.push('… further steps were not kept');
  for (const { store, storedAt, messageId: stored } of trace.hops)
    lines.push(printable(`→ stored in ${store} at ${clock(storedAt)} as ${stored}`));
  for (const delivery of trace.deliveries) {
    const {
      processor,
      attempt,
      startedAt: at,
      durationMs: took,
      endpoint,
      status: answered,
      outcome: end,
      cause,
    } = delivery;
    const where = endpoint === undefined ? '' : ` to ${endpoint}`;
    const what = [answered, cause].filter((part) => part !== undefined).join(' ');
    lines.push(
      `→ ${printable(processor)}, attempt ${attempt}${printable(where)} at ${clock(at)}, ${duration(took)}: ${coloured(printable(end), colourOfState(end), terminal)} ${printable(what)}`.trimEnd(),
    );
  }
  return `${lines.join('\n')}\n`;
}

function addStep(
  step: Step,
  depth: number,
  children: ReadonlyMap<number, readonly Step[]>,
  lines: string[],
  terminal: Terminal,
): void {
  const indent = '  '.repeat(depth);
  const { mediator, name, file, line, durationMs, branch, outcome, error, status, changes } = step;
  const took = durationMs === null ? 'not ended' : duration(durationMs);
  const title = [mediator, name, branch && `(${branch})`, status].filter(Boolean).join(' ');
  const fault = outcome === 'fault';
  const shown = coloured(printable(title), fault ? 'red' : 'bold', terminal);
  lines.push(`${indent}${shown}  ${coloured(printable(`${file}:${line}  ${took}`), 'gray', terminal)}`);
  if (error !== undefined) lines.push(`${indent}    ${coloured(printable(error), 'red', terminal)}`);
  for (const { scope, name: changed, before, after } of [...(changes?.properties ?? []), ...(changes?.headers ?? [])])
    lines.push(`${indent}    ${printable(changeText(scope, changed, before, after))}`);
  if (changes?.body) lines.push(...bodyLines(changes.body).map((text) => `${indent}    ${text}`));
  else if (changes?.bodyChanged) lines.push(`${indent}    another body`);
  for (const child of children.get(step.n) ?? []) addStep(child, depth + 1, children, lines, terminal);
}

function changeText(scope: string, name: string, before: string | undefined, after: string | undefined): string {
  if (before === undefined) return `+ ${scope} ${name} = ${after ?? ''}`;
  return after === undefined ? `- ${scope} ${name} = ${before}` : `~ ${scope} ${name} = ${before} → ${after}`;
}

function bodyLines({ before, after, truncated }: { before: string; after: string; truncated: boolean }): string[] {
  const part = (sign: string, text: string) => {
    const all = printable(text, 'lines').split('\n');
    const shown = all.slice(0, MAX_BODY_LINES).map((line) => `${sign} ${line}`);
    return all.length > MAX_BODY_LINES ? [...shown, `${sign} …`] : shown;
  };
  return [...part('-', before), ...part('+', after), ...(truncated ? ['(cut off)'] : [])];
}
