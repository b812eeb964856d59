import type { ByteWriter } from '../../common/bytes.ts';
import { windowEnd, type WindowLength } from '../topology/topology.ts';
import type { RecordKey } from '../topology/record-key.ts';

/** What follows the inner key's bytes where a windowed key is part of a store key. */
export type WindowSuffix = 'none' | 'time' | 'session';

/** Appends the key's bytes: inner key, then [start] of a time window or [end][start] of a session. */
export function writeStoredKey(key: RecordKey, suffix: WindowSuffix, writer: ByteWriter): void {
  writer.writeBytes(key.buffer, key.start, key.end);
  if (suffix === 'none') return;
  if (suffix === 'session') writer.writeSafeInt64(key.windowEnd);
  writer.writeSafeInt64(key.windowStart);
}

/** Points `into` at a key that `writeStoredKey` wrote. `sizeMs` says how long time windows are. */
export function readStoredKey(
  bytes: Buffer,
  start: number,
  end: number,
  suffix: WindowSuffix,
  sizeMs: WindowLength,
  into: RecordKey,
): void {
  const size = suffix === 'none' ? 0 : suffix === 'time' ? 8 : 16;
  into.setBytes(bytes, start, end - size);
  if (suffix === 'none') return;
  const from = Number(bytes.readBigInt64BE(end - 8));
  into.windowStart = from;
  into.windowEnd = suffix === 'session' ? Number(bytes.readBigInt64BE(end - 16)) : windowEnd(from, sizeMs);
}

/** The key of a windowed table's row in a key-value store: [key][end][start]. Returns where it ends in `writer`. */
export function windowedStoreKey(key: RecordKey, writer: ByteWriter): number {
  writer.length = 0;
  writeStoredKey(key, 'session', writer);
  return writer.length;
}
