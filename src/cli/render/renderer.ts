import type { Entity } from '../../engine/result.ts';
import type { TextColumn, TextRow, TextRows } from '../backend/backend.ts';

/** What is known of a result before its first row. */
export type ResultHead = Pick<TextRows, 'columns' | 'removes'>;

/**
 * Turns results into text. Row texts end with a line end; `header` comes before the first rows of a result. A removal
 * from a table never looks like a row of nulls.
 */
export interface Renderer {
  entity(entity: Entity): string;
  header(head: ResultHead): string;
  /** `first` is true for the first batch of a result: widths may be taken from it. */
  rows(head: ResultHead, rows: readonly TextRow[], first: boolean): string;
}

/** The member or column by which JSON and CSV mark a row as a removal. */
const TOMBSTONE = 'tombstone';

/** Names for members of one object: equal ones are told apart by `_2`, `_3`, …; the last is that of the removal mark. */
export function memberNames(columns: readonly TextColumn[]): readonly string[] {
  const seen = new Set<string>();
  return [...columns.map(({ name }) => name), TOMBSTONE].map((name) => {
    let own = name;
    for (let count = 2; seen.has(own); count++) own = `${name}_${count}`;
    seen.add(own);
    return own;
  });
}
