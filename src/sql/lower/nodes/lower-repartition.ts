import { assert } from '../../../common/assert.ts';
import type { ValueCodec } from '../../../state/store.ts';
import type { GroupedChange } from '../../../streams/processors/aggregate-table.ts';
import { groupTable } from '../../../streams/processors/aggregate-table.ts';
import { groupedChangeSerde } from '../../../streams/processors/grouped-change-serde.ts';
import type { Processor, ProcessorContext } from '../../../streams/topology/processor.ts';
import { RecordKey } from '../../../streams/topology/record-key.ts';
import { selectKey } from '../../../streams/processors/select-key.ts';
import { tableSource } from '../../../streams/processors/table-source.ts';
import { storeView } from '../../../streams/processors/table-view.ts';
import type { SqlValue } from '../../../types/value.ts';
import { columnsOf } from '../../expressions/walk.ts';
import type { PlanNode, RepartitionNode } from '../../plan/node.ts';
import type { LoweredRows, Lowering, Wanted } from '../lowered-rows.ts';
import { applySteps, RowChain } from '../row-chain.ts';
import { type RowKeySerde, rowKeySerde } from '../row-key-serde.ts';
import { rowSerde } from '../row-serde.ts';

/**
 * Rows → new key → internal topic → rows. What travels is what is read above; key columns travel as the key. A table
 * that is aggregated travels as pairs of changes, one that rows are looked up in by its key, in another format, as a
 * table of its own.
 */
export function lowerRepartition(
  node: RepartitionNode,
  wanted: Wanted,
  input: LoweredRows,
  lowering: Lowering,
): LoweredRows {
  const { topology } = lowering;
  // A stream's filters and projects are done by who makes the new key: one operator less for each record.
  const parent = node.changes === 'stream' ? input.parent : lowering.settle(input).parent;
  const keySerde = rowKeySerde(
    node.key.map((position) => node.columns[position]!),
    node.keyFormat,
  );
  const carried = [...wanted.columns].filter((index) => !node.key.includes(index)).sort((a, b) => a - b);
  const serde = rowSerde(node.columns, carried);
  const name = lowering.name(node.name);
  const rekey = `${name} key`;
  const grouped = node.changes === 'table' && wanted.keep === 'nothing';
  topology.addProcessor({
    name: rekey,
    open: openRekey(node, input, keySerde, grouped),
    parents: [parent],
  });
  if (!node.throughTopic) return rekeyed(node, rekey, input, keySerde);
  const topic = `${name}-repartition`;
  topology.addRepartitionTopic({ name: topic, partitions: null });
  const value = grouped ? groupedChangeSerde(serde) : serde;
  topology.addSink({ name: `${name} sink`, topic, parents: [rekey], key: null, value, headers: true });
  topology.addSource({ name: `${name} source`, topics: [topic], key: keySerde, value });
  const keyColumns = node.key.flatMap((position, i) =>
    wanted.columns.has(position) ? [{ position, i }] : [],
  );
  let leaves = `${name} source`;
  if (keyColumns.length > 0) {
    leaves = `${name} rows`;
    topology.addProcessor({
      name: leaves,
      open: () => new KeyColumns(keyColumns),
      parents: [`${name} source`],
    });
  }
  const repartitioned: LoweredRows = {
    parent: leaves,
    steps: [],
    changes: node.changes,
    grouped,
    sendsOld: false,
    key: { serde: keySerde, format: node.keyFormat },
    rowOfKey: null,
    topics: [topic],
    view: null,
    stored: null,
    raw: null,
  };
  return node.changes === 'stream' || grouped
    ? repartitioned
    : keepTable(`${name}-table`, repartitioned, serde, lowering);
}

/** Rows of a stream under their new key, with all their columns, for a sink or an output. */
function rekeyed(node: RepartitionNode, parent: string, input: LoweredRows, serde: RowKeySerde): LoweredRows {
  return {
    parent,
    steps: [],
    changes: 'stream',
    grouped: false,
    sendsOld: false,
    key: { serde, format: node.keyFormat },
    rowOfKey: null,
    topics: input.topics,
    view: null,
    stored: null,
    raw: null,
  };
}

function openRekey(
  node: RepartitionNode,
  input: LoweredRows,
  serde: RowKeySerde,
  grouped: boolean,
): () => Processor {
  if (node.changes === 'stream') return () => new RekeyStream(node, input, serde);
  if (grouped)
    return groupTable(
      (row) => keyOf(node.key, row as SqlValue[], 'drop'),
      (row) => row,
      serde,
    );
  // A removal has no row: the key's values are those of the key.
  const order = node.key.map((position) => node.input.key.indexOf(position));
  assert(!order.includes(-1), 'a table stays under its own key');
  return selectKey((_row, key) => {
    const values = key.value as readonly SqlValue[];
    return order.map((at) => values[at]!);
  }, serde);
}

