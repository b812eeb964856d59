import { assert } from '../common/assert.ts';
import type { ByteWriter } from '../common/bytes.ts';
import { ABSENT } from './row-store.ts';
import type { SlotList } from './slot-list.ts';
import { LATEST, NOT_PUT } from './store.ts';
import type { ValueCodec, VersionedStore, VersionedStoreOptions, VersionVisitor } from './store.ts';
import { TimedRows } from './timed-rows.ts';

/** Space byte of versions in database keys. */
const VERSIONED_SPACE = 4;

const MIN_SWEEP_MS = 60_000;

/** The value of a version that is a removal; a row whose value is null is no version. */
const REMOVAL: unique symbol = Symbol('removal');

/**
 * Rows of (key, valid from). All versions of a key are read together, since what one means depends on its neighbours.
 *
 * A version goes away when the one that follows it is at least the history old: no question can reach it then. Such
 * rows are absent and a prefix of their key's; they leave the database one by one, and no trace in the changelog,
 * which compaction keeps short. What was on disk only when its time came goes when its key is next read and put.
 */
export class VersionedRows extends TimedRows implements VersionedStore {
  readonly kind = 'versioned';
  readonly space: number = VERSIONED_SPACE;
  readonly historyRetentionMs: number;
  protected override readonly logsAbsent = false;
  readonly #values: ValueCodec;
  readonly #sweepMs: number;
  #sweptAt = -Infinity;
  /** Since the last drain a version came that was not its key's newest. */
  #outOfOrder = false;

  constructor(options: VersionedStoreOptions, persisted: boolean) {
    super(options, persisted, Infinity, versionCodec(options.values));
    this.historyRetentionMs = options.historyRetentionMs;
    this.#values = options.values;
    this.#sweepMs = Math.max(MIN_SWEEP_MS, options.historyRetentionMs / 2);
  }

