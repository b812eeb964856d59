import type { ByteWriter } from '../common/bytes.ts';
import type {
  AllWindowsVisitor,
  KeyCursor,
  WindowStore,
  WindowStoreOptions,
  WindowVisitor,
} from './store.ts';
import { readSafeInt64, readUint32 } from './timed-key.ts';
import { TimedRows } from './timed-rows.ts';

/** Space byte of window rows in database keys. */
const WINDOW_SPACE = 2;

/** Rows of (key, window start, sequence); the sequence is 0 unless duplicates are kept. */
export class WindowRows extends TimedRows implements WindowStore {
  readonly kind = 'window';
  readonly space: number = WINDOW_SPACE;
  readonly #duplicates: boolean;

  constructor(options: WindowStoreOptions, persisted: boolean) {
    super(options, persisted, options.retentionMs);
    this.#duplicates = options.duplicates;
  }

  find(key: Uint8Array, start: number, end: number, windowStart: number): number {
    return this.findRow(key, start, end, windowStart, 0);
  }

  put(
    key: Uint8Array,
    start: number,
    end: number,
    windowStart: number,
    value: unknown,
    timestamp: number,
  ): number {
    if (!this.#duplicates) return this.putRow(key, start, end, windowStart, 0, value, timestamp);
    if (value === null) return -1;
    const sequence = this.nextSequence;
    this.nextSequence = (sequence + 1) >>> 0;
    return this.putRow(key, start, end, windowStart, sequence, value, timestamp);
  }

  windowStartAt(slot: number): number {
    return this.times[slot]!;
  }

  readKey(slot: number, key: KeyCursor): void {
    const { keys } = this;
    const at = this.keyOf[slot]!;
    key.setBytes(keys.slabOf(at), keys.startOf(at), keys.endOf(at));
  }

  fetch(
    key: Uint8Array,
    start: number,
    end: number,
    fromTime: number,
    toTime: number,
    reverse: boolean,
    visit: WindowVisitor,
  ): void {
    const base = this.scratchEnd;
    this.collect(key, start, end, fromTime, toTime);
    if (this.scratchEnd === base) return;
    this.visitScratch(base, reverse, (row) =>
      visit(this.times[row]!, this.values[row], this.timestamps[row]!),
    );
  }

  fetchAll(fromTime: number, toTime: number, visit: AllWindowsVisitor): void {
    const keys = this.keys;
    this.walkAll(fromTime, toTime, (row, key) =>
      visit(
        keys.slabOf(key),
        keys.startOf(key),
        keys.endOf(key),
        this.times[row]!,
        this.values[row],
        this.timestamps[row]!,
      ),
    );
  }

  want(key: Uint8Array, start: number, end: number, fromTime: number, toTime: number): void {
    this.wantTimes(key, start, end, fromTime === toTime && !this.#duplicates, fromTime, toTime);
  }

  restoreRow(key: Uint8Array, start: number, end: number, value: unknown, timestamp: number): void {
    const sequence = readUint32(key, end - 4);
    if (this.#duplicates && sequence >= this.nextSequence) this.nextSequence = (sequence + 1) >>> 0;
    this.restoreTimed(key, start, end - 12, readSafeInt64(key, end - 12), sequence, value, timestamp);
  }

  protected override writeChangelogKey(row: number, writer: ByteWriter): void {
    super.writeChangelogKey(row, writer);
    writer.writeSafeInt64(this.times[row]!);
    writer.writeInt32(this.seconds[row]! | 0);
  }
}
