import type { ProcessorContext } from './processor.ts';
import { RecordKey } from './record-key.ts';

interface Change {
  readonly key: Buffer;
  readonly windowStart: number;
  readonly windowEnd: number;
  value: unknown;
  readonly old: unknown;
  timestamp: number;
}

/**
 * Changes held back until the commit: one a key, from the value before its first change to the value after its
 * last, in the order of the first. What Kafka Streams' record cache does to output, as a choice of its own.
 */
export class CoalescedChanges {
  readonly #context: ProcessorContext;
  readonly #changes = new Map<string, Change>();
  #key: RecordKey | null = null;

  constructor(context: ProcessorContext) {
    this.#context = context;
  }

  add(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    this.#key ??= new RecordKey(key.serde);
    const bytes = Buffer.from(key.buffer.subarray(key.start, key.end));
    const name = `${bytes.toString('latin1')}\u0000${key.windowStart}`;
    const change = this.#changes.get(name);
    if (change === undefined) {
      const { windowStart, windowEnd } = key;
      this.#changes.set(name, { key: bytes, windowStart, windowEnd, value, old, timestamp });
    } else {
      change.value = value;
      change.timestamp = timestamp;
    }
    if (this.#changes.size >= 100_000) this.#context.requestCommit();
  }

  flush(): void {
    const key = this.#key;
    if (key === null || this.#changes.size === 0) return;
    for (const change of this.#changes.values()) {
      key.setBytes(change.key, 0, change.key.length);
      key.windowStart = change.windowStart;
      key.windowEnd = change.windowEnd;
      this.#context.forward(key, change.value, change.old, change.timestamp);
    }
    // Only now: a child whose state must be loaded first makes all of it be flushed again.
    this.#changes.clear();
  }
}
