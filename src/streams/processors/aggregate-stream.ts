import { LATEST, NOT_PUT, type TaskState } from '../../state/store.ts';
import { OutOfOrder, type TableStore } from './out-of-order.ts';
import { AggregateOperator, type AggregateOptions } from './aggregate-operator.ts';
import type { Processor } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';

export interface AggregateStreamOptions extends AggregateOptions {
  /** A key-value store of states. */
  readonly store: string;
}

/**
 * One state a key. Records with a null key or value are dropped. The result's time is the greatest among the
 * key's records. The change of a key's first record is from the initial state, not from absent, as in Kafka Streams.
 */
export function aggregateStream(options: AggregateStreamOptions): () => Processor {
  return () => new AggregateStream(options);
}

class AggregateStream extends AggregateOperator<AggregateStreamOptions, TableStore> {
  prefetch(key: RecordKey, _timestamp: number, state: TaskState): void {
    state.want(this.store, key.buffer, key.start, key.end, 0, 0);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const options = this.options;
    if (!key.present) return this.context.skip('null-key', 'an aggregation needs a key');
    if (value === null) return this.context.skip('null-value', 'an aggregation needs a value');
    const store = this.store;
    const slot = store.find(key.buffer, key.start, key.end);
    const old = slot < 0 ? options.initial() : store.valueAt(slot);
    const time = slot < 0 ? timestamp : Math.max(timestamp, store.timestampAt(slot));
    const state = options.add(old, value, key, timestamp, this.context);
    const validTo = store.put(key.buffer, key.start, key.end, state, time);
    if (validTo === NOT_PUT) return undefined;
    if (validTo !== LATEST)
      return this.context.forward(key, state, new OutOfOrder(options.sendOldValues ? old : undefined), time);
    return this.changes.add(key, state, old, time);
  }
}
