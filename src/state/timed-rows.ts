import { assert } from '../common/assert.ts';
import { ByteWriter } from '../common/bytes.ts';
import { CoveredTimes } from './covered-times.ts';
import { KeyTable } from './key-table.ts';
import { ABSENT, DIRTY, LIVE, RowStore } from './row-store.ts';
import { SlotFragments } from './slot-fragments.ts';
import { SlotList, grownFloat64, grownInt32, grownUint8 } from './slot-list.ts';
import { SlotOrder } from './slot-order.ts';
import type { StateStoreOptions, ValueCodec } from './store.ts';
import { TIMED_PREFIX_BYTES, readSortable, writeSortable, writeTimedPrefix } from './timed-key.ts';

const MIN_SEGMENT_MS = 60_000;
/** Also of unlimited retention. */
const MAX_SEGMENT_MS = 2 ** 52;

/**
 * Rows of (key, time, second): a window row's time is its start and its second the order of put; a session row's
 * time is its end and its second its start. A key's rows are a fragment sorted by (time, second). Over all keys an
 * order by (time, key, second) is kept from the first read across keys on.
 *
 * A row below `observedTime - retentionMs` is invisible at once and dropped later: from memory when observed time
 * has entered another segment, from the database a segment at a time.
 *
 * While the store is not complete, an absent row is known to be absent when its time is
 * - past `coldTime`, the greatest time of a row that is on disk only, or
 * - within the times covered for its key, or for all keys.
 */
export abstract class TimedRows extends RowStore {
  /** The greatest time put; -1 at first. */
  observedTime = -1;
  /** `observedTime` at the last drain: what may be persisted. */
  drainedTime = -1;
  /** Every row with a greater time is in memory. */
  coldTime = -Infinity;
  /** Rows are put under ever new seconds (windows with duplicates). */
  nextSequence = 0;
  /** Space byte of its rows in database keys. */
  abstract readonly space: number;
  readonly retentionMs: number;
  /** The length of segments; rows on disk keep the one they were written with. */
  segmentMs: number;

  protected readonly keys: KeyTable = new KeyTable();
  protected readonly fragments: SlotFragments = new SlotFragments();
  protected times: Float64Array = new Float64Array(64);
  protected seconds: Float64Array = new Float64Array(64);
  /** Key slot of each row. */
  protected keyOf: Int32Array = new Int32Array(64);

  readonly #free = new SlotList();
  #order: SlotOrder | null = null;
  readonly #covered = new CoveredTimes();
  /** By key slot, for the clock hand. */
  #used: Uint8Array = new Uint8Array(64);
  #hand = 0;
  /** The row found last; it may be free by now. */
  #lastRow = 0;
  #expiredSegment = -Infinity;
  /** Slots of rows being visited; a stack, because visitors may fetch. */
  protected scratch: Int32Array = new Int32Array(64);
  protected scratchEnd = 0;
  #markedTime = -1;
  #markedSequence = 0;
  readonly #pointKey = new ByteWriter(64);

  constructor(options: StateStoreOptions, persisted: boolean, retentionMs: number, codec?: ValueCodec) {
    super(options, persisted, codec);
    this.retentionMs = retentionMs;
    this.segmentMs = Math.min(Math.max(Math.floor(retentionMs / 2), MIN_SEGMENT_MS), MAX_SEGMENT_MS);
  }

  get keyBytes(): number {
    return this.keys.keyBytes + this.keys.count * 40;
  }

  get pointPrefix(): Buffer {
    return Buffer.of(this.id >>> 8, this.id & 0xff);
  }

  /** Rows below this time are invisible. */
  get visibleFrom(): number {
    return this.observedTime - this.retentionMs;
  }

  segmentOf(time: number): number {
    return Math.floor(time / this.segmentMs);
  }

