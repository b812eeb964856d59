import type { Span } from '../../common/error.ts';
import type { Column } from '../../types/schema.ts';
import type { SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { CatalogSource, WindowKind } from '../catalog/source.ts';
import type { Expression } from '../expressions/expression.ts';
import type { SourceColumn } from '../catalog/source-row.ts';

/**
 * A query with every name resolved. Clauses stay apart, in the order in which rows meet them, and each says over
 * which flat row its expressions are:
 *
 * from → `where` → `tableCalls` (columns appended) → `partitionBy` (columns appended) or `grouping` (a new row) →
 * `having` → `select`
 */
export interface AnalyzedQuery {
  readonly from: AnalyzedRelation;
  readonly where: Expression | null;
  /** Table functions; function i's column stands at position `from.columns.length + i`. */
  readonly tableCalls: readonly TableCall[];
  readonly partitionBy: PartitionBy | null;
  readonly grouping: Grouping | null;
  readonly having: Expression | null;
  readonly select: readonly SelectColumn[];
  /** The record key of the row that `select` is over. */
  readonly key: readonly KeyColumn[];
  /** The result's keys are windowed; positions of the bounds in the row that `select` is over. */
  readonly window: WindowShape | null;
  readonly type: 'stream' | 'table';
  readonly emit: 'changes' | 'final' | null;
  readonly limit: number | null;
  readonly span: Span;
}

export interface SelectColumn extends Column {
  readonly expression: Expression;
  readonly span: Span;
  /** WINDOWSTART or WINDOWEND that `*` of one source gives: part of the windowed key already, so a sink leaves it out. */
  readonly isWindowBound: boolean;
  /** One of those that `*` stands for. */
  readonly isFromStar: boolean;
}

export interface KeyColumn extends Column {
  /** The position of its value in the row. */
  readonly position: number;
  /** Columns that stand for it when they are selected. A join's two sides are one key: the left's come first. */
  readonly aliases: readonly number[];
}

/** How the keys of rows are windowed. */
export interface WindowShape {
  readonly kind: WindowKind;
  /** The size, of a session the gap; null for sessions of a declared source, which does not say it. */
  readonly sizeMs: number | null;
  /** Positions of WINDOWSTART and WINDOWEND in the row. */
  readonly startColumn: number;
  readonly endColumn: number;
}

/** A column of a relation's flat row. */
export interface RelationColumn extends Column {
  /** Alias of the source it is of; null for the columns that a join adds. */
  readonly source: string | null;
}

export type AnalyzedRelation = SourceRelation | JoinRelation;

/** What every relation says of its rows. */
interface RelationRows {
  readonly columns: readonly RelationColumn[];
  readonly key: readonly KeyColumn[];
  readonly window: WindowShape | null;
  readonly type: 'stream' | 'table';
}

export interface SourceRelation extends RelationRows {
  readonly kind: 'source';
  readonly alias: string;
  readonly source: CatalogSource;
  /** As `rowOfSource` gives it. */
  readonly row: readonly SourceColumn[];
}

export type JoinShape = 'stream-table' | 'stream-stream' | 'table-table' | 'foreign-key';
export type JoinKind = 'inner' | 'left' | 'right' | 'outer';

/** How far apart in time the records of two joined streams may be. */
export interface Within {
  readonly beforeMs: number;
  readonly afterMs: number;
  /** Null: no GRACE PERIOD was given (eager null rows, as ksqlDB). */
  readonly graceMs: number | null;
}

/**
 * Its row: the left's columns, the left key expression if it is no plain column, the right's columns, the right
 * key expression if it is none, and for a full join the key of whichever side is there.
 */
export interface JoinRelation extends RelationRows {
  readonly kind: 'join';
  readonly shape: JoinShape;
  readonly join: JoinKind;
  readonly left: AnalyzedRelation;
  readonly right: SourceRelation;
  /** Over the left's row (foreign key: the right's primary key) and the right's. */
  readonly leftKey: Expression;
  readonly rightKey: Expression;
  /** Over the join's row without its last column; null when a side's own key will do. */
  readonly outerKey: Expression | null;
  readonly within: Within | null;
}

export interface TableCall {
  readonly name: string;
  readonly signature: number;
  readonly args: readonly Expression[];
  readonly type: SqlType;
}

export interface PartitionBy {
  /** Over the row with the table functions' columns. Empty: PARTITION BY NULL, no key. */
  readonly expressions: readonly Expression[];
  readonly names: readonly string[];
}

/**
 * Its row: a column for each group-by expression and each call, then WINDOWSTART and WINDOWEND when windowed, then
 * ROWTIME.
 */
export interface Grouping {
  readonly expressions: readonly Expression[];
  readonly names: readonly string[];
  readonly calls: readonly AggregateCall[];
  readonly windowing: WindowDefinition | null;
}

/** A call of an aggregate function: its `args` are over the row that is grouped. */
export interface AggregateCall extends TableCall {
  readonly literals: readonly SqlValue[];
}

export interface WindowDefinition {
  readonly kind: WindowKind;
  /** Session: the gap. */
  readonly sizeMs: number;
  /** Hopping only; else equal to sizeMs. */
  readonly advanceMs: number;
  readonly graceMs: number;
  readonly retentionMs: number;
}

/** The sources of a relation, left to right. */
export function sourcesOf(relation: AnalyzedRelation): readonly SourceRelation[] {
  return relation.kind === 'source' ? [relation] : [...sourcesOf(relation.left), relation.right];
}

/**
 * The select columns that are a key column, as it is: by what they name, the first alias first (the left side of a
 * join before its right), and for one that is named twice in the order of SELECT.
 */
export function itemsOfKey(key: KeyColumn, select: readonly SelectColumn[]): readonly (readonly number[])[] {
  const byAlias = key.aliases.map((alias) =>
    select.flatMap(({ expression }, item) =>
      expression.kind === 'column' && expression.index === alias ? [item] : [],
    ),
  );
  return byAlias.filter((items) => items.length > 0);
}
