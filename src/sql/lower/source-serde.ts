import { AssertionError } from '../../common/assert.ts';
import { EMPTY_BYTES } from '../../common/bytes.ts';
import type { Decoder, WantedColumn } from '../../formats/format.ts';
import { formatOf } from '../../formats/registry.ts';
import type { Serde } from '../../streams/topology/serde.ts';
import type { SqlValue } from '../../types/value.ts';
import type { PlanSource } from '../plan/node.ts';
import { settingsOf } from '../catalog/format-settings.ts';

/** The bytes of the record in flight, for a sink that copies columns as they are. */
export interface RawColumns {
  readonly decoder: Decoder;
  /** Index into the decoder's raw ranges by position in the source's row; -1 for the others. */
  readonly rawIndex: readonly number[];
  /** The bytes that the ranges point into: valid while the record is in flight. */
  buffer: Uint8Array;
}

export interface SourceSerde extends Serde<SqlValue[] | null> {
  readonly borrowed: true;
  /** Null when no column is passed as bytes. */
  readonly raw: RawColumns | null;
}

/**
 * Values of a source's topic as flat rows: the wanted value columns in their slots, everything else null, for the
 * row source to fill. Always the same array. Bytes are checked against all columns, whichever are wanted.
 */
export function sourceSerde(node: PlanSource): SourceSerde {
  const row: SqlValue[] = node.columns.map(() => null);
  const rawIndex: number[] = [];
  const wanted: WantedColumn[] = [];
  let raws = 0;
  node.columns.forEach((column, slot) => {
    const raw = column.raw && column.origin.kind === 'value' ? raws++ : -1;
    rawIndex.push(raw);
    if (column.origin.kind !== 'value' || !(column.wanted || column.raw)) return;
    wanted.push({ column: column.origin.index, slot: raw < 0 ? slot : -1, raw });
  });
  const format = formatOf(node.valueFormat.name);
  // A source without value columns takes any bytes for a value.
  const decoder =
    node.valueColumns.length === 0
      ? null
      : format.openDecoder(node.valueColumns, settingsOf(node.valueFormat, false), wanted);
  const raw =
    raws === 0 || decoder === null ? null : { decoder, rawIndex, buffer: EMPTY_BYTES as Uint8Array };
  const { noValue } = format;
  const noValueLength = noValue?.length ?? -1;
  return {
    borrowed: true,
    raw,
    serialize() {
      throw new AssertionError('sources are not written');
    },
    deserialize(buffer, start, end) {
      if (end - start === noValueLength && hasBytes(buffer, start, noValue!)) return null;
      decoder?.decode(buffer, start, end, row);
      if (raw !== null) raw.buffer = buffer;
      return row;
    },
  };
}

function hasBytes(buffer: Uint8Array, at: number, bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (buffer[at + i] !== bytes[i]) return false;
  return true;
}
