import { LATEST, NOT_PUT, type TaskState } from '../../state/store.ts';
import type { Serde } from '../topology/serde.ts';
import type { Aggregation } from './aggregate.ts';
import { OutOfOrder, type TableStore } from './out-of-order.ts';
import { Operator } from './operator.ts';
import { AggregateOperator, type AggregateOptions } from './aggregate-operator.ts';
import type { Processor, ValueMapper } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';

/** A table change on its way to its group: what goes through the repartition topic as one record. */
export interface GroupedChange {
  readonly added: unknown;
  readonly removed: unknown;
}

/**
 * Sends each change of a table to its group: one record with the old and the new value where the group stayed the
 * same (KIP-904), else first the removal to the old group, then the addition to the new one. Needs old values. Changes
 * that are not their key's newest version are left out.
 */
export function groupTable(selectKeyOf: ValueMapper, valueOf: ValueMapper, serde: Serde): () => Processor {
  return () => new GroupTable(selectKeyOf, valueOf, serde);
}

class GroupTable extends Operator {
  readonly #keyOf: ValueMapper;
  readonly #valueOf: ValueMapper;
  readonly #removedKey: RecordKey;
  readonly #addedKey: RecordKey;

  constructor(keyOf: ValueMapper, valueOf: ValueMapper, serde: Serde) {
    super();
    this.#keyOf = keyOf;
    this.#valueOf = valueOf;
    this.#removedKey = new RecordKey(serde);
    this.#addedKey = new RecordKey(serde);
  }

  process(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    const context = this.context;
    const removedKey = this.#removedKey;
    const addedKey = this.#addedKey;
    if (old instanceof OutOfOrder) return undefined;
    const had = old !== null && old !== undefined;
    const has = value !== null;
    removedKey.setValue(had ? this.#keyOf(old, key, timestamp) : null);
    const removed = had ? this.#valueOf(old, key, timestamp) : null;
    addedKey.setValue(has ? this.#keyOf(value, key, timestamp) : null);
    const added = has ? this.#valueOf(value, key, timestamp) : null;
    const same =
      removedKey.present &&
      addedKey.present &&
      Buffer.compare(
        removedKey.buffer.subarray(removedKey.start, removedKey.end),
        addedKey.buffer.subarray(addedKey.start, addedKey.end),
      ) === 0;
    if (same) return context.forward(addedKey, { added, removed }, undefined, timestamp);
    if (removedKey.present && removed !== null)
      context.forward(removedKey, { added: null, removed }, undefined, timestamp);
    if (addedKey.present && added !== null)
      context.forward(addedKey, { added, removed: null }, undefined, timestamp);
    return undefined;
  }
}

export interface AggregateTableOptions extends AggregateOptions {
  readonly store: string;
  /** Takes back an earlier `add` of the value. */
  readonly undo: Aggregation['add'];
}

/** One state a group of a table: what left the group is undone, then what came is added. */
export function aggregateTable(options: AggregateTableOptions): () => Processor {
  return () => new AggregateTable(options);
}

class AggregateTable extends AggregateOperator<AggregateTableOptions, TableStore> {
  prefetch(key: RecordKey, _timestamp: number, state: TaskState): void {
    state.want(this.store, key.buffer, key.start, key.end, 0, 0);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const options = this.options;
    const context = this.context;
    if (!key.present) return context.skip('null-key', 'an aggregation needs a key');
    const { added, removed } = value as GroupedChange;
    const store = this.store;
    const slot = store.find(key.buffer, key.start, key.end);
    const old = slot < 0 ? null : store.valueAt(slot);
    const time = slot < 0 ? timestamp : Math.max(timestamp, store.timestampAt(slot));
    let state = old;
    if (removed !== null && old !== null) state = options.undo(old, removed, key, timestamp, null);
    if (added !== null)
      state = options.add(state === null ? options.initial() : state, added, key, timestamp, context);
    const validTo = store.put(key.buffer, key.start, key.end, state, time);
    if (validTo === NOT_PUT) return undefined;
    if (validTo !== LATEST)
      return context.forward(key, state, new OutOfOrder(options.sendOldValues ? old : undefined), time);
    return this.changes.add(key, state, old, time);
  }
}
