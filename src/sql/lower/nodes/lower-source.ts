import { must } from '../../../common/assert.ts';
import { formatOf } from '../../../formats/registry.ts';
import type { RecordKey } from '../../../streams/topology/record-key.ts';
import { completeRows } from '../../../streams/processors/complete-rows.ts';
import { decodeRecord, type DecodeRecordOptions } from '../../../streams/processors/decode-record.ts';
import { addTable } from '../../../streams/operations/table-source.ts';
import { storeView } from '../../../streams/processors/table-view.ts';
import { keyedStore, type WindowedKeyFormat } from '../../../streams/topology/topology.ts';
import type { SqlValue } from '../../../types/value.ts';
import type { PlanSource } from '../../plan/node.ts';
import type { LoweredRows, Lowering } from '../lowered-rows.ts';
import { bytesSerde } from '../../../streams/topology/serde.ts';
import { keptColumns } from '../../plan/kept-columns.ts';
import { settingsOf } from '../../catalog/format-settings.ts';
import { type RowKeySerde, rowKeySerde } from '../row-key-serde.ts';
import { storedRows } from '../stored-rows.ts';
import { rowSerde } from '../row-serde.ts';
import { fillRow } from '../fill-row.ts';
import { openRowTimestamp } from '../row-timestamp.ts';
import { type SourceSerde, sourceSerde } from '../source-serde.ts';
import type { WindowShape } from '../../analyzer/analyzed-query.ts';

/** Source topic → rows with everything wanted in them → for tables, changes (and a store). */
export function lowerSource(node: PlanSource, lowering: Lowering): LoweredRows {
  const key = rowKeySerde(node.keyColumns, node.keyFormat);
  const value = sourceSerde(node);
  const fill = fillRow(node);
  const { source, leaves } = readTopic(node, key, value, lowering);
  lowering.topics.add(node.topic);
  const keyFormat = formatOf(node.keyFormat.name);
  const complete = completeRows({
    fill,
    keyed: node.keyColumns.length > 0,
    isWritten: keyFormat.openWrittenKey(node.keyColumns, settingsOf(node.keyFormat, true)),
    serde: key,
  });
  const empty: SqlValue[] = node.columns.map(() => null);
  const stream: LoweredRows = {
    parent: lowering.add(`rows ${node.alias}`, leaves, complete),
    steps: [],
    changes: node.changes,
    grouped: false,
    sendsOld: false,
    key: { serde: key, format: node.keyFormat },
    rowOfKey(recordKey, timestamp, record) {
      const row = [...empty];
      fill?.(row, recordKey, timestamp, record);
      return row;
    },
    sources: [source],
    view: null,
    stored: null,
    raw: value.raw,
  };
  return node.changes === 'stream' ? stream : lowerTable(node, stream, lowering);
}

function lowerTable(node: PlanSource, rows: LoweredRows, lowering: Lowering): LoweredRows {
  const store = node.materialized ? lowering.name(`Table-${node.alias}`) : null;
  const table = lowering.name(`table ${node.alias}`);
  const layers = keptColumns(node);
  const kept = layers.flat();
  const earlier = layers.slice(0, -1).map((_, i) => layers.slice(0, i + 1).flat().length);
  const values = rowSerde(node.columns, kept, earlier);
  addTable(lowering.topology, {
    name: table,
    parents: [rows.parent],
    store: store === null ? null : keyedStore(store, values),
    sendOldValues: store !== null,
    keep: (row) => (row as SqlValue[]).slice(),
  });
  return {
    ...rows,
    parent: table,
    sendsOld: store !== null,
    rowOfKey: null,
    view: store === null ? null : storeView(store),
    // A windowed table's store is asked by key and window, as pull queries do not.
    stored: store === null || node.window !== null ? null : storedRows(store),
  };
}

/**
 * The source of the node's topic, and the node that its records leave. Where several nodes read a topic, what is read
 * once are bare bytes, and each makes of them what it declares, after those before it in the query. Their order is that
 * of the records' own timestamps.
 */
function readTopic(
  node: PlanSource,
  key: RowKeySerde,
  value: SourceSerde,
  lowering: Lowering,
): { readonly source: string; readonly leaves: string } {
  const { topology } = lowering;
  const topics = [node.topic];
  const window = windowedKeyFormat(node.window);
  const timeOf = timestampExtractor(node, lowering);
  const name = `source ${node.alias}`;
  if (must(lowering.sources.get(node.topic)).length === 1) {
    const source = lowering.name(name);
    topology.addSource({ name: source, topics, key, value, window, timestampExtractor: timeOf });
    return { source, leaves: source };
  }
  const source = `topic ${node.topic}`;
  if (!lowering.topics.has(node.topic))
    topology.addSource({ name: source, topics, key: bytesSerde, value: bytesSerde });
  return { source, leaves: lowering.add(name, source, decodeRecord({ key, value, window, timeOf })) };
}

function timestampExtractor(node: PlanSource, lowering: Lowering): DecodeRecordOptions['timeOf'] {
  if (node.timestamp === null) return undefined;
  const { column, format } = node.timestamp;
  const { origin } = must(node.columns[column]);
  const read = openRowTimestamp(node.columns[column]!.name, format, lowering.context.evaluation);
  if (origin.kind === 'key') {
    return (_value, key: RecordKey) => {
      const values = key.value as readonly SqlValue[] | null;
      return read(values?.[origin.index] ?? null);
    };
  }
  // A record without a value has only its own time.
  return (value, _key, recordTimestamp) =>
    value === null ? recordTimestamp : read((value as readonly SqlValue[])[column]!);
}

export function windowedKeyFormat(window: WindowShape | null): WindowedKeyFormat | undefined {
  if (window === null) return undefined;
  return window.kind === 'session'
    ? { kind: 'session' }
    : { kind: 'time', sizeMs: must(window.sizeMs, 'a time window has a size') };
}
