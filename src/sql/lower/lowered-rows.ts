import { assert } from '../../common/assert.ts';
import type { Processor, RecordContext } from '../../streams/topology/processor.ts';
import type { RecordKey } from '../../streams/topology/record-key.ts';
import { type RowStep, streamChain, tableChain } from '../../streams/processors/row-chain.ts';
import { openedView, type TableView } from '../../streams/processors/table-view.ts';
import { transformTable } from '../../streams/processors/transform-table.ts';
import { Topology } from '../../streams/topology/topology.ts';
import type { SqlValue } from '../../types/value.ts';
import type { PlanNode, PlanSource } from '../plan/node.ts';
import { allNodes } from '../plan/plan-inputs.ts';
import type { LowerContext } from './lower-context.ts';
import type { RowKeySerde } from './row-key-serde.ts';
import type { RawColumns } from './source-serde.ts';
import type { SideFormat } from '../catalog/source.ts';

/** The rows of a plan node, as far as they have been lowered. */
export interface LoweredRows {
  /** The topology's node that they leave, before `steps`. */
  readonly parent: string;
  /** Filters and projects that are not in the topology yet, bottom-up: they become one operator. */
  readonly steps: readonly RowStep[];
  readonly changes: 'stream' | 'table';
  /** A regrouped table: values are `GroupedChange` of rows. */
  readonly grouped: boolean;
  /** Table changes come with old rows. */
  readonly sendsOld: boolean;
  readonly key: { readonly serde: RowKeySerde; readonly format: SideFormat };
  /**
   * Streams: the row (before `steps`) of a record without a value, in which only what comes from its key and
   * position is filled; for the key of a repartition. Null where no such record comes by.
   */
  readonly rowOfKey: ((key: RecordKey, timestamp: number, record: RecordContext) => SqlValue[]) | null;
  /** The sources of the sub-topology that reads the rows by their key: the partitions of their topics must agree. */
  readonly sources: readonly string[];
  /** How a join looks up the rows (before `steps`) of a table by key; null for streams, and where nobody asked. */
  readonly view: TableView | null;
  /** The store that the table can be read back from. */
  readonly stored: StoredRows | null;
  /** Columns that stay bytes until the sink. */
  readonly raw: RawColumns | null;
}

export interface StoredRows {
  readonly store: string;
  readonly kind: 'key-value' | 'window' | 'session';
  /** Time windows. */
  readonly windowSizeMs: number | null;
  /** The flat row (before `steps`) of a stored value. `key` are the record key's values. */
  rowOf(
    value: unknown,
    key: readonly SqlValue[],
    windowStart: number,
    windowEnd: number,
    timestamp: number,
  ): SqlValue[];
}

/** Needs of the nodes above a node. */
export interface Wanted {
  /** Columns that are read as values. */
  readonly columns: ReadonlySet<number>;
  /** Old rows of a table's changes. */
  readonly old: boolean;
  /**
   * Why a table is kept. `view`: a join looks rows up by key. `store`: pull queries read them back, so there is one
   * store of them. A regrouped table is kept for `nothing`.
   */
  readonly keep: 'nothing' | 'view' | 'store';
}

/** The rows that an operator made of others, with the same key: nothing else that is known of those is true of these. */
export function madeOf(rows: LoweredRows, parent: string): LoweredRows {
  return { ...rows, parent, steps: [], rowOfKey: null, view: null, stored: null, raw: null };
}

/** How the rows of a table are looked up, with their steps done. */
export function viewOf({ view, steps }: LoweredRows): TableView | null {
  return view === null || steps.length === 0 ? view : openedView(view, tableChain(steps), []);
}

/** The topology under construction. */
export class Lowering {
  readonly context: LowerContext;
  /** Expressions keep nothing and call nobody but functions of a sandbox. */
  readonly topology = new Topology({ repeatable: true });
  readonly topics = new Set<string>();
  /** The plan's sources of each topic. */
  readonly sources: ReadonlyMap<string, readonly PlanSource[]>;
  readonly #lower: (node: PlanNode, wanted: Wanted, lowering: Lowering) => LoweredRows;
  readonly #names = new Map<string, number>();

  constructor(
    context: LowerContext,
    plan: PlanNode,
    lower: (node: PlanNode, wanted: Wanted, lowering: Lowering) => LoweredRows,
  ) {
    this.context = context;
    const sources = allNodes(plan).filter((node) => node.kind === 'source');
    this.sources = new Map(
      sources.map(({ topic }) => [topic, sources.filter((source) => source.topic === topic)]),
    );
    this.#lower = lower;
  }

  lower(node: PlanNode, wanted: Wanted): LoweredRows {
    return this.#lower(node, wanted, this);
  }

  /** A name that is the same for the same plan: `filter`, `filter-2`, … Task state is kept under it. */
  name(stem: string): string {
    const count = (this.#names.get(stem) ?? 0) + 1;
    this.#names.set(stem, count);
    return count === 1 ? stem : `${stem}-${count}`;
  }

  /** Adds an operator below another node; gives its name. */
  add(stem: string, parent: string, open: () => Processor): string {
    const name = this.name(stem);
    this.topology.addProcessor({ name, open, parents: [parent] });
    return name;
  }

  /** The rows with no steps left to do. */
  settle(rows: LoweredRows): LoweredRows {
    assert(!rows.grouped || rows.steps.length === 0, 'a regrouped table is only aggregated');
    if (rows.steps.length === 0) return rows;
    const { steps, sendsOld } = rows;
    const stem = steps.every((step) => step.kind === 'filter') ? 'filter' : 'project';
    const dropAbsent = steps.some((step) => step.kind === 'filter');
    const open =
      rows.changes === 'stream'
        ? streamChain(steps)
        : transformTable({ open: tableChain(steps), store: null, sendOldValues: sendsOld, dropAbsent });
    return { ...madeOf(rows, this.add(stem, rows.parent, open)), view: viewOf(rows), raw: rows.raw };
  }
}
