import type { ByteWriter } from '../../common/bytes.ts';
import { DataError } from '../../common/error.ts';
import { openRowCodec } from '../../formats/row-codec.ts';
import type { GroupedChange } from '../../streams/processors/aggregate-table.ts';
import type { Serde } from '../../streams/topology/serde.ts';
import type { ValueCodec } from '../../state/store.ts';
import type { SqlValue } from '../../types/value.ts';
import type { PlanColumn } from '../plan/node.ts';

/** Flat rows of `columns` in the binary form, of which only the columns `carried` are written; others are null. */
export function rowSerde(
  columns: readonly PlanColumn[],
  carried: readonly number[],
): Serde<SqlValue[]> & ValueCodec {
  const codec = openRowCodec(carried.map((position) => columns[position]!.type));
  const compact: SqlValue[] = carried.map(() => null);
  const encode = (row: SqlValue[], writer: ByteWriter): void => {
    for (let i = 0; i < carried.length; i++) compact[i] = row[carried[i]!]!;
    codec.encode(compact, writer);
  };
  const decode = (buffer: Uint8Array, start: number, end: number): SqlValue[] => {
    const values = codec.decode(buffer, start, end);
    const row: SqlValue[] = Array.from({ length: columns.length }, () => null);
    for (let i = 0; i < carried.length; i++) row[carried[i]!] = values[i]!;
    return row;
  };
  return { serialize: encode, encode: encode as ValueCodec['encode'], deserialize: decode, decode };
}

/** Regrouped changes: length of the added row (4 bytes, -1: none), the row, then the removed one likewise. */
export function groupedChangeSerde(rows: Serde<SqlValue[]>): Serde<GroupedChange> {
  const write = (row: unknown, writer: ByteWriter): void => {
    const at = writer.length;
    writer.writeInt32(-1);
    if (row === null) return;
    rows.serialize(row as SqlValue[], writer);
    writer.buffer.writeInt32BE(writer.length - at - 4, at);
  };
  return {
    serialize(change, writer) {
      write(change.added, writer);
      write(change.removed, writer);
    },
    deserialize(buffer, start, end) {
      const view = new DataView(buffer.buffer, buffer.byteOffset);
      let at = start;
      const read = (): SqlValue[] | null => {
        if (at + 4 > end) throw new DataError('a regrouped change is cut off');
        const size = view.getInt32(at);
        at += 4;
        if (size < 0) return null;
        if (at + size > end) throw new DataError('a regrouped change is cut off');
        at += size;
        return rows.deserialize(buffer, at - size, at);
      };
      const added = read();
      return { added, removed: read() };
    },
  };
}
