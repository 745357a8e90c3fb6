import type { ComparisonOperator, LogicalOperator, Tree } from './tree.ts';

/** An operator of the loosest level. */
export type Level = ComparisonOperator | LogicalOperator;

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
const LOGICAL: ReadonlyMap<string, LogicalOperator> = new Map<string, LogicalOperator>([
  ['and', 'and'],
  ['&&', 'and'],
  ['or', 'or'],
  ['||', 'or'],
]);

export function levelOf(text: string): Level | undefined {
  return LOGICAL.get(text) ?? (COMPARISONS.has(text) ? (text as ComparisonOperator) : undefined);
}

/** Operands with the operators between them. */
export interface Row<T> {
  readonly operands: readonly T[];
  readonly operators: readonly Level[];
}

type Combine<T> = (operator: Level, left: T, right: T) => T;

/** A row of only comparisons or only logical operators has one reading; one of both stays a row (MREQ-22). */
export function treeOfRow(row: Row<Tree>): Tree {
  if (row.operators.some(isComparison) && row.operators.some(isLogical)) return { kind: 'row', ...row };
  return literalReading(row, (operator, left, right) => ({ kind: 'operation', operator, left, right }));
}

/** The reference's grouping: comparisons bind loosest, `and` and `or` have one precedence and group to the right. */
export function literalReading<T>(row: Row<T>, combine: Combine<T>): T {
  return toTheLeft(
    folded(row, isComparison, (part) => toTheRight(part, combine)),
    combine,
  );
}

/** What everybody means: comparisons first, then `and`, then `or`. */
export function conventionalReading<T>(row: Row<T>, combine: Combine<T>): T {
  const left = (part: Row<T>) => toTheLeft(part, combine);
  return left(folded(folded(row, isLogical, left), (operator) => operator === 'or', left));
}

/** Whether the reference's grouping puts one of these operands, by index, beside `and` or `or`. */
export function operandsOfLogical({ operators }: Row<unknown>): number[] {
  const touched = new Set<number>();
  for (const [index, operator] of operators.entries()) {
    if (isLogical(operator)) touched.add(index).add(index + 1);
  }
  return [...touched];
}

function isLogical(operator: Level): boolean {
  return operator === 'and' || operator === 'or';
}

function isComparison(operator: Level): boolean {
  return !isLogical(operator);
}

/** Folds what stands between the operators that separate; what is left is a shorter row. */
function folded<T>(row: Row<T>, separates: (operator: Level) => boolean, fold: (part: Row<T>) => T): Row<T> {
  const { operands, operators } = row;
  const left: T[] = [];
  const separators: Level[] = [];
  let start = 0;
  for (let index = 0; index <= operators.length; index += 1) {
    const operator = operators[index];
    if (operator !== undefined && !separates(operator)) continue;
    left.push(fold({ operands: operands.slice(start, index + 1), operators: operators.slice(start, index) }));
    if (operator !== undefined) separators.push(operator);
    start = index + 1;
  }
  return { operands: left, operators: separators };
}

function toTheLeft<T>({ operands, operators }: Row<T>, combine: Combine<T>): T {
  return operators.reduce(
    (left, operator, index) => combine(operator, left, operands[index + 1] as T),
    operands[0] as T,
  );
}

function toTheRight<T>({ operands, operators }: Row<T>, combine: Combine<T>): T {
  return operators.reduceRight(
    (right, operator, index) => combine(operator, operands[index] as T, right),
    operands.at(-1) as T,
  );
}
