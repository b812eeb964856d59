import { DataError } from '../../common/error.ts';
import type { Serde } from '../topology/serde.ts';
import type { WindowedKeyFormat } from '../topology/topology.ts';
import { readWindowEnd, readWindowStart, windowBytes } from '../topology/windowed-key.ts';
import { wholeNumber } from './check-number.ts';
import type { Windowed } from '../topology/windowed.ts';

/**
 * Windowed keys as values of their own, in the bytes that windowed results have in topics: [key][start] for time
 * windows, [key][end][start] for sessions. `inner` is asked for when the first key is read or written.
 */
export function windowedSerde<K>(inner: () => Serde<K>, format: WindowedKeyFormat): Serde<Windowed<K>> {
  if (format.kind === 'time' && typeof format.sizeMs !== 'function')
    wholeNumber(format.sizeMs, 'the size of windows in milliseconds', 1);
  const suffix = windowBytes(format);
  return {
    serialize({ key, window }, writer) {
      inner().serialize(key, writer);
      if (format.kind === 'session') writer.writeSafeInt64(window.end);
      writer.writeSafeInt64(window.start);
    },
    deserialize(bytes, start, end) {
      if (end - start < suffix) throw new DataError('a windowed key is too short for its window');
      const buffer = bytes as Buffer;
      const from = readWindowStart(buffer, end);
      const window = { start: from, end: readWindowEnd(buffer, end, from, format) };
      return { key: inner().deserialize(buffer, start, end - suffix), window };
    },
  };
}
