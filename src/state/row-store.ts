import { assert } from '../common/assert.ts';
import { ByteWriter } from '../common/bytes.ts';
import type { WriteBatch } from './write-batch.ts';
import { KeyTable } from './key-table.ts';
import { SlotList, grownFloat64, grownInt32, grownUint8 } from './slot-list.ts';
import { StateError } from './directory-lock.ts';
import { MISS } from './store.ts';
import type { ChangelogVisitor, StateStoreOptions, ValueCodec } from './store.ts';

/** The slot holds a row (or a row known to be absent). */
export const LIVE = 1;
/** The row is known to be absent: deleted, or looked up and not there. */
export const ABSENT = 2;
/** Changed since the last drain. */
const UNDRAINED = 4;
/** Drained, but not yet handed to the database. */
const UNPERSISTED = 8;
/** Handed to the database, which has not answered yet. */
const PERSISTING = 16;
/** UNDRAINED and UNPERSISTED: `drainedValues` holds what the last drain saw. */
const SAVED = 32;
/** Read since the clock hand passed (kept only while rows may be evicted). */
export const USED = 64;
export const DIRTY: number = UNDRAINED | UNPERSISTED | PERSISTING;

/** Bytes that a row costs beside its key and its value: slots in typed arrays, index, value header. */
const ROW_BYTES = 80;

const EMPTY: unknown[] = [];

const throwMiss = (): never => {
  throw MISS; // oxlint-disable-line no-throw-literal
};

/** A range that the database has to read, in bytes of this store; see `RowStore.takeWants`. */
export interface Want {
  /** The key, or null for all keys. For key ranges of a key-value store: the lower bound (null: from the start). */
  readonly key: Buffer | null;
  /** Upper bound of a key range, exclusive (null: to the end). */
  readonly keyTo: Buffer | null;
  readonly from: number;
  readonly to: number;
}

/** What the database has to read. */
export interface Wants {
  readonly ranges: readonly Want[];
  /** Single rows, each once: their keys in the database, after `RowStore.pointPrefix`. */
  readonly points: KeyTable;
}

/**
 * The base of all stores: rows by slot with value, timestamp and state of writing; the lists of what changed since
 * the last drain and the last persist; the journal that takes a record back.
 *
 * A store that is `complete` holds every row in memory, so what it does not hold does not exist. Otherwise a read
 * whose answer is not known notes what it wanted, and throws MISS or waits for it: see `missed`.
 *
 * Slots are freed only by `undo`, `drain`, `persisted` and `evict`, never by a put: code that walks rows and calls
 * visitors that put may keep slots.
 */
export abstract class RowStore {
  abstract readonly kind: StateStoreOptions['kind'];
  readonly name: string;
  readonly options: StateStoreOptions;
  /** Rows are written to the database. False without one and for stores that are not persistent. */
  persisted: boolean;
  /** Number of the store in the keys of the database; -1 until it has one. */
  id = -1;
  complete = true;
  /** Rows present (not absent). */
  present = 0;
  /** Live slots, absent rows included. */
  rows = 0;
  /** Rows in the database when it was opened: for estimates only. */
  storedCount = 0;
  /** A read noted what it wants and cannot go on without: throws MISS, or has brought it when it returns. */
  missed: () => void = throwMiss;
  protected ranges: Want[] = [];
  /** Single rows that were asked for: a chunk's many records of one key ask once, and none costs an object. */
  protected points: KeyTable = new KeyTable();
  /** The points of the load before. */
  #loadedPoints = new KeyTable();

  protected readonly codec: ValueCodec;
  /** Throws for a value that cannot be written; before anything is changed for it. Null: nothing is known. */
  protected readonly checkValue: ((value: unknown) => void) | null;
  protected capacity = 64;
  protected values: unknown[] = [];
  protected timestamps: Float64Array = new Float64Array(64);
  protected flags: Uint8Array = new Uint8Array(64);
  protected journalling = false;
  /** Every slot in use is below this. */
  protected rowEnd = 0;

  /** By slot: how often it was freed. */
  #generations: Int32Array = new Int32Array(64);
  #drainedValues: unknown[] = EMPTY;
  #drainedTimestamps: Float64Array = new Float64Array(0);
  #undrained = new SlotList();
  #unpersisted = new SlotList();
  #persisting = new SlotList();
  #journalSlots = new SlotList();
  #journalFlags = new SlotList();
  #journalValues: unknown[] = [];
  #journalTimestamps: number[] = [];
  /** Running mean of a value's encoded size. */
  #meanValueBytes = 32;
  readonly #writer = new ByteWriter(256);

