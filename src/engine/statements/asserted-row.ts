import { DataError } from '../../common/error.ts';
import { formatOf } from '../../formats/registry.ts';
import { readHeaders } from '../../log/record-batch-codec.ts';
import type { RecordBatch } from '../../log/record-batch.ts';
import { settingsOf } from '../../sql/catalog/format-settings.ts';
import type { CatalogSource, SideFormat } from '../../sql/catalog/source.ts';
import type { Column } from '../../types/schema.ts';
import type { SqlValue } from '../../types/value.ts';
import type { SourceColumn } from '../../sql/catalog/source-row.ts';

/**
 * Reads whole records of a source into its flat row. The null key and null values leave their columns null. Throws
 * `DataError` when the bytes are not what the source says.
 */
export function openRecordReader(
  source: CatalogSource,
  row: readonly SourceColumn[],
): (batch: RecordBatch, index: number) => SqlValue[] {
  const { schema, window } = source;
  const readKey = openSide(source.keyFormat, schema.key, true);
  const readValue = openSide(source.valueFormat, schema.value, false);
  const suffix = window === null ? 0 : window.kind === 'session' ? 16 : 8;
  return (batch, index) => {
    const { buffer } = batch;
    const keyStart = batch.keyStart[index]!;
    const keyEnd = batch.keyEnd[index]!;
    const valueStart = batch.valueStart[index]!;
    const hasWindow = window !== null && keyStart >= 0;
    if (hasWindow && keyEnd - keyStart < suffix)
      throw new DataError('the record key is too short to hold a window');
    const key = keyStart < 0 ? [] : readKey(buffer, keyStart, keyEnd - suffix);
    const value = valueStart < 0 ? [] : readValue(buffer, valueStart, batch.valueEnd[index]!);
    const start = hasWindow ? Number(buffer.readBigInt64BE(keyEnd - 8)) : null;
    const end =
      start === null
        ? null
        : window?.kind === 'session'
          ? Number(buffer.readBigInt64BE(keyEnd - 16))
          : start + (window?.sizeMs ?? 0);
    return row.map(({ origin }): SqlValue => {
      switch (origin.kind) {
        case 'key':
          return key[origin.index] ?? null;
        case 'value':
          return value[origin.index] ?? null;
        case 'header':
          return headerValue(batch, index, origin.headerKey);
        case 'rowtime':
          return batch.timestamps[index]!;
        case 'rowpartition':
          return batch.partition;
        case 'rowoffset':
          return Number(batch.offsets[index]);
        case 'windowstart':
          return start;
        case 'windowend':
          return end;
      }
    });
  };
}

function openSide(
  side: SideFormat,
  columns: readonly Column[],
  isKey: boolean,
): (buffer: Uint8Array, start: number, end: number) => SqlValue[] {
  if (columns.length === 0) return () => [];
  const decoder = formatOf(side.name).openDecoder(
    columns,
    settingsOf(side, isKey),
    columns.map((_, column) => ({ column, slot: column, raw: -1 })),
  );
  return (buffer, start, end) => {
    const row: SqlValue[] = columns.map(() => null);
    decoder.decode(buffer, start, end, row);
    return row;
  };
}

/** All headers as KEY and VALUE structs, or the value of the last one with that key. */
function headerValue(batch: RecordBatch, index: number, headerKey: string | null): SqlValue {
  const headers = readHeaders(batch, index);
  if (headerKey === null) return headers.map(({ key, value }) => [key, value]);
  return headers.findLast(({ key }) => key === headerKey)?.value ?? null;
}
