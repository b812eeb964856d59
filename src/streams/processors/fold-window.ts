import { ByteWriter } from '../../common/bytes.ts';
import type { Serde } from '../topology/serde.ts';
import { Operator } from './operator.ts';
import type { Processor } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';
import { BOTH_BOUNDS, readWindowedKey, windowBytes, windowedStoreKey } from '../topology/windowed-key.ts';

/**
 * Makes the window a part of the key's bytes, for operators that tell keys apart by bytes alone: only rows of equal
 * keys and equal windows meet. `value` stays the inner key's. Undone by `unfoldWindow`.
 */
export function foldWindow(inner: Serde): () => Processor {
  return () => new FoldWindow(inner);
}

class FoldWindow extends Operator {
  readonly #key: RecordKey;
  readonly #writer = new ByteWriter(64);

  constructor(inner: Serde) {
    super();
    this.#key = new RecordKey({
      serialize: (value, writer) => inner.serialize(value, writer),
      deserialize: (buffer, start, end) => inner.deserialize(buffer, start, end - windowBytes(BOTH_BOUNDS)),
    });
  }

  process(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    if (!key.present) return this.context.forward(key, value, old, timestamp);
    const end = windowedStoreKey(key, this.#writer);
    this.#key.setBytes(this.#writer.buffer, 0, end);
    return this.context.forward(this.#key, value, old, timestamp);
  }
}

/** Gives a folded key its window back. */
export function unfoldWindow(inner: Serde): () => Processor {
  return () => new UnfoldWindow(inner);
}

class UnfoldWindow extends Operator {
  readonly #key: RecordKey;

  constructor(inner: Serde) {
    super();
    this.#key = new RecordKey(inner);
  }

  process(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    if (!key.present) return this.context.forward(key, value, old, timestamp);
    readWindowedKey(key.buffer as Buffer, key.start, key.end, BOTH_BOUNDS, this.#key);
    return this.context.forward(this.#key, value, old, timestamp);
  }
}