  /** `codec` writes values for the database, and for the changelog unless `writeChangelogValue` says otherwise. */
  constructor(options: StateStoreOptions, persisted: boolean, codec: ValueCodec = options.values) {
    this.name = options.name;
    this.options = options;
    this.codec = codec;
    this.checkValue = options.values.check ?? null;
    this.persisted = persisted;
  }

  valueAt(slot: number): unknown {
    return this.values[slot];
  }

  timestampAt(slot: number): number {
    return this.timestamps[slot]!;
  }

  generationAt(slot: number): number {
    return this.#generations[slot]!;
  }

  /** Appends the row's key as the changelog has it. */
  protected abstract writeChangelogKey(slot: number, writer: ByteWriter): void;
  /** Appends the row's key in the database, after the store's number. */
  protected abstract writeDatabaseKey(slot: number, writer: ByteWriter): void;
  /** Takes a row out of the indexes; the slot may be used again. */
  protected abstract unlink(slot: number): void;
  /** Applies one record of the changelog through `writeRestored`. */
  abstract restoreRow(key: Uint8Array, start: number, end: number, value: unknown, timestamp: number): void;
  /**
   * Installs a row read from the database, by its database key after the store's number, unless memory knows it; null:
   * the database has no such row.
   */
  abstract install(key: Uint8Array, start: number, value: Buffer | null): void;
  /** What the database keys of `Wants.points` begin with. */
  abstract readonly pointPrefix: Buffer;
  /** Drops clean rows, at most until `enough()`. Returns whether any was dropped. */
  abstract evict(enough: () => boolean): boolean;
  /** Bytes of keys in memory. */
  protected abstract readonly keyBytes: number;

  /** Remembers what `undo` must bring back beside rows. */
  protected mark(): void {}
  protected rewind(): void {}
  /** Puts what is about to be drained in the order in which the changelog is to have it. */
  protected arrange(_slots: SlotList): void {}
  /** Appends a row's value as the changelog has it; false: a tombstone. Not called for absent rows. */
  protected writeChangelogValue(slot: number, writer: ByteWriter): boolean {
    this.codec.encode(this.values[slot], writer);
    return true;
  }
  /** Whether a row that went away leaves a tombstone in the changelog. */
  protected readonly logsAbsent: boolean = true;
  /** The last drain's view of what the store keeps beside rows becomes what `persist` writes. */
  protected afterDrain(): void {}

  /** The reads that were wanted since the last call, null when there are none. The points are valid until the next. */
  takeWants(): Wants | null {
    const { ranges, points } = this;
    if (ranges.length === 0 && points.count === 0) return null;
    this.ranges = [];
    this.points = this.#loadedPoints;
    this.points.clear();
    this.#loadedPoints = points;
    return { ranges, points };
  }

  get rowBytes(): number {
    return ROW_BYTES + this.#meanValueBytes * 2;
  }

  get memoryBytes(): number {
    return this.rows * this.rowBytes + this.keyBytes;
  }

