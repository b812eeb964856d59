import { formatOf } from '../../formats/registry.ts';
import type { Serde } from '../../streams/topology/serde.ts';
import type { Decimal } from '../../types/decimal.ts';
import type { SqlValue } from '../../types/value.ts';
import { settingsOf } from '../catalog/format-settings.ts';
import type { Column } from '../../types/schema.ts';
import type { SideFormat } from '../catalog/source.ts';

/** Record keys as rows: one value a key column, in order. Null keys never come here. */
export type RowKeySerde = Serde<SqlValue[]>;

export function rowKeySerde(columns: readonly Column[], format: SideFormat): RowKeySerde {
  const settings = settingsOf(format, true);
  const codec = formatOf(format.name);
  const wanted = columns.map((_, column) => ({ column, slot: column, raw: -1 }));
  const slots = columns.map((_, column) => column);
  const encoder = codec.openEncoder(columns, settings);
  const decoder = codec.openDecoder(columns, settings, wanted);
  const decimals = columns.flatMap(({ type }, column) =>
    type.kind === 'decimal' ? [{ column, scale: type.scale }] : [],
  );
  return {
    serialize(key, writer) {
      // Equal keys are equal bytes: 1.5 (as GREATEST may give it) is written as 1.50 is.
      for (const { column, scale } of decimals) {
        const value = key[column] as Decimal | null;
        if (value !== null && value.scale !== scale) key[column] = value.setScale(scale);
      }
      encoder.encode(key, slots, writer);
    },
    deserialize(buffer, start, end) {
      const key: SqlValue[] = columns.map(() => null);
      decoder.decode(buffer, start, end, key);
      return key;
    },
  };
}
