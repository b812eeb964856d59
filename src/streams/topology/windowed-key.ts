import type { ByteWriter } from '../../common/bytes.ts';
import type { RecordKey } from './record-key.ts';
import { windowEnd, type WindowedKeyFormat } from './topology.ts';

/** How keys are written with their windows: [inner key][start] of time windows, [inner key][end][start] of sessions. */

/** How many bytes follow the inner key. */
export function windowBytes(format: WindowedKeyFormat | undefined): number {
  return format === undefined ? 0 : format.kind === 'time' ? 8 : 16;
}

export function readWindowStart(bytes: Buffer, end: number): number {
  return Number(bytes.readBigInt64BE(end - 8));
}

/** The end of the window that starts at `from`. */
export function readWindowEnd(bytes: Buffer, end: number, from: number, format: WindowedKeyFormat): number {
  return format.kind === 'session' ? Number(bytes.readBigInt64BE(end - 16)) : windowEnd(from, format.sizeMs);
}

/** Appends the key's bytes. */
export function writeWindowedKey(
  key: RecordKey,
  format: WindowedKeyFormat | undefined,
  writer: ByteWriter,
): void {
  writer.writeBytes(key.buffer, key.start, key.end);
  if (format === undefined) return;
  if (format.kind === 'session') writer.writeSafeInt64(key.windowEnd);
  writer.writeSafeInt64(key.windowStart);
}

/** Points `into` at a key that was written so. */
export function readWindowedKey(
  bytes: Buffer,
  start: number,
  end: number,
  format: WindowedKeyFormat | undefined,
  into: RecordKey,
): void {
  into.setBytes(bytes, start, end - windowBytes(format));
  if (format === undefined) return;
  into.windowStart = readWindowStart(bytes, end);
  into.windowEnd = readWindowEnd(bytes, end, into.windowStart, format);
}

/** How keys of any windows are told apart by their bytes: [key][end][start]. */
export const BOTH_BOUNDS: WindowedKeyFormat = { kind: 'session' };

/** The key of a windowed table's row in a key-value store. Returns where it ends in `writer`. */
export function windowedStoreKey(key: RecordKey, writer: ByteWriter): number {
  writer.length = 0;
  writeWindowedKey(key, BOTH_BOUNDS, writer);
  return writer.length;
}
