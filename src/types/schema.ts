import type { SqlType } from './sql-type.ts';

/** One column of a stream or table. Names are as resolved: upper case unless they were quoted. */
export interface Column {
  readonly name: string;
  readonly type: SqlType;
}

/** Columns read from record headers: all of them, or the last one with `headerKey`. */
export interface HeaderColumn extends Column {
  readonly headerKey: string | null;
}

/** The logical schema of a stream or table: key columns, then value columns, then header columns. */
export interface Schema {
  readonly key: readonly Column[];
  readonly value: readonly Column[];
  readonly headers: readonly HeaderColumn[];
}
