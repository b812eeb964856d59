import { must } from '../../../common/assert.ts';
import { formatOf } from '../../../formats/registry.ts';
import type { RecordKey } from '../../../streams/topology/record-key.ts';
import { completeRows } from '../../../streams/processors/complete-rows.ts';
import { decodeRecord, type DecodeRecordOptions } from '../../../streams/processors/decode-record.ts';
import { addTable } from '../../../streams/operations/table-source.ts';
import { storeView } from '../../../streams/processors/table-view.ts';
import type { WindowedKeyFormat } from '../../../streams/topology/topology.ts';
import type { SqlValue } from '../../../types/value.ts';
import type { SourceNode } from '../../plan/node.ts';
import type { LoweredRows, Lowering } from '../lowered-rows.ts';
import { bytesSerde } from '../../../streams/topology/serde.ts';
import { keptColumns } from '../../plan/kept-columns.ts';
import { settingsOf } from '../format-settings.ts';
import { type RowKeySerde, rowKeySerde } from '../row-key-serde.ts';
import { rowSerde } from '../row-serde.ts';
import { fillRow } from '../fill-row.ts';
import { openRowTimestamp } from '../row-timestamp.ts';
import { type SourceSerde, sourceSerde } from '../source-serde.ts';
import type { WindowShape } from '../../analyzer/analyzed-query.ts';

/** Source topic → rows with everything wanted in them → for tables, changes (and a store). */
export function lowerSource(node: SourceNode, lowering: Lowering): LoweredRows {
  const { topology } = lowering;
  const key = rowKeySerde(node.keyColumns, node.keyFormat);
  const value = sourceSerde(node);
  const fill = fillRow(node);
  const shared = must(lowering.sources.get(node.topic)).length > 1;
  const topic = shared ? shareTopic(node, key, value, lowering) : lowering.name(`source ${node.alias}`);
  lowering.topics.add(node.topic);
  const extractor = timestampExtractor(node, lowering);
  if (!shared)
    topology.addSource({
      name: topic,
      topics: [node.topic],
      key,
      value,
      ...(node.window === null ? {} : { window: windowedKeyFormat(node.window) }),
      ...(extractor === null ? {} : { timestampExtractor: extractor }),
    });
  const rows = lowering.name(`rows ${node.alias}`);
  topology.addProcessor({
    name: rows,
    open: completeRows({
      fill,
      keyed: node.keyColumns.length > 0,
      isWritten: formatOf(node.keyFormat.name).openWrittenKey(
        node.keyColumns,
        settingsOf(node.keyFormat, true),
      ),
      serde: key,
    }),
    parents: [topic],
  });
  const empty: SqlValue[] = node.columns.map(() => null);
  const stream: LoweredRows = {
    parent: rows,
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
    sources: [shared ? sharedSource(node) : topic],
    view: null,
    stored: null,
    raw: value.raw,
  };
  return node.changes === 'stream' ? stream : lowerTable(node, stream, lowering);
}

function lowerTable(node: SourceNode, rows: LoweredRows, lowering: Lowering): LoweredRows {
  const store = node.materialized ? lowering.name(`Table-${node.alias}`) : null;
  const table = lowering.name(`table ${node.alias}`);
  const layers = keptColumns(node);
  const kept = layers.flat();
  const earlier = layers.slice(0, -1).map((_, i) => layers.slice(0, i + 1).flat().length);
  const values = rowSerde(node.columns, kept, earlier);
  addTable(lowering.topology, {
    name: table,
    parents: [rows.parent],
    store:
      store === null
        ? null
        : { options: { kind: 'key-value', name: store, values, changelog: true, persistent: true } },
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
    stored:
      store === null || node.window !== null
        ? null
        : { store, kind: 'key-value', windowSizeMs: null, rowOf: (value) => value as SqlValue[] },
  };
}

/**
 * One of several sources over a topic: what is read once are bare bytes, and each source makes of them what it
 * declares, after those before it in the query. Their order is that of the records' own timestamps. Returns the
 * node that the source's records leave.
 */
function shareTopic(node: SourceNode, key: RowKeySerde, value: SourceSerde, lowering: Lowering): string {
  const { topology } = lowering;
  const topic = sharedSource(node);
  if (!lowering.topics.has(node.topic))
    topology.addSource({ name: topic, topics: [node.topic], key: bytesSerde, value: bytesSerde });
  const name = lowering.name(`source ${node.alias}`);
  const window = node.window === null ? null : windowedKeyFormat(node.window);
  const timeOf = timestampExtractor(node, lowering);
  topology.addProcessor({
    name,
    open: decodeRecord({ key: key, value, window, timeOf }),
    parents: [topic],
  });
  return name;
}

function sharedSource({ topic }: SourceNode): string {
  return `topic ${topic}`;
}

function timestampExtractor(node: SourceNode, lowering: Lowering): DecodeRecordOptions['timeOf'] {
  if (node.timestamp === null) return null;
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

export function windowedKeyFormat(window: WindowShape): WindowedKeyFormat {
  return window.kind === 'session'
    ? { kind: 'session' }
    : { kind: 'time', sizeMs: must(window.sizeMs, 'a time window has a size') };
}
