import { ByteWriter } from '../common/bytes.ts';
import { SlotList } from './slot-list.ts';
import { sortedKeys } from './sort-keys.ts';

const SLAB_BYTES = 8 << 20;

/** A write of the database: a value, or null to delete. */
export interface RowWrite {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

/**
 * Rows encoded for one database batch, into slabs: no allocation per row but its two views. For each row: `beginKey`,
 * write the key, then `endDelete`, or `beginValue`, write the value, `endPut`.
 */
export class WriteBatch {
  /** Ranges [from, to) to delete before the writes. */
  readonly deletedRanges: { readonly from: Buffer; readonly to: Buffer }[] = [];
  readonly #writes: RowWrite[] = [];
  #writer = new ByteWriter(1 << 16);
  /** Where the key of each row begins and ends in the writer. */
  readonly #keyStarts = new SlotList();
  readonly #keyEnds = new SlotList();
  /** Where the value of each row ends, -1 for a delete. */
  readonly #ends = new SlotList();

  beginKey(storeId: number): ByteWriter {
    // The writer must stay the same until the row ends, so it is changed between rows only.
    if (this.#writer.length > SLAB_BYTES) this.#seal();
    const writer = this.#writer;
    this.#keyStarts.push(writer.length);
    writer.writeByte(storeId >>> 8);
    writer.writeByte(storeId & 0xff);
    return writer;
  }

  beginValue(): void {
    this.#keyEnds.push(this.#writer.length);
  }

  endPut(): void {
    this.#ends.push(this.#writer.length);
  }

  endDelete(): void {
    this.#keyEnds.push(this.#writer.length);
    this.#ends.push(-1);
  }

  /**
   * Every write; the batch takes no more rows. By key within a slab, because a row in order costs RocksDB half of what
   * one in none costs: its skip list goes on where it was. Writes of one key stay in their order.
   */
  finish(): readonly RowWrite[] {
    this.#seal();
    return this.#writes;
  }

  #seal(): void {
    // Views are cut only now: while it grew, the writer replaced its buffer.
    const { buffer } = this.#writer;
    for (const row of sortedKeys(buffer, this.#keyStarts, this.#keyEnds)) {
      const keyEnd = this.#keyEnds.at(row);
      const end = this.#ends.at(row);
      this.#writes.push({
        key: buffer.subarray(this.#keyStarts.at(row), keyEnd),
        value: end < 0 ? null : buffer.subarray(keyEnd, end),
      });
    }
    for (const list of [this.#keyStarts, this.#keyEnds, this.#ends]) list.clear();
    this.#writer = new ByteWriter(1 << 16);
  }
}
