import type { Op } from './oracle-case.ts';

/** The lambdas of the oracle's operations: what the case format says about keys and values. */

export function floorMod(value: number, modulus: number): number {
  return ((value % modulus) + modulus) % modulus;
}

export function keyOf(value: number, n: number): string {
  return `k${floorMod(value, n)}`;
}

export function joined(left: number | null, right: number | null): number {
  return floorMod((left ?? 7) * 31 + (right ?? 13), 1_000_003);
}

/** What a null value counts as where it reaches the aggregator of a window. */
export const NULL_COUNTS_AS = 100;

export function passes(op: Op, value: number): boolean {
  return floorMod(value, op.mod!) === op.rem!;
}

/** v, v + 1, …: v mod n values; none for null. */
export function spread(value: number | null, n: number): number[] {
  if (value === null) return [];
  return Array.from({ length: floorMod(value, n) }, (_, i) => value + i);
}

export function keySelected(key: string | null, value: number | null, n: number): string | null {
  return value === null ? key : keyOf(value, n);
}
