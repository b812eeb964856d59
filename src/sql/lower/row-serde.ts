import type { ByteWriter } from '../../common/bytes.ts';
import { openRowCodec } from '../../formats/row-codec.ts';
import type { Serde } from '../../streams/topology/serde.ts';
import type { ValueCodec } from '../../state/store.ts';
import type { SqlValue } from '../../types/value.ts';
import type { Column } from '../../types/schema.ts';

/**
 * Flat rows of `columns` in the binary form, of which only the columns `carried` are written; others are null. `earlier`: of
 * which so many of them rows may be that are older, for each time that there were fewer.
 */
export function rowSerde(
  columns: readonly Column[],
  carried: readonly number[],
  earlier: readonly number[] = [],
): Serde<SqlValue[]> & ValueCodec {
  const codec = openRowCodec(
    carried.map((position) => columns[position]!.type),
    earlier,
  );
  const compact: SqlValue[] = carried.map(() => null);
  const blank: SqlValue[] = columns.map(() => null);
  const encode = (row: SqlValue[], writer: ByteWriter): void => {
    for (let i = 0; i < carried.length; i++) compact[i] = row[carried[i]!]!;
    codec.encode(compact, writer);
  };
  const decode = (buffer: Uint8Array, start: number, end: number): SqlValue[] => {
    const values = codec.decode(buffer, start, end);
    const row = blank.slice();
    for (let i = 0; i < carried.length; i++) row[carried[i]!] = values[i]!;
    return row;
  };
  return { serialize: encode, encode: encode as ValueCodec['encode'], deserialize: decode, decode };
}
