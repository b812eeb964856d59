import type { Column } from '../../types/schema.ts';
import type {
  AggregateCall,
  JoinKind,
  JoinShape,
  TableCall,
  WindowDefinition,
  WindowShape,
  Within,
} from '../analyzer/analyzed-query.ts';
import type { SideFormat } from '../catalog/source.ts';
import type { SourceColumn } from '../catalog/source-row.ts';
import type { Expression } from '../expressions/expression.ts';

/**
 * The logical plan: a tree of plain data (JSON but for bigint, Decimal and bytes in literals), from the sink down
 * to the sources. What flows along an edge are **flat rows**: one array of key columns, value columns, pseudo
 * columns and whatever else a node computed, by position. Expressions name positions of the input's row.
 *
 * Node constructors are in `make.ts`; rules replace nodes and never change them.
 */
export type PlanNode =
  | PlanSource
  | FilterNode
  | ProjectNode
  | FlatMapNode
  | RepartitionNode
  | AggregateNode
  | JoinNode
  | PlanSink
  | OutputNode;

export type PlanNodeOf<K extends PlanNode['kind']> = Extract<PlanNode, { kind: K }>;

/** What every node says about the rows that leave it. */
export interface RowShape {
  readonly columns: readonly Column[];
  /** Positions of the columns that make up the record key, in order. Empty: no key. */
  readonly key: readonly number[];
  /** The record key is windowed: WINDOWSTART and WINDOWEND are among the columns at these positions. */
  readonly window: WindowShape | null;
  /** A table's rows are changes: a key's new row, or its removal. */
  readonly changes: 'stream' | 'table';
}

/** A column of a source's row, and what of it is read. */
export interface ReadColumn extends SourceColumn {
  /** False: nobody reads it; its slot of the row is never filled (settled when the plan is built). */
  readonly wanted: boolean;
  /**
   * True: it is only passed through to a sink of the same format, which copies its encoded bytes; its slot of the
   * row is never filled (set by the optimizer).
   */
  readonly raw: boolean;
}

/** The TIMESTAMP property: the position of the column, and the pattern of a STRING one. */
export interface TimestampColumn {
  readonly column: number;
  readonly format: string | null;
}

/** Reads a stream or table of the catalog: all its columns, in catalog order, then the pseudo columns. */
export interface PlanSource extends RowShape {
  readonly kind: 'source';
  /** Name in the catalog, and the alias it has in the query. */
  readonly source: string;
  readonly alias: string;
  readonly topic: string;
  readonly partitions: number;
  readonly columns: readonly ReadColumn[];
  readonly keyFormat: SideFormat;
  readonly valueFormat: SideFormat;
  /** All key and value columns as declared: what the formats are opened with. */
  readonly keyColumns: readonly Column[];
  readonly valueColumns: readonly Column[];
  /** The TIMESTAMP property: `column` is a position in `columns`. */
  readonly timestamp: TimestampColumn | null;
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

/** Table functions: the input's columns, then one column for each function; shorter results are padded with null. */
export interface FlatMapNode extends RowShape {
  readonly kind: 'flat-map';
  readonly input: PlanNode;
  readonly functions: readonly TableCall[];
}

/**
 * Makes the columns at `key` the record key and brings equal keys together through a topic of the query's own.
 * Same columns as its input. For a table input it is the regrouping of changes (old and new to their own keys).
 * `nullKeys`: what happens to a row whose key is null: GROUP BY drops it, PARTITION BY keeps it.
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

/**
 * Groups by the record key of its input. Its row: the group-by columns (`groupBy`, positions in the input's row),
 * then one column for each call, then WINDOWSTART and WINDOWEND when windowed, then ROWTIME.
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

/** Equal record keys of both inputs. Its row: the left input's columns, then the right's. */
export interface JoinNode extends RowShape {
  readonly kind: 'join';
  readonly shape: JoinShape;
  readonly join: JoinKind;
  /** The kind that it had before the optimizer narrowed it: rows without a key of its then outer sides are not reported. */
  readonly narrowedFrom?: JoinKind;
  readonly left: PlanNode;
  readonly right: PlanNode;
  /** Stream-stream only. */
  readonly within: Within | null;
  /** Foreign-key only: over the left row, the right's primary key. */
  readonly foreignKey: Expression | null;
  readonly name: string;
}

/** Writes a persistent query's result to its topic. `keyPositions` and `valuePositions` are those in the input's row. */
export interface PlanSink extends RowShape {
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
  readonly timestamp: TimestampColumn | null;
}

/** Hands rows to the client of a push query. `positions`: the selected columns, in the input's row. */
export interface OutputNode extends RowShape {
  readonly kind: 'output';
  readonly input: PlanNode;
  readonly positions: readonly number[];
  readonly limit: number | null;
}
