import { ByteWriter } from '../common/bytes.ts';

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
export class RowBatch {
  readonly writes: RowWrite[] = [];
  /** Ranges [from, to) to delete before the writes. */
  readonly deletedRanges: { readonly from: Buffer; readonly to: Buffer }[] = [];
  #writer = new ByteWriter(1 << 16);
  #keyStart = 0;
  #valueStart = 0;
  #done: { keyStart: number; valueStart: number; end: number }[] = [];

  beginKey(storeId: number): ByteWriter {
    // The writer must stay the same until the row ends, so it is changed between rows only.
    if (this.#writer.length > SLAB_BYTES) this.#seal();
    const writer = this.#writer;
    this.#keyStart = writer.length;
    writer.writeByte(storeId >>> 8);
    writer.writeByte(storeId & 0xff);
    return writer;
  }

  beginValue(): void {
    this.#valueStart = this.#writer.length;
  }

  endPut(): void {
    this.#done.push({ keyStart: this.#keyStart, valueStart: this.#valueStart, end: this.#writer.length });
  }

  endDelete(): void {
    this.#done.push({ keyStart: this.#keyStart, valueStart: -1, end: this.#writer.length });
  }

  /** Every write; the batch takes no more rows. */
  finish(): readonly RowWrite[] {
    this.#seal();
    return this.writes;
  }

  #seal(): void {
    // Views are cut only now: while it grew, the writer replaced its buffer.
    const buffer = this.#writer.buffer;
    for (const { keyStart, valueStart, end } of this.#done)
      this.writes.push(
        valueStart < 0
          ? { key: buffer.subarray(keyStart, end), value: null }
          : { key: buffer.subarray(keyStart, valueStart), value: buffer.subarray(valueStart, end) },
      );
    this.#done = [];
    this.#writer = new ByteWriter(1 << 16);
  }
}
