import type { SqlValue } from '../../../types/value.ts';
import type { JoinNode } from '../../plan/node.ts';

/** The joined row of two; null stands for a side that is not there. */
export type RowJoiner = (left: unknown, right: unknown) => SqlValue[];

/** Joins into one and the same array: for streams, whose rows may be borrowed. Only `wanted` columns are filled. */
export function scratchJoiner(node: JoinNode, wanted: ReadonlySet<number>): RowJoiner {
  const fill = joinInto(node, wanted);
  const row: SqlValue[] = node.columns.map(() => null);
  return (left, right) => fill(row, left, right);
}

/** Joins into a new array: for tables, whose rows are kept, and where an old row and a new one meet. */
export function newRowJoiner(node: JoinNode, wanted: ReadonlySet<number>): RowJoiner {
  const fill = joinInto(node, wanted);
  const blank: SqlValue[] = node.columns.map(() => null);
  return (left, right) => fill(blank.slice(), left, right);
}

function joinInto(
  node: JoinNode,
  wanted: ReadonlySet<number>,
): (row: SqlValue[], left: unknown, right: unknown) => SqlValue[] {
  const width = node.left.columns.length;
  const positions = [...wanted].sort((a, b) => a - b);
  const fromLeft = positions.filter((index) => index < width);
  const fromRight = positions.filter((index) => index >= width).map((index) => index - width);
  return (row, left, right) => {
    copy(left as readonly SqlValue[] | null, fromLeft, row, 0);
    copy(right as readonly SqlValue[] | null, fromRight, row, width);
    return row;
  };
}

function copy(
  from: readonly SqlValue[] | null,
  positions: readonly number[],
  to: SqlValue[],
  at: number,
): void {
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i]!;
    to[at + position] = from === null ? null : from[position]!;
  }
}
