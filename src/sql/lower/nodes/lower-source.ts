import { must } from '../../../common/assert.ts';
import { SqlError } from '../../../common/error.ts';
import type { RecordKey } from '../../../streams/processors/record-key.ts';
import { tableSource } from '../../../streams/processors/table-source.ts';
import type { TimestampExtractor, WindowedKeyFormat } from '../../../streams/topology/topology.ts';
import type { SqlValue } from '../../../types/value.ts';
import type { SourceNode, WindowShape } from '../../plan/node.ts';
import type { LoweredRows, Lowering } from '../lowered-rows.ts';
import { rowKeySerde } from '../row-key-serde.ts';
import { rowSerde } from '../row-serde.ts';
import { fillRow, rowSource } from '../row-source.ts';
import { openRowTimestamp } from '../row-timestamp.ts';
import { sourceSerde } from '../source-serde.ts';

/** Source topic → rows with everything wanted in them → for tables, changes (and a store). */
export function lowerSource(node: SourceNode, lowering: Lowering): LoweredRows {
  const { topology } = lowering;
  if (lowering.topics.has(node.topic))
    throw new SqlError('ML_UNSUPPORTED', `topic ${node.topic} is read twice in one query`, {
      hint: 'copy one of the two with CREATE STREAM … AS SELECT * and read the copy',
    });
  lowering.topics.add(node.topic);
  const key = rowKeySerde(node.keyColumns, node.keyFormat);
  const value = sourceSerde(node);
  const fill = fillRow(node);
  const topic = lowering.name(`source ${node.alias}`);
  const extractor = timestampExtractor(node);
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
    open: rowSource(fill, node.keyColumns.length === 0, key),
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
    stored: null,
    raw: value.raw,
  };
  return node.changes === 'stream' ? stream : lowerTable(node, stream, lowering);
}

function lowerTable(node: SourceNode, rows: LoweredRows, lowering: Lowering): LoweredRows {
  const { topology } = lowering;
  // A windowed table's rows are told apart by their window, which a key-value store does not know.
  const store = node.materialized && node.window === null ? lowering.name(`Table-${node.alias}`) : null;
  const table = lowering.name(`table ${node.alias}`);
  const keep = (row: unknown): unknown => (row as SqlValue[]).slice();
  topology.addProcessor({
    name: table,
    open: tableSource({ store, sendOldValues: store !== null, keep }),
    parents: [rows.parent],
  });
  const kept = node.columns.flatMap((column, i) => (column.wanted ? [i] : []));
  if (store !== null)
    topology.addStore({
      options: {
        kind: 'key-value',
        name: store,
        values: rowSerde(node.columns, kept),
        changelog: true,
        persistent: true,
      },
      processors: [table],
    });
  return {
    ...rows,
    parent: table,
    sendsOld: store !== null,
    rowOfKey: null,
    stored:
      store === null
        ? null
        : { store, kind: 'key-value', windowSizeMs: null, rowOf: (value) => value as SqlValue[] },
  };
}

function timestampExtractor(node: SourceNode): TimestampExtractor | null {
  if (node.timestamp === null) return null;
  const { column, format } = node.timestamp;
  const { origin } = must(node.columns[column]);
  const read = openRowTimestamp(format);
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