  get unpersistedBytes(): number {
    return (this.#undrained.length + this.#unpersisted.length) * this.rowBytes;
  }

  protected growRows(slot: number): void {
    if (slot < this.capacity) return;
    this.capacity = Math.max(slot + 1, this.capacity * 2);
    this.timestamps = grownFloat64(this.timestamps, this.capacity);
    this.flags = grownUint8(this.flags, this.capacity);
    this.#generations = grownInt32(this.#generations, this.capacity);
  }

  /** Makes `slot` a row that is absent and clean; `write` or `fill` gives it what it holds. */
  protected create(slot: number): void {
    if (slot >= this.capacity) this.growRows(slot);
    if (slot >= this.rowEnd) this.rowEnd = slot + 1;
    this.flags[slot] = LIVE | ABSENT;
    this.values[slot] = null;
    this.rows++;
  }

  /** A put by an operator. `created` says that `create` made the row for this very put. */
  protected write(slot: number, created: boolean, value: unknown, timestamp: number): void {
    let flags = this.flags[slot]!;
    if (this.journalling) {
      this.#journalSlots.push(slot);
      this.#journalFlags.push(created ? 0 : flags);
      this.#journalValues.push(this.values[slot]);
      this.#journalTimestamps.push(this.timestamps[slot]!);
    }
    if ((flags & UNDRAINED) === 0) {
      if ((flags & UNPERSISTED) !== 0) {
        this.#saveDrained(slot);
        flags |= SAVED;
      }
      this.#undrained.push(slot);
      flags |= UNDRAINED;
    }
    this.#set(slot, flags, value, timestamp);
  }

  /** A row that is in the changelog already, but not in the database. */
  protected writeRestored(slot: number, value: unknown, timestamp: number): void {
    let flags = this.flags[slot]!;
    if (this.persisted && (flags & UNPERSISTED) === 0) {
      this.#unpersisted.push(slot);
      flags |= UNPERSISTED;
    }
    this.#set(slot, flags, value, timestamp);
    if (value === null && !this.persisted) this.#release(slot);
  }

  /** A row as the database has it. */
  protected fill(slot: number, value: unknown, timestamp: number): void {
    this.#set(slot, this.flags[slot]!, value, timestamp);
  }

  #set(slot: number, flags: number, value: unknown, timestamp: number): void {
    if (value === null) {
      if ((flags & ABSENT) === 0) this.present--;
      flags |= ABSENT;
    } else if ((flags & ABSENT) !== 0) {
      this.present++;
      flags &= ~ABSENT;
    }
    this.flags[slot] = flags;
    this.values[slot] = value;
    this.timestamps[slot] = timestamp;
  }

  #saveDrained(slot: number): void {
    if (this.#drainedTimestamps.length < this.capacity) {
      if (this.#drainedValues === EMPTY) this.#drainedValues = [];
      this.#drainedTimestamps = grownFloat64(this.#drainedTimestamps, this.capacity);
    }
    this.#drainedValues[slot] = this.values[slot];
    this.#drainedTimestamps[slot] = this.timestamps[slot]!;
  }