  /** Where (time, second) stands, or would stand, in the fragment of a key. */
  protected position(key: number, time: number, second: number): number {
    const { arena } = this.fragments;
    const offset = this.fragments.offsets[key]!;
    let low = 0;
    let high = this.fragments.counts[key]!;
    if (high > 0) {
      // Most rows asked for are the key's newest.
      const last = arena[offset + high - 1]!;
      if (this.times[last]! < time) return high;
      if (this.times[last] === time && this.seconds[last]! <= second)
        return this.seconds[last] === second ? high - 1 : high;
    }
    while (low < high) {
      const middle = (low + high) >>> 1;
      const row = arena[offset + middle]!;
      const other = this.times[row]!;
      if (other < time || (other === time && this.seconds[row]! < second)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The row at a position of a key's fragment if it is (time, second), else -1. */
  protected rowAt(key: number, position: number, time: number, second: number): number {
    if (position >= this.fragments.counts[key]!) return -1;
    const row = this.fragments.at(key, position);
    return this.times[row] === time && this.seconds[row] === second ? row : -1;
  }

  /** The row of (key, time, second), absent or not; -1 when there is none in memory. */
  protected rowOf(key: number, time: number, second: number): number {
    // An aggregate finds a row and then puts it. A live row of this key and time is the row: no other can be.
    const last = this.#lastRow;
    if (this.#isRow(last, key, time, second) && (this.flags[last]! & LIVE) !== 0) return last;
    let row = this.fragments.newest[key]!;
    if (row < 0) return -1;
    if (this.times[row] !== time || this.seconds[row] !== second) {
      if (this.times[row]! < time) return -1;
      row = this.rowAt(key, this.position(key, time, second), time, second);
      if (row < 0) return -1;
    }
    this.#lastRow = row;
    return row;
  }

  #isRow(row: number, key: number, time: number, second: number): boolean {
    return this.keyOf[row] === key && this.times[row] === time && this.seconds[row] === second;
  }

  protected keySlot(key: Uint8Array, start: number, end: number): number {
    const found = this.keys.find(key, start, end);
    if (found >= 0) return found;
    const slot = this.keys.insert(key, start, end);
    if (slot >= this.#used.length) {
      this.#used = grownUint8(this.#used, slot * 2);
      this.#covered.reserve(slot * 2);
    }
    this.fragments.reserve(slot + 1);
    return slot;
  }

  /** A new row, absent and clean, at a position of its key's fragment. */
  protected addRow(key: number, position: number, time: number, second: number): number {
    const row = this.#free.length > 0 ? this.#free.pop() : this.rowEnd;
    this.create(row);
    if (this.times.length < this.capacity) {
      this.times = grownFloat64(this.times, this.capacity);
      this.seconds = grownFloat64(this.seconds, this.capacity);
      this.keyOf = grownInt32(this.keyOf, this.capacity);
    }
    this.times[row] = time;
    this.seconds[row] = second;
    this.keyOf[row] = key;
    this.fragments.insert(key, position, row);
    this.#order?.insert(row);
    return row;
  }

  /** Returns the row, -1 when there is none to be put. */
  protected putRow(
    key: Uint8Array,
    start: number,
    end: number,
    time: number,
    second: number,
    value: unknown,
    timestamp: number,
  ): number {
    if (value !== null && this.checkValue !== null) this.checkValue(value);
    // A delete of nothing is nothing, unless it moves observed time: then the changelog must tell.
    const needless = value === null && this.complete && time <= this.observedTime;
    if (time > this.observedTime) this.observedTime = time;
    else if (time < this.observedTime - this.retentionMs) return -1;
    let slot = this.keys.find(key, start, end);
    if (slot < 0) {
      if (needless) return -1;
      slot = this.keySlot(key, start, end);
    }
    const found = this.rowOf(slot, time, second);
    if (found < 0 && needless) return -1;
    const row = found < 0 ? this.addRow(slot, this.position(slot, time, second), time, second) : found;
    this.write(row, found < 0, value, timestamp);
    return row;
  }

  /** The present row of (key, time, second), or -1; throws MISS when that is not known. */
  protected findRow(key: Uint8Array, start: number, end: number, time: number, second: number): number {
    if (time < this.observedTime - this.retentionMs) return -1;
    const slot = this.keys.find(key, start, end);
    if (slot >= 0) {
      const row = this.rowOf(slot, time, second);
      if (!this.complete) this.#used[slot] = 1;
      if (row >= 0) return (this.flags[row]! & ABSENT) === 0 ? row : -1;
    }
    if (this.complete || this.isCovered(slot, time, time)) return -1;
    this.#wantPoint(key, start, end, time);
    this.missed();
    const loaded = this.keys.find(key, start, end);
    const row = loaded < 0 ? -1 : this.rowOf(loaded, time, second);
    return row < 0 || (this.flags[row]! & ABSENT) !== 0 ? -1 : row;
  }

  /** Whether every row of a key (-1: any key not in memory) with a time in [from, to] is in memory. */
  protected isCovered(slot: number, from: number, to: number): boolean {
    const low = Math.max(from, this.visibleFrom);
    const high = Math.min(to, this.coldTime);
    return low > high || this.#covered.has(slot, low, high);
  }

  protected isAllCovered(from: number, to: number): boolean {
    const low = Math.max(from, this.visibleFrom);
    const high = Math.min(to, this.coldTime);
    return low > high || this.#covered.hasAll(low, high);
  }

  #missTimes(key: Uint8Array | null, start: number, end: number, from: number, to: number): void {
    const bytes = key === null ? null : Buffer.from(key.subarray(start, end));
    this.ranges.push({ key: bytes, keyTo: null, from, to });
    this.missed();
  }

  #wantPoint(key: Uint8Array, start: number, end: number, time: number): void {
    const writer = this.#pointKey;
    writer.length = 0;
    writeTimedPrefix(writer, this.space, this.segmentOf(time), key, start, end);
    writeSortable(writer, time);
    writeSortable(writer, 0);
    const { points } = this;
    if (points.find(writer.buffer, 0, writer.length) < 0) points.insert(writer.buffer, 0, writer.length);
  }

  /** Asks the next load for a key's rows with times in [from, to], unless memory knows them. */
  protected wantTimes(
    key: Uint8Array,
    start: number,
    end: number,
    point: boolean,
    from: number,
    to: number,
  ): void {
    if (this.complete) return;
    const slot = this.keys.find(key, start, end);
    if (this.isCovered(slot, from, to)) return;
    if (!point) {
      // Not merged here: loading makes one range of all that was asked for of a key.
      this.ranges.push({ key: Buffer.from(key.subarray(start, end)), keyTo: null, from, to });
      return;
    }
    if (slot < 0 || this.rowAt(slot, this.position(slot, from, 0), from, 0) < 0)
      this.#wantPoint(key, start, end, from);
  }

  /** What must be read so that [from, to] is covered for a key; then `coverTimes`. */
  missingTimes(key: Uint8Array, from: number, to: number): readonly (readonly [from: number, to: number])[] {
    const slot = this.keys.find(key, 0, key.length);
    return this.isCovered(slot, from, to) ? [] : this.#covered.missing(slot, from, to);
  }

  coverTimes(key: Uint8Array, from: number, to: number): void {
    const slot = this.keySlot(key, 0, key.length);
    this.#used[slot] = 1;
    this.#covered.cover(slot, from, this.#reach(to));
  }

  coverAll(from: number, to: number): void {
    this.#covered.coverAll(from, this.#reach(to));
  }

  /** Rows later than any on disk only stay in memory until their key is evicted, so they are covered too. */
  #reach(to: number): number {
    return to >= this.coldTime ? Infinity : to;
  }

