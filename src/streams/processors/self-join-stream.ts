import type { TaskState, WindowStore } from '../../state/store.ts';
import { OperatorOf } from './operator.ts';
import type { PersistedNumber, Processor, ProcessorContext, ValueJoiner } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';

export interface SelfJoinStreamOptions {
  /** The window store that `rememberForJoin` fills, before + after + grace long. */
  readonly store: string;
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly graceMs: number;
  readonly joiner: ValueJoiner;
}

/**
 * A stream joined with itself over one store: each record with the earlier ones as the left value, then as the right
 * one; its pair with itself stands where its time does. No record is without a partner, so an outer join is the same.
 * A record older than the window and grace has no pair with itself, as in Kafka Streams' rewriting.
 */
export function selfJoinStream(options: SelfJoinStreamOptions): () => Processor {
  return () => new SelfJoinStream(options);
}

class SelfJoinStream extends OperatorOf<SelfJoinStreamOptions> {
  #store!: WindowStore;
  #streamTime!: PersistedNumber;

  override init(context: ProcessorContext): void {
    super.init(context);
    this.#store = context.store(this.options.store) as WindowStore;
    this.#streamTime = context.persisted('stream-time', -1);
  }

  prefetch(key: RecordKey, timestamp: number, state: TaskState): void {
    const reachMs = Math.max(this.options.beforeMs, this.options.afterMs);
    state.want(
      this.#store,
      key.buffer,
      key.start,
      key.end,
      Math.max(0, timestamp - reachMs),
      timestamp + reachMs,
    );
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const { beforeMs, afterMs, graceMs, joiner } = this.options;
    const context = this.context;
    if (!key.present) return context.skip('null-key', 'a join needs a key');
    if (value === null) return context.skip('null-value', 'a join needs a value');
    const streamTime = this.#streamTime;
    if (timestamp > streamTime.value) streamTime.value = timestamp;
    let joinsItself = timestamp > streamTime.value - (beforeMs + afterMs + graceMs) + 1;
    const joinItself = (): void => {
      joinsItself = false;
      context.forward(key, joiner(value, value, key), undefined, timestamp);
    };
    this.#fetch(key, timestamp, beforeMs, afterMs, (otherTime, other) => {
      context.forward(key, joiner(value, other, key), undefined, Math.max(timestamp, otherTime));
    });
    this.#fetch(key, timestamp, afterMs, beforeMs, (otherTime, other) => {
      if (otherTime > timestamp && joinsItself) joinItself();
      context.forward(key, joiner(other, value, key), undefined, Math.max(timestamp, otherTime));
    });
    if (joinsItself) joinItself();
    return undefined;
  }

  #fetch(
    key: RecordKey,
    timestamp: number,
    backMs: number,
    aheadMs: number,
    visit: (time: number, value: unknown) => void,
  ): void {
    const from = Math.max(0, timestamp - backMs);
    const to = Math.max(0, timestamp + aheadMs);
    this.#store.fetch(key.buffer, key.start, key.end, from, to, false, (time, value) => visit(time, value));
  }
}