  /** Frees a slot. Lists may still name it: they look at its flags before they act. */
  #release(slot: number): void {
    this.unlink(slot);
    this.forget(slot);
  }

  /** Frees a slot that the caller has taken out of the indexes. */
  protected forget(slot: number): void {
    if ((this.flags[slot]! & ABSENT) === 0) this.present--;
    this.flags[slot] = 0;
    this.values[slot] = undefined;
    this.#generations[slot]!++;
    this.rows--;
  }

  /** Decodes a database value: [timestamp f64][bytes]. */
  protected decodeStored(value: Buffer): unknown {
    return this.codec.decode(value, 8, value.length);
  }

  beginRecord(): void {
    this.journalling = true;
    this.#journalSlots.length = 0;
    this.#journalFlags.length = 0;
    this.#journalValues.length = 0;
    this.#journalTimestamps.length = 0;
    this.mark();
  }

  endJournal(): void {
    if (!this.journalling) return;
    this.journalling = false;
    this.#journalSlots.clear();
    this.#journalFlags.clear();
    this.#journalValues = [];
    this.#journalTimestamps = [];
  }

  undoRecord(): void {
    if (!this.journalling) return;
    while (this.#journalSlots.length > 0) {
      const slot = this.#journalSlots.pop();
      const before = this.#journalFlags.pop();
      const value = this.#journalValues.pop();
      const timestamp = this.#journalTimestamps.pop()!;
      if ((before & UNDRAINED) === 0) {
        const last = this.#undrained.pop();
        assert(last === slot, 'changes must be undone in the reverse order of their making');
      }
      if (before === 0) {
        this.#release(slot);
        continue;
      }
      const wasPresent = (before & ABSENT) === 0;
      const isPresent = (this.flags[slot]! & ABSENT) === 0;
      if (wasPresent && !isPresent) this.present++;
      if (!wasPresent && isPresent) this.present--;
      this.flags[slot] = before;
      this.values[slot] = value;
      this.timestamps[slot] = timestamp;
    }
    this.rewind();
  }

  /** See `TaskState.drainChangelog`. */
  drain(visit: ChangelogVisitor): void {
    const writer = this.#writer;
    const changelog = this.options.changelog;
    this.arrange(this.#undrained);
    const count = this.#undrained.length;
    for (let i = 0; i < count; i++) {
      const slot = this.#undrained.at(i);
      const flags = this.flags[slot]!;
      const absent = (flags & ABSENT) !== 0;
      if (changelog && (!absent || this.logsAbsent)) {
        writer.length = 0;
        this.writeChangelogKey(slot, writer);
        const keyEnd = writer.length;
        let valueStart = -1;
        if (!absent && this.#written(slot, writer)) {
          valueStart = keyEnd;
          this.#meanValueBytes += (writer.length - keyEnd - this.#meanValueBytes) / 64;
        }
        const bytes = writer.buffer;
        visit(
          bytes,
          0,
          keyEnd,
          bytes,
          valueStart,
          valueStart < 0 ? -1 : writer.length,
          this.timestamps[slot]!,
        );
      }
      if (this.persisted) {
        if ((flags & UNPERSISTED) === 0) this.#unpersisted.push(slot);
        this.flags[slot] = (flags & ~(UNDRAINED | SAVED)) | UNPERSISTED;
      } else {
        this.flags[slot] = flags & ~UNDRAINED;
        if (absent) this.#release(slot);
      }
    }
    this.#undrained.clear();
    this.afterDrain();
  }

  #written(slot: number, writer: ByteWriter): boolean {
    const keyEnd = writer.length;
    try {
      return this.writeChangelogValue(slot, writer);
    } catch (error) {
      throw this.#cannotWrite(error, writer.buffer.subarray(0, keyEnd));
    }
  }

  #cannotWrite(error: unknown, key: Uint8Array): StateError {
    const text = Buffer.from(key.subarray(0, 100)).toString('utf8');
    return new StateError(
      `store ${this.name} cannot write the row of key ${JSON.stringify(text)}: ${(error as Error).message}`,
      'put what the serde of its values can write',
      error,
    );
  }

  /** There is a database from now on: all rows that are drained are still to be written to it. */
  beginPersisting(): void {
    this.persisted = true;
    for (let slot = 0; slot < this.rowEnd; slot++) {
      const flags = this.flags[slot]!;
      if ((flags & LIVE) === 0 || (flags & UNDRAINED) !== 0) continue;
      this.flags[slot] = flags | UNPERSISTED;
      this.#unpersisted.push(slot);
    }
  }

  /** Encodes what is drained but not in the database. `persisted` or a failed task must follow. */
  encodeUnpersisted(batch: WriteBatch): void {
    assert(this.#persisting.length === 0, 'one persist at a time');
    const list = this.#unpersisted;
    for (let i = 0; i < list.length; i++) {
      const slot = list.at(i);
      const flags = this.flags[slot]!;
      // The slot may have been freed by expiry, and even used again, since it was listed.
      if ((flags & UNPERSISTED) === 0) continue;
      const saved = (flags & SAVED) !== 0;
      const value = saved ? this.#drainedValues[slot] : this.values[slot];
      const writer = batch.beginKey(this.id);
      this.writeDatabaseKey(slot, writer);
      if (value === null) batch.endDelete();
      else {
        batch.beginValue();
        writer.writeDouble(saved ? this.#drainedTimestamps[slot]! : this.timestamps[slot]!);
        const from = writer.length;
        try {
          this.codec.encode(value, writer);
        } catch (error) {
          throw this.#cannotWrite(error, writer.buffer.subarray(0, from - 8));
        }
        this.#meanValueBytes += (writer.length - from - this.#meanValueBytes) / 64;
        batch.endPut();
      }
      if (saved) this.#drainedValues[slot] = undefined;
      this.flags[slot] = (flags & ~(UNPERSISTED | SAVED)) | PERSISTING;
    }
    this.#unpersisted = this.#persisting;
    this.#persisting = list;
  }

  /** The database has what the last `encodeUnpersisted` gave it. */
  persistDone(): void {
    const list = this.#persisting;
    for (let i = 0; i < list.length; i++) {
      const slot = list.at(i);
      const flags = this.flags[slot]!;
      if ((flags & PERSISTING) === 0) continue;
      this.flags[slot] = flags & ~PERSISTING;
      // Where everything is in memory, a row that is gone from the database need not be remembered as absent.
      if (this.complete && (flags & (ABSENT | UNDRAINED | UNPERSISTED)) === ABSENT) this.#release(slot);
    }
    list.clear();
  }

  /** Forgets all rows, as if the store had just been opened for a new task. */
  clear(): void {
    this.values = [];
    this.flags.fill(0);
    this.rowEnd = 0;
    this.rows = 0;
    this.present = 0;
    this.storedCount = 0;
    this.complete = true;
    this.takeWants();
    this.#drainedValues = EMPTY;
    this.#drainedTimestamps = new Float64Array(0);
    this.#undrained.clear();
    this.#unpersisted.clear();
    this.#persisting.clear();
    this.endJournal();
  }
}
