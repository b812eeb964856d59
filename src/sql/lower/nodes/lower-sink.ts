import { assert, must } from '../../../common/assert.ts';
import { formatOf } from '../../../formats/registry.ts';
import { mapStream } from '../../../streams/processors/map-values.ts';
import { retime } from '../../../streams/processors/retime.ts';
import { selectKey } from '../../../streams/processors/select-key.ts';
import type { SqlValue } from '../../../types/value.ts';
import type { PlanNode, PlanSink } from '../../plan/node.ts';
import { inputsOf } from '../../plan/plan-inputs.ts';
import { equalBytesFormats } from '../../plan/key-format.ts';
import type { LoweredRows, Lowering } from '../lowered-rows.ts';
import { type RowKeySerde, rowKeySerde } from '../row-key-serde.ts';
import { openRowTimestamp } from '../row-timestamp.ts';
import { sinkSerde } from '../sink-serde.ts';
import { windowedKeyFormat } from './lower-source.ts';

/**
 * Rows → topic. The key goes as it came when it is the same columns in the same format. A null that
 * stands alone is, in most formats, written as a record without a value, as ksqlDB does.
 */
export function lowerSink(node: PlanSink, input: LoweredRows, lowering: Lowering): LoweredRows {
  const rows = lowering.settle(input);
  let { parent } = rows;
  if (node.timestamp !== null) {
    const { column, format } = node.timestamp;
    const read = openRowTimestamp(must(node.columns[column]).name, format, lowering.context.evaluation);
    const timeOf = (row: unknown): number => read((row as readonly SqlValue[])[column]!);
    parent = lowering.add('timestamp', parent, retime(timeOf));
  }
  if (node.keyPositions.length === 0)
    parent = lowering.add(
      'no key',
      parent,
      selectKey(() => null, rows.key.serde),
    );
  const { raw } = rows;
  const rawIndex = node.valuePositions.map((position) => {
    const origin = raw === null ? null : originOf(node.input, position);
    return origin === null ? -1 : must(must(raw).rawIndex[origin]);
  });
  const [only] = node.valuePositions;
  if (
    formatOf(node.valueFormat.name).loneNull === 'no-value' &&
    !node.valueFormat.wrapped &&
    only !== undefined &&
    rawIndex[0] === -1
  ) {
    const orRemoval = (row: unknown): unknown =>
      row === null || (row as readonly SqlValue[])[only] === null ? null : row;
    parent = lowering.add('null alone', parent, mapStream(orRemoval));
  }
  const { window } = node.input;
  lowering.topology.addSink({
    name: lowering.name(`sink ${node.sink}`),
    topic: node.topic,
    parents: [parent],
    key: sinkKeySerde(node, rows),
    value: must(sinkSerde(node, raw, rawIndex), 'raw columns were settled before'),
    window: windowedKeyFormat(window),
    headers: true,
    repartitions: changesKey(node.input),
  });
  return rows;
}

/** Whether records get another key on their way from their topic to the sink, and so other partitions. */
function changesKey(node: PlanNode): boolean {
  return node.kind === 'repartition' ? !node.throughTopic : inputsOf(node).some(changesKey);
}

/** Null: the key's bytes as they are. */
function sinkKeySerde(node: PlanSink, rows: LoweredRows): RowKeySerde | null {
  const { input, keyPositions } = node;
  if (keyPositions.length === 0) return null;
  const order = keyPositions.map((position) => {
    const i = input.key.indexOf(position);
    assert(i >= 0, `column ${input.columns[position]?.name} is not in the record key`);
    return i;
  });
  const columns = keyPositions.map((position) => must(input.columns[position]));
  const inOrder = order.length === input.key.length && order.every((at, i) => at === i);
  // Names are in the bytes when the key is a record of named fields.
  const named = (columns.length > 1 || node.keyFormat.wrapped) && formatOf(node.keyFormat.name).namesColumns;
  if (inOrder && equalBytesFormats(node.keyFormat, rows.key.format) && (!named || keptNames(input)))
    return null;
  const serde = rowKeySerde(columns, node.keyFormat);
  if (inOrder) return serde;
  return {
    serialize: (key, writer) =>
      serde.serialize(
        order.map((at) => key[at]!),
        writer,
      ),
    deserialize: (buffer, start, end) => serde.deserialize(buffer, start, end),
  };
}

/** Whether the key's columns have the names that they were written under, where the key was last made. */
function keptNames(node: PlanNode): boolean {
  let at = node;
  const names = node.key.map((position) => node.columns[position]?.name);
  while (at.kind === 'filter' || at.kind === 'project' || at.kind === 'flat-map' || at.kind === 'aggregate')
    at = at.input;
  return at.key.every((position, i) => at.columns[position]?.name === names[i]);
}

/** The source's position that is at `position` above filters and projects, null when it was computed. */
export function originOf(node: PlanNode, position: number): number | null {
  let at = position;
  let below = node;
  while (below.kind === 'filter' || below.kind === 'project') {
    if (below.kind === 'project') {
      const expression = below.expressions[at];
      if (expression?.kind !== 'column') return null;
      at = expression.index;
    }
    below = below.input;
  }
  return below.kind === 'source' ? at : null;
}
