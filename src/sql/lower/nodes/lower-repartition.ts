import { keyedStore } from '../../../streams/topology/topology.ts';
import { assert } from '../../../common/assert.ts';
import type { ValueCodec } from '../../../state/store.ts';
import type { GroupedChange } from '../../../streams/processors/aggregate-table.ts';
import { addRepartition } from '../../../streams/operations/repartition.ts';
import { addTable } from '../../../streams/operations/table-source.ts';
import { groupTable } from '../../../streams/processors/aggregate-table.ts';
import { groupedChangeSerde } from '../../../streams/processors/grouped-change-serde.ts';
import { mapStream } from '../../../streams/processors/map-values.ts';
import type { Processor, ValueMapper } from '../../../streams/topology/processor.ts';
import { rekeyRows, type RekeyRowsOptions } from '../../../streams/processors/rekey-rows.ts';
import { applySteps } from '../../../streams/processors/row-chain.ts';
import { selectKey } from '../../../streams/processors/select-key.ts';
import { storeView } from '../../../streams/processors/table-view.ts';
import type { Row, SqlValue } from '../../../types/value.ts';
import { columnsOf } from '../../expressions/walk.ts';
import type { PlanNode, RepartitionNode } from '../../plan/node.ts';
import { type LoweredRows, type Lowering, madeOf, type Wanted } from '../lowered-rows.ts';
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
  // The operator that makes the new key does a stream's filters and projects too: one operator less for each record.
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
  const key = { serde: keySerde, format: node.keyFormat };
  const rekeyed = { ...madeOf(input, rekey), changes: node.changes, grouped, sendsOld: false, key };
  if (!node.throughTopic) return rekeyed;
  const topic = `${name}-repartition`;
  const source = `${name} source`;
  addRepartition(topology, {
    topic,
    sink: `${name} sink`,
    source,
    parents: [rekey],
    key: keySerde,
    keyIsWritten: true,
    value: grouped ? groupedChangeSerde(serde) : serde,
  });
  const keyColumns = node.key.flatMap((position, i) =>
    wanted.columns.has(position) ? [{ position, i }] : [],
  );
  let leaves = source;
  if (keyColumns.length > 0) {
    leaves = `${name} rows`;
    topology.addProcessor({
      name: leaves,
      open: mapStream(fillKeyColumns(keyColumns)),
      parents: [source],
    });
  }
  const repartitioned = { ...rekeyed, parent: leaves, sources: [source] };
  return node.changes === 'stream' || grouped
    ? repartitioned
    : keepTable(`${name}-table`, repartitioned, serde, lowering);
}

function openRekey(
  node: RepartitionNode,
  input: LoweredRows,
  serde: RowKeySerde,
  grouped: boolean,
): () => Processor {
  if (node.changes === 'stream') {
    const { key, nullKeys } = node;
    return rekeyRows({
      steps: input.steps,
      keyOf: (row) => keyOf(key, row as Row, nullKeys),
      rowOfKey: openRowOfKey(node, input),
      serde: serde,
      needs: needsOf(node),
    });
  }
  if (grouped)
    return groupTable(
      (row) => keyOf(node.key, row as Row, 'drop'),
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
  addTable(lowering.topology, {
    name: store,
    parents: [rows.parent],
    store: keyedStore(store, values),
    sendOldValues: true,
  });
  return { ...rows, parent: store, sendsOld: true, view: storeView(store) };
}

/** The key's values; null is the null key. A group needs all of its values; PARTITION BY keeps a null among several. */
function keyOf(key: readonly number[], row: Row, nulls: 'drop' | 'keep'): SqlValue[] | null {
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

/** As what is above would say without a repartition, in the words and the order of its operator. */
function needsOf({ nullKeys, name }: RepartitionNode): RekeyRowsOptions['needs'] {
  if (nullKeys !== 'drop') return [];
  return name === 'Aggregate-GroupBy'
    ? [
        { part: 'key', detail: 'an aggregation needs a key' },
        { part: 'value', detail: 'an aggregation needs a value' },
      ]
    : [
        { part: 'value', detail: 'a join needs a value' },
        { part: 'key', detail: 'a join needs a key' },
      ];
}

/** The row that PARTITION BY sees of a record without a value: the columns of its key. */
function openRowOfKey(node: RepartitionNode, { rowOfKey, steps }: LoweredRows): RekeyRowsOptions['rowOfKey'] {
  if (rowOfKey === null) return () => null;
  // Key columns that such a record does not have: not even `V IS NULL` is true of it.
  const ofValue = node.key.filter((position) => !isOfKey(node.input, position));
  return (key, timestamp, record) => {
    const row = applySteps(steps, rowOfKey(key, timestamp, record), null) as SqlValue[] | null;
    if (row !== null) for (const position of ofValue) row[position] = null;
    return row;
  };
}

interface KeyColumn {
  readonly position: number;
  readonly i: number;
}

/** Puts the columns that travelled as the key back into the row, or into both rows of a change of a group. */
function fillKeyColumns(columns: readonly KeyColumn[]): ValueMapper {
  const fill = (row: unknown, key: Row): void => {
    if (row !== null) for (const { position, i } of columns) (row as SqlValue[])[position] = key[i]!;
  };
  return (value, key) => {
    if (value === null || !key.present) return value;
    if (Array.isArray(value)) {
      fill(value, key.value as Row);
    } else {
      const { added, removed } = value as GroupedChange;
      fill(added, key.value as Row);
      fill(removed, key.value as Row);
    }
    return value;
  };
}
