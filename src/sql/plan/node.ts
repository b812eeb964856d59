import type { SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { Expression } from '../expressions/expression.ts';

/**
 * The logical plan: a tree of plain data (JSON but for bigint, Decimal and bytes in literals), from the sink down
 * to the sources. What flows along an edge are **flat rows**: one array of key columns, value columns, pseudo
 * columns and whatever else a node computed, by position. Expressions name positions of the input's row.
 *
 * Node constructors are in `build-plan.ts`; rules replace nodes and never change them.
 */
export type PlanNode =
  | SourceNode
  | FilterNode
  | ProjectNode
  | FlatMapNode
  | RepartitionNode
  | AggregateNode
  | JoinNode
  | SinkNode
  | OutputNode;

export type PlanNodeOf<K extends PlanNode['kind']> = Extract<PlanNode, { kind: K }>;

/** What every node says about the rows that leave it. */
export interface RowShape {
  readonly columns: readonly PlanColumn[];
  /** Positions of the columns that make up the record key, in order. Empty: no key. */
  readonly key: readonly number[];
  /** The record key is windowed: WINDOWSTART and WINDOWEND are among the columns at these positions. */
  readonly window: WindowShape | null;
  /** A table's rows are changes: a key's new row, or its removal. */
  readonly changes: 'stream' | 'table';
}

export interface PlanColumn {
  readonly name: string;
  readonly type: SqlType;
}

export interface WindowShape {
  readonly kind: 'tumbling' | 'hopping' | 'session';
  /** Window size (session: the gap); null when a declared source did not say (session). */
  readonly sizeMs: number | null;
  /** Positions of WINDOWSTART and WINDOWEND in the row. */
  readonly startColumn: number;
  readonly endColumn: number;
}

/** Where a source's column comes from. */
export type ColumnOrigin =
  | { readonly kind: 'key'; readonly index: number }
  | { readonly kind: 'value'; readonly index: number }
  | { readonly kind: 'header'; readonly headerKey: string | null }
  | { readonly kind: 'rowtime' | 'rowpartition' | 'rowoffset' | 'windowstart' | 'windowend' };

export interface SourceColumn extends PlanColumn {
  readonly origin: ColumnOrigin;
  /** False: nobody reads it; its slot of the row is never filled (settled when the plan is built). */
  readonly wanted: boolean;
  /**
   * True: it is only passed through to a sink of the same format, which copies its encoded bytes; its slot of the
   * row is never filled (set by the optimizer).
   */
  readonly raw: boolean;
}

export interface SideFormat {
  readonly name: string;
  readonly wrapped: boolean;
  /** DELIMITER, … without KEY_ or VALUE_. */
  readonly properties: readonly (readonly [name: string, value: string])[];
}

/** Reads a stream or table of the catalog: all its columns, in catalog order, then the pseudo columns. */
export interface SourceNode extends RowShape {
  readonly kind: 'source';
  /** Name in the catalog, and the alias it has in the query. */
  readonly source: string;
  readonly alias: string;
  readonly topic: string;
  readonly partitions: number;
  readonly columns: readonly SourceColumn[];
  readonly keyFormat: SideFormat;
  readonly valueFormat: SideFormat;
  /** All key and value columns as declared: what the formats are opened with. */
  readonly keyColumns: readonly PlanColumn[];
  readonly valueColumns: readonly PlanColumn[];
  /** The TIMESTAMP property: position of the column in `columns`, and the pattern of a STRING one. */
  readonly timestamp: { readonly column: number; readonly format: string | null } | null;
  /** A table source keeps its rows in a store (to know old values, to be joined with). */
  readonly materialized: boolean;
  /**
   * Positions of the columns in that store, where queries with other columns had it before: those of the first one, then
   * what each later one added, which is null in rows that are older. Absent: the columns that are wanted.
   */
  readonly kept?: readonly (readonly number[])[];
}

export interface FilterNode extends RowShape {
  readonly kind: 'filter';
  readonly input: PlanNode;
  readonly predicate: Expression;
  /** Which clause it stands for: an error in it is reported as such. */
  readonly clause: 'where' | 'having';
  /**
   * A stream's records without a value pass, because a node above it reports them (set by the optimizer); else a
   * filter drops them.
   */
  readonly passesNull?: true;
}

/** Computes a new row. `columns[i]` is the value of `expressions[i]` over the input's row. */
export interface ProjectNode extends RowShape {
  readonly kind: 'project';
  readonly input: PlanNode;
  readonly expressions: readonly Expression[];
}

/** Table functions: the input's columns, then one column a function; shorter results are padded with null. */
export interface FlatMapNode extends RowShape {
  readonly kind: 'flat-map';
  readonly input: PlanNode;
  readonly functions: readonly TableCall[];
}

export interface TableCall {
  readonly name: string;
  readonly signature: number;
  readonly args: readonly Expression[];
  readonly type: SqlType;
}

/**
 * Makes the columns at `key` the record key and brings equal keys together through a topic of the query's own.
 * Same columns as its input. For a table input it is the regrouping of changes (old and new to their own keys).
 * `nulls`: what happens to a row whose key is null: GROUP BY drops it, PARTITION BY keeps it.
 */
export interface RepartitionNode extends RowShape {
  readonly kind: 'repartition';
  readonly input: PlanNode;
  /** Part of the topic's name: `Aggregate-GroupBy`, `PartitionBy`, `Join-left`, … unique in the plan. */
  readonly name: string;
  readonly keyFormat: SideFormat;
  readonly nullKeys: 'drop' | 'keep';
  /** False: nothing above needs equal keys together, so only the key is changed (set by the optimizer). */
  readonly throughTopic: boolean;
}

export interface WindowDefinition {
  readonly kind: 'tumbling' | 'hopping' | 'session';
  /** Session: the gap. */
  readonly sizeMs: number;
  /** Hopping only; else equal to sizeMs. */
  readonly advanceMs: number;
  readonly graceMs: number;
  readonly retentionMs: number;
}

export interface AggregateCall {
  readonly name: string;
  readonly signature: number;
  /** Over the input's row. */
  readonly args: readonly Expression[];
  readonly literals: readonly SqlValue[];
  readonly type: SqlType;
}

/**
 * Groups by the record key of its input. Its row: the group-by columns (`groupBy`, positions in the input's row),
 * then one column a call, then WINDOWSTART and WINDOWEND when windowed, then ROWTIME.
 */
export interface AggregateNode extends RowShape {
  readonly kind: 'aggregate';
  readonly input: PlanNode;
  readonly groupBy: readonly number[];
  readonly calls: readonly AggregateCall[];
  readonly windowing: WindowDefinition | null;
  /** `final`: one row a window, when it closes. */
  readonly emit: 'changes' | 'final';
  /** Name of its store and changelog in the query. */
  readonly store: string;
}

export type JoinKind = 'inner' | 'left' | 'right' | 'outer';

/** Equal record keys of both inputs. Its row: the left input's columns, then the right's. */
export interface JoinNode extends RowShape {
  readonly kind: 'join';
  readonly shape: 'stream-table' | 'stream-stream' | 'table-table' | 'foreign-key';
  readonly join: JoinKind;
  /** What it was before the optimizer made it narrower: rows of its outer sides without a key are not reported. */
  readonly narrowedFrom?: JoinKind;
  readonly left: PlanNode;
  readonly right: PlanNode;
  /** Stream-stream only. `graceMs` null: no GRACE PERIOD was given (eager null rows, as ksqlDB). */
  readonly within: {
    readonly beforeMs: number;
    readonly afterMs: number;
    readonly graceMs: number | null;
  } | null;
  /** Foreign-key only: over the left row, the right's primary key. */
  readonly foreignKey: Expression | null;
  readonly name: string;
}

/** Writes a persistent query's result to its topic. `keyColumns`/`valueColumns` are positions in the input's row. */
export interface SinkNode extends RowShape {
  readonly kind: 'sink';
  readonly input: PlanNode;
  /** Name in the catalog of the stream or table it writes. */
  readonly sink: string;
  readonly topic: string;
  readonly keyFormat: SideFormat;
  readonly valueFormat: SideFormat;
  readonly keyPositions: readonly number[];
  readonly valuePositions: readonly number[];
  /** The TIMESTAMP property of the sink. */
  readonly timestamp: { readonly column: number; readonly format: string | null } | null;
}

/** Hands rows to whoever asked (push query). `positions`: what the user selected, in the input's row. */
export interface OutputNode extends RowShape {
  readonly kind: 'output';
  readonly input: PlanNode;
  readonly positions: readonly number[];
  readonly limit: number | null;
}
