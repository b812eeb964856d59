import { ByteWriter } from '../common/bytes.ts';
import type { SessionRows } from './session-store.ts';
import { writeSegment } from './timed-key.ts';
import type { VersionedRows } from './versioned-store.ts';
import type { WindowRows } from './window-store.ts';

/** Stores whose rows have times in their database keys. */
export type TimesRows = WindowRows | SessionRows | VersionedRows;

/** The first key of a segment of a store. */
export function segmentBound(store: TimesRows, segment: number): Buffer {
  const writer = storeWriter(store.id);
  writer.writeByte(store.space);
  writeSegment(writer, segment);
  return writer.toBytes();
}

/** Holds the number that all database keys of a store begin with. */
export function storeWriter(id: number): ByteWriter {
  const writer = new ByteWriter(64);
  writer.writeByte(id >>> 8);
  writer.writeByte(id & 0xff);
  return writer;
}