  /** Which version was valid before this time is not known any more. */
  get #horizon(): number {
    return this.observedTime - this.historyRetentionMs;
  }

  find(key: Uint8Array, start: number, end: number): number {
    const newest = this.#newest(this.knownKey(key, start, end, 0, Infinity));
    return newest < 0 || this.values[newest] === REMOVAL ? -1 : newest;
  }

  findAsOf(key: Uint8Array, start: number, end: number, asOf: number): number {
    const slot = this.knownKey(key, start, end, 0, Infinity);
    const newest = this.#newest(slot);
    if (newest < 0) return -1;
    let row = newest;
    if (this.times[newest]! > asOf) {
      if (asOf < this.#horizon) return -1;
      const position = this.position(slot, asOf, Infinity) - 1;
      if (position < 0) return -1;
      row = this.fragments.at(slot, position);
    }
    return (this.flags[row]! & ABSENT) !== 0 || this.values[row] === REMOVAL ? -1 : row;
  }

  validToAt(row: number): number {
    const key = this.keyOf[row]!;
    const next = this.position(key, this.times[row]!, 0) + 1;
    return next < this.fragments.counts[key]! ? this.times[this.fragments.at(key, next)]! : Infinity;
  }

  put(key: Uint8Array, start: number, end: number, value: unknown, timestamp: number): number {
    assert(timestamp >= 0, 'a version must not be older than the epoch');
    if (value !== null && this.checkValue !== null) this.checkValue(value);
    let slot = this.knownKey(key, start, end, 0, Infinity);
    if (timestamp < this.#horizon) return NOT_PUT;
    if (timestamp > this.observedTime) this.observedTime = timestamp;
    if (slot < 0) slot = this.keySlot(key, start, end);
    const position = this.position(slot, timestamp, 0);
    const kept = value === null ? REMOVAL : value;
    const row = this.rowAt(slot, position, timestamp, 0);
    if (row >= 0) this.write(row, false, kept, timestamp);
    else this.write(this.addRow(slot, position, timestamp, 0), true, kept, timestamp);
    let validTo = LATEST;
    if (position + 1 < this.fragments.counts[slot]!) {
      validTo = this.times[this.fragments.at(slot, position + 1)]!;
      // Compaction keeps the last record of a key: it must be the newest version, so that one is logged once more.
      const newest = this.fragments.newest[slot]!;
      this.write(newest, false, this.values[newest], this.timestamps[newest]!);
      this.#outOfOrder = true;
    }
    this.#prune(slot);
    return validTo;
  }

  versions(
    key: Uint8Array,
    start: number,
    end: number,
    from: number,
    to: number,
    reverse: boolean,
    visit: VersionVisitor,
  ): void {
    const slot = this.knownKey(key, start, end, 0, Infinity);
    if (slot < 0) return;
    const horizon = this.#horizon;
    const { fragments, times } = this;
    const base = this.scratchEnd;
    const count = fragments.counts[slot]!;
    for (let i = 0; i < count; i++) {
      const row = fragments.at(slot, i);
      if (times[row]! > to) break;
      const validTo = i + 1 < count ? times[fragments.at(slot, i + 1)]! : Infinity;
      if (validTo > from && validTo > horizon && this.values[row] !== REMOVAL) this.pushScratch(row);
    }
    this.visitScratch(base, reverse, (row) => visit(this.values[row], this.times[row]!, this.validToAt(row)));
  }

  want(key: Uint8Array, start: number, end: number): void {
    this.wantTimes(key, start, end, false, 0, Infinity);
  }

  /** A key's newest version is kept however old it is: the changelog may hold nothing else of that key. */
  restoreRow(key: Uint8Array, start: number, end: number, value: unknown, timestamp: number): void {
    if (timestamp > this.observedTime) this.observedTime = this.drainedTime = timestamp;
    const slot = this.keySlot(key, start, end);
    const position = this.position(slot, timestamp, 0);
    let row = this.rowAt(slot, position, timestamp, 0);
    if (row < 0) {
      if (timestamp < this.#horizon && position < this.fragments.counts[slot]!) return;
      row = this.addRow(slot, position, timestamp, 0);
    }
    this.writeRestored(row, value === null ? REMOVAL : value, timestamp);
    this.#prune(slot);
  }

  /** History of keys that nobody puts any more goes too, now and then. */
  protected override afterDrain(): void {
    super.afterDrain();
    if (this.#horizon < this.#sweptAt + this.#sweepMs) return;
    this.#sweptAt = this.#horizon;
    for (let key = 0; key < this.keys.slotEnd; key++) if (this.keys.has(key)) this.#sweep(key);
  }

  /** The newest version of each key is logged behind its others. */
  protected override arrange(slots: SlotList): void {
    if (!this.#outOfOrder) return;
    this.#outOfOrder = false;
    const rows = slots.items.slice(0, slots.length);
    const isNewest = (row: number): boolean => this.fragments.newest[this.keyOf[row]!] === row;
    let at = 0;
    for (const row of rows) if (!isNewest(row)) slots.items[at++] = row;
    for (const row of rows) if (isNewest(row)) slots.items[at++] = row;
  }

  protected override writeChangelogValue(row: number, writer: ByteWriter): boolean {
    const value = this.values[row];
    if (value === REMOVAL) return false;
    this.#values.encode(value, writer);
    return true;
  }

  /** The newest row of a key slot, or -1; rows that went away are never newer than one that did not. */
  #newest(slot: number): number {
    if (slot < 0) return -1;
    const row = this.fragments.newest[slot]!;
    return row < 0 || (this.flags[row]! & ABSENT) !== 0 ? -1 : row;
  }

  /** Drops what no question can reach. Returns the version that is valid at the horizon, or -1. */
  #prune(slot: number): number {
    const horizon = this.#horizon;
    if (horizon < 0) return -1;
    const last = this.position(slot, horizon, Infinity) - 1;
    if (last < 0) return -1;
    for (let i = last - 1; i >= 0; i--) {
      const row = this.fragments.at(slot, i);
      if ((this.flags[row]! & ABSENT) !== 0) break;
      this.#drop(row);
    }
    return this.fragments.at(slot, last);
  }

  /** As `#prune`, and drops a removal that nothing is left to precede. It must have been drained. */
  #sweep(slot: number): void {
    const first = this.#prune(slot);
    // Earlier versions may still be on disk.
    if (first < 0 || (!this.complete && !this.isCovered(slot, 0, Infinity))) return;
    if (this.values[first] === REMOVAL) this.#drop(first);
  }

  #drop(row: number): void {
    this.write(row, false, null, this.timestamps[row]!);
  }
}

/** [1][value], or [0] for a removal. */
function versionCodec(values: ValueCodec): ValueCodec {
  return {
    encode(value, writer) {
      writer.writeByte(value === REMOVAL ? 0 : 1);
      if (value !== REMOVAL) values.encode(value, writer);
    },
    decode: (buffer, start, end) => (buffer[start] === 0 ? REMOVAL : values.decode(buffer, start + 1, end)),
  };
}
