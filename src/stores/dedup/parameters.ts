import { expression } from '../../expressions/attribute-types.ts';
import type { Expression } from '../../expressions/expression.ts';
import { integer, ValueError, valueType } from '../../grammar/attributes.ts';
import type { Misfit } from '../component.ts';

const ID = 'x.dedup.id';
const WINDOW = 'x.dedup.window';
const MOST = 'x.dedup.max';
const HOUR_MS = 3_600_000;
const DEFAULT_MOST = 100_000;
const LARGEST_MOST = 1_000_000;
/** As XPath it would be the path to an element; who writes it means a header. */
const BARE_NAME = /^[A-Za-z][\w.-]*$/;

const anyExpression = expression({ doc: '' });

/** Stores that recognise repetitions take these (OP-07). */
export const DEDUP_PARAMETERS = {
  [ID]: valueType<Expression, { doc: string }>(
    anyExpression.expected,
    (value, context) => {
      if (BARE_NAME.test(value))
        throw new ValueError(
          `'${value}' is the path to an element; of a header: $trp:${value}`,
          `'$trp:${value}' for a header`,
        );
      return anyExpression.parse(value, context);
    },
    {
      doc:
        'Finds the id that the client has given a message, such as $trp:Idempotency-Key. Of messages that the store mediator stores with ' +
        'the same id one is kept, and the others are answered as if they were (OP-07). Messages without an id are all kept.',
    },
  ),
  [WINDOW]: integer({ minimum: 1, default: HOUR_MS, doc: 'For how long an id is remembered, ms.' }),
  [MOST]: integer({
    minimum: 1,
    maximum: LARGEST_MOST,
    default: DEFAULT_MOST,
    doc: 'How many ids are remembered at most; for one more the oldest is forgotten before its time, with a warning.',
  }),
} as const;

/** The parameters of a store as read; tests and other kinds may leave them out. */
export interface DedupParameters {
  readonly [ID]?: Expression | undefined;
  readonly [WINDOW]?: number;
  readonly [MOST]?: number;
}

/** How a store recognises repetitions. */
export interface DedupRules {
  readonly id: Expression;
  readonly windowMs: number;
  readonly maxIds: number;
}

/** Undefined: it does not. */
export function dedupRules(parameters: DedupParameters): DedupRules | undefined {
  const id = parameters[ID];
  if (!id) return undefined;
  return { id, windowMs: parameters[WINDOW] ?? HOUR_MS, maxIds: parameters[MOST] ?? DEFAULT_MOST };
}

/** A window without ids would do nothing, and nobody would notice. */
export function dedupMisfit(written: ReadonlyMap<string, string>): Misfit | undefined {
  if (written.has(ID)) return undefined;
  const parameter = [WINDOW, MOST].find((name) => written.has(name));
  return parameter === undefined
    ? undefined
    : { parameter, message: `parameter '${parameter}' has no effect without '${ID}'` };
}
