import type { ByteWriter } from '../common/bytes.ts';
import type { AllSessionsVisitor, SessionStore, SessionStoreOptions, SessionVisitor } from './store.ts';
import { readSafeInt64 } from './timed-key.ts';
import { TimedRows } from './timed-rows.ts';

/** Space byte of session rows in database keys. */
const SESSION_SPACE = 3;

/** Rows of (key, end, start). */
export class SessionRows extends TimedRows implements SessionStore {
  readonly kind = 'session';
  readonly space: number = SESSION_SPACE;

  constructor(options: SessionStoreOptions, persisted: boolean) {
    super(options, persisted, options.retentionMs);
  }

  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    start: number,
    end: number,
    value: unknown,
    timestamp: number,
  ): void {
    this.putRow(key, keyStart, keyEnd, end, start, value, timestamp);
  }

  fetch(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    earliestEnd: number,
    latestStart: number,
    visit: SessionVisitor,
  ): void {
    const base = this.scratchEnd;
    // A session that begins early enough may end at any time.
    this.collect(key, keyStart, keyEnd, earliestEnd, Infinity);
    if (this.scratchEnd === base) return;
    this.visitScratch(base, false, (row) => {
      if (this.seconds[row]! > latestStart) return true;
      return visit(this.seconds[row]!, this.times[row]!, this.values[row], this.timestamps[row]!);
    });
  }

  fetchAll(fromEnd: number, toEnd: number, visit: AllSessionsVisitor): void {
    const keys = this.keys;
    this.walkAll(fromEnd, toEnd, (row, key) =>
      visit(
        keys.slabOf(key),
        keys.startOf(key),
        keys.endOf(key),
        this.seconds[row]!,
        this.times[row]!,
        this.values[row],
        this.timestamps[row]!,
      ),
    );
  }

  want(key: Uint8Array, start: number, end: number, earliestEnd: number): void {
    this.wantTimes(key, start, end, false, earliestEnd, Infinity);
  }

  restoreRow(key: Uint8Array, start: number, end: number, value: unknown, timestamp: number): void {
    this.restoreTimed(
      key,
      start,
      end - 16,
      readSafeInt64(key, end - 16),
      readSafeInt64(key, end - 8),
      value,
      timestamp,
    );
  }

  protected override writeChangelogKey(row: number, writer: ByteWriter): void {
    super.writeChangelogKey(row, writer);
    writer.writeSafeInt64(this.times[row]!);
    writer.writeSafeInt64(this.seconds[row]!);
  }
}