  /** As `missingTimes`, for all keys. */
  missingOfAll(from: number, to: number): readonly (readonly [from: number, to: number])[] {
    return this.isAllCovered(from, to) ? [] : this.#covered.missingOfAll(from, to);
  }

  /** Installs a row read from the database unless memory knows it, absent or not; null: the database has none. */
  protected installRow(
    key: Uint8Array,
    start: number,
    end: number,
    time: number,
    second: number,
    value: Buffer | null,
  ): void {
    if (time < this.visibleFrom) return;
    const slot = this.keySlot(key, start, end);
    const position = this.position(slot, time, second);
    if (this.rowAt(slot, position, time, second) >= 0) return;
    const row = this.addRow(slot, position, time, second);
    if (value !== null) this.fill(row, this.decodeStored(value), value.readDoubleBE(0));
  }

  /** As `installRow`, from a row as the database has it; its key begins at `start`. */
  install(key: Uint8Array, start: number, value: Buffer | null): void {
    const end = key.length - 16;
    this.installRow(
      key,
      start + TIMED_PREFIX_BYTES,
      end,
      readSortable(key, end),
      readSortable(key, end + 8),
      value,
    );
  }

  protected writeDatabaseKey(row: number, writer: ByteWriter): void {
    const { keys, space } = this;
    const key = this.keyOf[row]!;
    const time = this.times[row]!;
    const segment = this.segmentOf(time);
    writeTimedPrefix(writer, space, segment, keys.slabOf(key), keys.startOf(key), keys.endOf(key));
    writeSortable(writer, time);
    writeSortable(writer, this.seconds[row]!);
  }

  /** The key alone: where that is all, the record's timestamp says which row of it is meant. */
  protected writeChangelogKey(row: number, writer: ByteWriter): void {
    const key = this.keyOf[row]!;
    writer.writeBytes(this.keys.slabOf(key), this.keys.startOf(key), this.keys.endOf(key));
  }

