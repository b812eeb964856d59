import type { FillRow } from '../../streams/processors/complete-rows.ts';
import type { RecordContext } from '../../streams/topology/processor.ts';
import type { SqlValue } from '../../types/value.ts';
import type { PlanSource } from '../plan/node.ts';

/** Fills the columns of a source's rows that do not come from the value; null when none of them is read. */
export function fillRow(node: PlanSource): FillRow | null {
  const fills: FillRow[] = [];
  node.columns.forEach((column, slot) => {
    if (!column.wanted) return;
    const { origin } = column;
    switch (origin.kind) {
      case 'value':
        break;
      case 'key':
        fills.push((row, key) => {
          const values = key.value as readonly SqlValue[] | null;
          row[slot] = values === null ? null : (values[origin.index] ?? null);
        });
        break;
      case 'header':
        fills.push((row, _key, _timestamp, record) => {
          row[slot] = headerValue(record, origin.headerKey);
        });
        break;
      case 'rowtime':
        fills.push((row, _key, timestamp) => {
          row[slot] = timestamp;
        });
        break;
      case 'rowpartition':
        fills.push((row, _key, _timestamp, record) => {
          row[slot] = record.partition;
        });
        break;
      case 'rowoffset':
        fills.push((row, _key, _timestamp, record) => {
          row[slot] = record.offset;
        });
        break;
      case 'windowstart':
        fills.push((row, key) => {
          row[slot] = key.windowed ? key.windowStart : null;
        });
        break;
      case 'windowend':
        fills.push((row, key) => {
          row[slot] = key.windowed ? key.windowEnd : null;
        });
        break;
    }
  });
  const [first, second] = fills;
  if (first === undefined) return null;
  if (second === undefined) return first;
  return (row, key, timestamp, record) => {
    for (let i = 0; i < fills.length; i++) fills[i]!(row, key, timestamp, record);
  };
}

/** HEADERS: an array of structs of key and bytes. HEADER('k'): the last value under that key. */
function headerValue(record: RecordContext, headerKey: string | null): SqlValue {
  const headers = record.headers();
  if (headerKey === null) return headers.map((header) => [header.key, header.value]);
  return headers.findLast((header) => header.key === headerKey)?.value ?? null;
}
