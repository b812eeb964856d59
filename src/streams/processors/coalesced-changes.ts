import { KeyTable } from '../../state/key-table.ts';
import type { Header } from '../../log/record-batch.ts';
import type { ProcessorContext } from './processor.ts';
import { RecordKey } from './record-key.ts';
import { withHeaders } from './with-headers.ts';

/** Changes that are held back at most; more ask for a commit. */
const CHANGES_MAX = 200_000;

/**
 * Changes held back until the commit: one a key, from the value before its first change to the value after its
 * last, with the headers of the last, in the order of the first. What Kafka Streams' record cache does to output, as a choice of its own.
 */
export class CoalescedChanges {
  readonly #context: ProcessorContext;
  /** Keys, with the window's bounds behind them; slots are dense and in the order of first change. */
  #keys = new KeyTable();
  #values: unknown[] = [];
  #olds: unknown[] = [];
  #timestamps: number[] = [];
  #headers: (readonly Header[])[] = [];
  #key: RecordKey | null = null;
  #scratch = Buffer.allocUnsafeSlow(256);

  constructor(context: ProcessorContext) {
    this.#context = context;
  }

  add(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    this.#key ??= new RecordKey(key.serde);
    const size = key.end - key.start;
    const scratch = this.#withWindow(key, size);
    const found = this.#keys.find(scratch, 0, size + SUFFIX_BYTES);
    if (found >= 0) {
      this.#values[found] = value;
      this.#timestamps[found] = timestamp;
      this.#headers[found] = this.#context.record.headers();
      return;
    }
    const slot = this.#keys.insert(scratch, 0, size + SUFFIX_BYTES);
    this.#values[slot] = value;
    this.#olds[slot] = old;
    this.#timestamps[slot] = timestamp;
    this.#headers[slot] = this.#context.record.headers();
    if (slot >= CHANGES_MAX) this.#context.requestCommit();
  }

  flush(): void {
    const key = this.#key;
    const count = this.#values.length;
    if (key === null || count === 0) return;
    const keys = this.#keys;
    const values = this.#values;
    const olds = this.#olds;
    const timestamps = this.#timestamps;
    const headers = this.#headers;
    // What is forwarded may come back here: it belongs to the next flush.
    this.#keys = new KeyTable();
    this.#values = [];
    this.#olds = [];
    this.#timestamps = [];
    this.#headers = [];
    try {
      for (let slot = 0; slot < count; slot++) {
        const buffer = keys.slabOf(slot);
        const end = keys.endOf(slot) - SUFFIX_BYTES;
        key.setBytes(buffer, keys.startOf(slot), end);
        key.windowStart = buffer.readDoubleLE(end);
        key.windowEnd = buffer.readDoubleLE(end + 8);
        const forward = (): void => this.#context.forward(key, values[slot], olds[slot], timestamps[slot]!);
        if (headers[slot]!.length === 0) forward();
        else withHeaders(this.#context.record, headers[slot]!, forward);
      }
    } catch (error) {
      // A child's state must be loaded first: all of it is undone and flushed again.
      this.#keys = keys;
      this.#values = values;
      this.#olds = olds;
      this.#timestamps = timestamps;
      this.#headers = headers;
      throw error;
    }
  }

  #withWindow(key: RecordKey, size: number): Buffer {
    if (this.#scratch.length < size + SUFFIX_BYTES)
      this.#scratch = Buffer.allocUnsafeSlow(2 * size + SUFFIX_BYTES);
    const scratch = this.#scratch;
    const buffer = key.buffer;
    for (let i = key.start, at = 0; at < size; i++, at++) scratch[at] = buffer[i]!;
    scratch.writeDoubleLE(key.windowStart, size);
    scratch.writeDoubleLE(key.windowEnd, size + 8);
    return scratch;
  }
}

const SUFFIX_BYTES = 16;