  protected restoreTimed(
    key: Uint8Array,
    start: number,
    end: number,
    time: number,
    second: number,
    value: unknown,
    timestamp: number,
  ): void {
    if (time > this.observedTime) this.observedTime = this.drainedTime = time;
    else if (time < this.visibleFrom) return;
    let slot = this.keys.find(key, start, end);
    if (value === null && this.complete && slot < 0) return;
    slot = this.keySlot(key, start, end);
    const position = this.position(slot, time, second);
    let row = this.rowAt(slot, position, time, second);
    if (row < 0) {
      if (value === null && this.complete) {
        this.#dropUnusedKey(slot);
        return;
      }
      row = this.addRow(slot, position, time, second);
    }
    this.writeRestored(row, value, timestamp);
    this.expire();
  }

  /** Visits rows of all keys with times in [from, to] by time, then key; `visit` gets the row and its key slot. */
  protected walkAll(from: number, to: number, visit: (row: number, key: number) => boolean | void): void {
    if (!this.complete && !this.isAllCovered(from, to)) this.#missTimes(null, 0, 0, from, to);
    const low = Math.max(from, this.visibleFrom);
    if (this.present === 0 || low > to) return;
    const order = (this.#order ??= this.#buildOrder());
    const base = this.scratchEnd;
    order.seek((row) => this.times[row]! < low);
    for (let row = order.next(); row >= 0 && this.times[row]! <= to; row = order.next())
      this.pushScratch(row);
    this.visitScratch(base, false, (row) => visit(row, this.keyOf[row]!));
  }

  protected pushScratch(row: number): void {
    if (this.scratchEnd === this.scratch.length) this.scratch = grownInt32(this.scratch, this.scratchEnd * 2);
    this.scratch[this.scratchEnd++] = row;
  }

  /** Visits the rows pushed since `base`, skipping rows that are absent by then, and pops them. */
  protected visitScratch(base: number, reverse: boolean, visit: (row: number) => boolean | void): void {
    const end = this.scratchEnd;
    try {
      for (let i = base; i < end; i++) {
        const row = this.scratch[reverse ? end - 1 - (i - base) : i]!;
        if ((this.flags[row]! & ABSENT) === 0 && visit(row) === false) return;
      }
    } finally {
      this.scratchEnd = base;
    }
  }

  /** The slot of a key all of whose rows with times in [from, to] are in memory, or -1; throws MISS otherwise. */
  protected knownKey(key: Uint8Array, start: number, end: number, from: number, to: number): number {
    let slot = this.keys.find(key, start, end);
    if (!this.complete) {
      if (!this.isCovered(slot, from, to)) {
        this.#missTimes(key, start, end, from, to);
        slot = this.keys.find(key, start, end);
      }
      if (slot >= 0) this.#used[slot] = 1;
    }
    return slot;
  }

  /** Pushes a key's rows with times in [from, to]; throws MISS when they are not known. */
  protected collect(key: Uint8Array, start: number, end: number, from: number, to: number): void {
    const low = Math.max(from, this.visibleFrom);
    const slot = this.knownKey(key, start, end, from, to);
    if (slot < 0 || low > to) return;
    const count = this.fragments.counts[slot]!;
    for (let i = this.position(slot, low, -Infinity); i < count; i++) {
      const row = this.fragments.at(slot, i);
      if (this.times[row]! > to) return;
      this.pushScratch(row);
    }
  }

  /** Drops expired rows from memory when observed time has entered another segment. */
  expire(): void {
    const limit = this.visibleFrom;
    const segment = this.segmentOf(limit);
    if (!(segment > this.#expiredSegment)) return;
    this.#expiredSegment = segment;
    // Every key in memory has a row within the retention or is about to go: looking at all of them costs no more
    // than a list of rows by segment would, and needs no memory.
    for (let key = 0; key < this.keys.slotEnd; key++) {
      if (!this.keys.has(key)) continue;
      const count = this.fragments.counts[key]!;
      let expired = 0;
      for (; expired < count; expired++) {
        const row = this.fragments.at(key, expired);
        if (this.times[row]! >= limit) break;
        this.#order?.remove(row);
        this.forget(row);
        this.#free.push(row);
      }
      if (expired > 0) this.fragments.remove(key, 0, expired);
      this.#dropUnusedKey(key);
    }
  }

  evict(enough: () => boolean): boolean {
    let dropped = this.#evictOld(enough);
    const turns = this.keys.slotEnd * 2;
    for (let turn = 0; turn < turns && (turn % 64 !== 0 || !enough()); turn++) {
      if (this.#hand >= this.keys.slotEnd) this.#hand = 0;
      const key = this.#hand++;
      if (!this.keys.has(key)) continue;
      if (this.#used[key] === 1) this.#used[key] = 0;
      else if (this.#evictRows(key, Infinity)) dropped = true;
    }
    if (dropped) {
      this.#order?.retain((row) => (this.flags[row]! & LIVE) !== 0);
      this.#covered.uncoverAll();
      if (this.complete) this.storedCount = this.present;
      this.complete = false;
    }
    return dropped;
  }

  /**
   * The oldest rows of all keys go first where rows come in the order of their times, more or less: as long as none of
   * the newest has gone, what memory does not have of them does not exist, and a new window or session is not looked
   * for on disk.
   */
  #evictOld(enough: () => boolean): boolean {
    let dropped = false;
    if (this.retentionMs === Infinity) return dropped;
    for (const limit of this.#timesBetweenRows()) {
      for (let key = 0; key < this.keys.slotEnd; key++) {
        if (key % 64 === 0 && enough()) return dropped;
        if (!this.keys.has(key) || this.fragments.counts[key] === 0) continue;
        if (this.times[this.fragments.at(key, 0)]! >= limit) continue;
        if (this.#evictRows(key, limit)) dropped = true;
      }
    }
    return dropped;
  }

  /** Times that part the rows in four, roughly. */
  #timesBetweenRows(): readonly number[] {
    const step = Math.max(1, Math.floor(this.rowEnd / 1000));
    const sample: number[] = [];
    for (let row = 0; row < this.rowEnd; row += step)
      if ((this.flags[row]! & LIVE) !== 0) sample.push(this.times[row]!);
    sample.sort((a, b) => a - b);
    return [0.25, 0.5, 0.75].map((part) => sample[Math.floor(sample.length * part)] ?? -Infinity);
  }

  /** Drops clean rows of a key that are older than `limit`, and the key when nothing is left. Returns whether it dropped any. */
  #evictRows(key: number, limit: number): boolean {
    const { fragments, times } = this;
    const before = fragments.counts[key]!;
    for (let i = before - 1; i >= 0; i--) {
      const row = fragments.at(key, i);
      const time = times[row]!;
      if (time >= limit || (this.flags[row]! & DIRTY) !== 0) continue;
      if (time > this.coldTime) this.coldTime = time;
      fragments.remove(key, i, 1);
      this.forget(row);
      this.#free.push(row);
    }
    if (fragments.counts[key] === before && before > 0) return false;
    this.#covered.uncover(key);
    this.#dropUnusedKey(key);
    return true;
  }

  override clear(): void {
    super.clear();
    this.keys.clear();
    this.fragments.clear();
    this.#free.clear();
    this.#order = null;
    this.#covered.clear();
    this.#used.fill(0);
    this.#expiredSegment = -Infinity;
    this.observedTime = this.drainedTime = -1;
    this.coldTime = -Infinity;
    this.nextSequence = 0;
  }

  protected unlink(row: number): void {
    const key = this.keyOf[row]!;
    const position = this.position(key, this.times[row]!, this.seconds[row]!);
    assert(this.fragments.at(key, position) === row, 'a row must stand in the fragment of its key');
    this.#order?.remove(row);
    this.fragments.remove(key, position, 1);
    this.#free.push(row);
    this.#dropUnusedKey(key);
  }

  protected override mark(): void {
    this.#markedTime = this.observedTime;
    this.#markedSequence = this.nextSequence;
  }

  protected override rewind(): void {
    this.observedTime = this.#markedTime;
    this.nextSequence = this.#markedSequence;
  }

  protected override afterDrain(): void {
    this.drainedTime = this.observedTime;
    this.expire();
  }

  #dropUnusedKey(key: number): void {
    if (this.fragments.counts[key] !== 0 || this.#covered.hasAny(key)) return;
    this.#used[key] = 0;
    this.keys.remove(key);
  }

  #buildOrder(): SlotOrder {
    const rows: number[] = [];
    for (let key = 0; key < this.keys.slotEnd; key++) {
      if (!this.keys.has(key)) continue;
      for (let i = 0; i < this.fragments.counts[key]!; i++) rows.push(this.fragments.at(key, i));
    }
    const compare = (a: number, b: number): number => {
      const byTime = this.times[a]! - this.times[b]!;
      if (byTime !== 0) return byTime;
      const keyA = this.keyOf[a]!;
      const keyB = this.keyOf[b]!;
      if (keyA !== keyB) return this.keys.compare(keyA, keyB);
      return this.seconds[a]! - this.seconds[b]!;
    };
    return new SlotOrder(Int32Array.from(rows).sort(compare), compare);
  }
}
