import type { JsonNode } from '../message/json.ts';
import type { PathReader } from './json-path-reader.ts';
import { jsonDouble, jsonNumber } from './json-text.ts';

/** A function at the end of a path, such as `.length()`. */
export interface PathFunction {
  readonly name: string;
  readonly argument: number | undefined;
}

type Compute = (value: JsonNode, argument: number | undefined) => JsonNode | undefined;

const FUNCTIONS: Readonly<Record<string, Compute>> = {
  length: size,
  size,
  min: (value) => aggregated(value, (numbers) => numbers.reduce((least, number) => Math.min(least, number))),
  max: (value) => aggregated(value, (numbers) => numbers.reduce((most, number) => Math.max(most, number))),
  avg: (value) => aggregated(value, mean),
  sum: (value) => aggregated(value, (numbers) => numbers.reduce((total, number) => total + number)),
  stddev: (value) => aggregated(value, deviation),
  keys: (value) =>
    value.kind === 'object'
      ? { kind: 'array', items: value.members.map(([key]) => ({ kind: 'string', value: key }) as const) }
      : undefined,
  first: (value) => (value.kind === 'array' ? value.items.at(0) : undefined),
  last: (value) => (value.kind === 'array' ? value.items.at(-1) : undefined),
  index: (value, argument) => (value.kind === 'array' && argument !== undefined ? value.items.at(argument) : undefined),
};

/**
 * @throws ValueError for a name that is no function, or arguments
 */
export function pathFunction(name: string, argument: string, reader: PathReader): PathFunction {
  const trimmed = argument.trim();
  const number = /^-?\d+$/.test(trimmed) ? Number(trimmed) : undefined;
  const known = Object.hasOwn(FUNCTIONS, name);
  if (!known || (name === 'index' ? number === undefined : trimmed !== '')) {
    throw reader.unexpected(`one of: ${Object.keys(FUNCTIONS).join('(), ')}()`);
  }
  return { name, argument: number };
}

/** Undefined when the value is of the wrong kind. */
export function applyFunction(call: PathFunction, value: JsonNode): JsonNode | undefined {
  return FUNCTIONS[call.name]?.(value, call.argument);
}

function size(value: JsonNode): JsonNode | undefined {
  if (value.kind === 'array') return jsonNumber(value.items.length);
  return value.kind === 'object' ? jsonNumber(value.members.length) : undefined;
}

/** Items that are no numbers are left out. */
function aggregated(value: JsonNode, compute: (numbers: readonly number[]) => number): JsonNode | undefined {
  if (value.kind !== 'array') return undefined;
  const numbers = value.items.flatMap((item) => (item.kind === 'number' ? [Number(item.text)] : []));
  return numbers.length > 0 ? jsonDouble(compute(numbers)) : undefined;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number) / numbers.length;
}

function deviation(numbers: readonly number[]): number {
  const average = mean(numbers);
  return Math.sqrt(mean(numbers.map((number) => (number - average) ** 2)));
}
