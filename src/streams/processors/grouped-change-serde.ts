import { DataError } from '../../common/error.ts';
import type { Serde } from '../topology/serde.ts';
import type { GroupedChange } from './aggregate-table.ts';

const REMOVED = 0;
const ADDED = 1;
const BOTH = 2;

/**
 * The values in the repartition topic of a grouped table: [value][0 removed, 1 added], or, for a change within
 * one group (KIP-904), [length of the added u32][added][removed][2].
 */
export function groupedChangeSerde(values: Serde): Serde<GroupedChange> {
  return {
    serialize({ added, removed }, writer) {
      if (added !== null && removed !== null) {
        const at = writer.length;
        writer.writeInt32(0);
        values.serialize(added, writer);
        writer.buffer.writeInt32BE(writer.length - at - 4, at);
        values.serialize(removed, writer);
        writer.writeByte(BOTH);
      } else if (added !== null) {
        values.serialize(added, writer);
        writer.writeByte(ADDED);
      } else {
        values.serialize(removed, writer);
        writer.writeByte(REMOVED);
      }
    },
    deserialize(buffer, start, end) {
      switch (buffer[end - 1]) {
        case REMOVED:
          return { added: null, removed: values.deserialize(buffer, start, end - 1) };
        case ADDED:
          return { added: values.deserialize(buffer, start, end - 1), removed: null };
        case BOTH: {
          const middle = start + 4 + (buffer as Buffer).readInt32BE(start);
          return {
            added: values.deserialize(buffer, start + 4, middle),
            removed: values.deserialize(buffer, middle, end - 1),
          };
        }
        default:
          throw new DataError('a change of a grouped table that ends in an unknown byte');
      }
    },
  };
}