function keepTable(store: string, rows: LoweredRows, values: ValueCodec, lowering: Lowering): LoweredRows {
  const { topology } = lowering;
  topology.addProcessor({
    name: store,
    open: tableSource({ store, sendOldValues: true, keep: (row) => row }),
    parents: [rows.parent],
  });
  topology.addStore({
    options: { kind: 'key-value', name: store, values, changelog: true, persistent: true },
    processors: [store],
  });
  return { ...rows, parent: store, sendsOld: true, view: storeView(store) };
}

/** The key's values; null is the null key. A group needs all of its values; PARTITION BY keeps a null among several. */
function keyOf(key: readonly number[], row: SqlValue[], nulls: 'drop' | 'keep'): SqlValue[] | null {
  if (key.length === 0) return null;
  const values: SqlValue[] = [];
  for (let i = 0; i < key.length; i++) {
    const value = row[key[i]!]!;
    if (value === null && (nulls === 'drop' || key.length === 1)) return null;
    values.push(value);
  }
  return values;
}

/** Whether a column is computed from columns of the record key alone, so that a record without a value has it. */
function isOfKey(node: PlanNode, column: number): boolean {
  switch (node.kind) {
    case 'source':
      return node.columns[column]!.origin.kind !== 'value';
    case 'filter':
      return isOfKey(node.input, column);
    case 'project':
      return [...columnsOf(node.expressions[column]!)].every((each) => isOfKey(node.input, each));
    default:
      return true;
  }
}

/** A new key for each row of a stream. */
class RekeyStream implements Processor {
  readonly #node: RepartitionNode;
  readonly #input: LoweredRows;
  readonly #chain: RowChain;
  readonly #key: RecordKey<SqlValue[]>;
  /** Key columns that a record without a value does not have: not even `V IS NULL` is true of it. */
  readonly #ofValue: readonly number[];
  #context!: ProcessorContext;

  constructor(node: RepartitionNode, input: LoweredRows, serde: RowKeySerde) {
    this.#node = node;
    this.#input = input;
    this.#chain = new RowChain(input.steps);
    this.#key = new RecordKey(serde);
    this.#ofValue = node.key.filter((position) => !isOfKey(node.input, position));
  }

  init(context: ProcessorContext): void {
    this.#context = context;
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const { key: positions, nullKeys } = this.#node;
    const done = value === null ? null : this.#chain.run(value as SqlValue[], this.#context);
    if (done === null && (value !== null || this.#chain.dropsNull)) return undefined;
    const row = done ?? this.#rowOfKey(key, timestamp);
    const values = row === null ? null : keyOf(positions, row, nullKeys);
    if (nullKeys === 'drop') {
      // As what is above would say without a repartition, in the words and the order of its operator.
      const isGroup = this.#node.name === 'Aggregate-GroupBy';
      if (isGroup && values === null) return this.#context.skip('null-key', 'an aggregation needs a key');
      if (done === null)
        return this.#context.skip('null-value', `${isGroup ? 'an aggregation' : 'a join'} needs a value`);
      if (values === null) return this.#context.skip('null-key', 'a join needs a key');
    }
    this.#key.setValue(values);
    return this.#context.forward(this.#key, done, undefined, timestamp);
  }

  /** What PARTITION BY sees of a record without a value: the columns of its key. */
  #rowOfKey(key: RecordKey, timestamp: number): SqlValue[] | null {
    const { rowOfKey, steps } = this.#input;
    if (rowOfKey === null) return null;
    for (const step of steps) step.errors.context = null;
    const row = applySteps(steps, rowOfKey(key, timestamp, this.#context.record));
    if (row !== null) for (const position of this.#ofValue) row[position] = null;
    return row;
  }
}

/** Puts the columns that travelled as the key back into the rows. */
class KeyColumns implements Processor {
  readonly #columns: readonly { readonly position: number; readonly i: number }[];
  #context!: ProcessorContext;

  constructor(columns: readonly { readonly position: number; readonly i: number }[]) {
    this.#columns = columns;
  }

  init(context: ProcessorContext): void {
    this.#context = context;
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    if (value !== null && key.present) {
      const values = key.value as readonly SqlValue[];
      if (Array.isArray(value)) {
        this.#fill(value as SqlValue[], values);
      } else {
        const { added, removed } = value as GroupedChange;
        if (added !== null) this.#fill(added as SqlValue[], values);
        if (removed !== null) this.#fill(removed as SqlValue[], values);
      }
    }
    this.#context.forward(key, value, undefined, timestamp);
  }

  #fill(row: SqlValue[], key: readonly SqlValue[]): void {
    for (const { position, i } of this.#columns) row[position] = key[i]!;
  }
}
