import { ByteWriter } from '../../common/bytes.ts';
import type { KeyValueStore, TaskState, ValueCodec, WindowStore } from '../../state/store.ts';
import { Operator, OperatorOf } from './operator.ts';
import type { PersistedNumber, Processor, ProcessorContext, ValueJoiner } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';

/** Forwards each record, then remembers it for the other side. Records without a key or value are not remembered. */
export function rememberForJoin(options: {
  /** A window store with duplicates, retention before + after + grace. */
  readonly store: string;
  /** Copies a value that the source only lends. */
  readonly keep?: ((value: unknown) => unknown) | undefined;
}): () => Processor {
  return () => new RememberForJoin(options.store, options.keep);
}

class RememberForJoin extends Operator {
  readonly #storeName: string;
  readonly #keep: ((value: unknown) => unknown) | undefined;
  #store!: WindowStore;

  constructor(store: string, keep: ((value: unknown) => unknown) | undefined) {
    super();
    this.#storeName = store;
    this.#keep = keep;
  }

  override init(context: ProcessorContext): void {
    super.init(context);
    this.#store = context.store(this.#storeName) as WindowStore;
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    this.context.forward(key, value, undefined, timestamp);
    if (!key.present || value === null) return;
    const kept = this.#keep === undefined ? value : this.#keep(value);
    this.#store.put(key.buffer, key.start, key.end, timestamp, kept, timestamp);
  }
}

export interface JoinStreamsOptions {
  /** Which input this operator reads. */
  readonly side: 'left' | 'right';
  /** The window store that `rememberForJoin` fills on the other side. */
  readonly otherStore: string;
  /** A key-value store of `WaitingValues`, shared by both sides; null for inner joins. */
  readonly waitingStore: string | null;
  /** Whether this side's records without a partner are forwarded. */
  readonly outer: boolean;
  /** Without `outer`: records that cannot have a partner are dropped without a word. */
  readonly quiet?: boolean | undefined;
  /** A right record joins a left one at t when it lies in [t - before, t + after]. */
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly graceMs: number;
  /** Called with the left value first, on both sides. */
  readonly joiner: ValueJoiner;
  /** Unique in the task: both sides share their stream time under it. */
  readonly name: string;
  /** Copies a value that the source only lends. */
  readonly keep?: ((value: unknown) => unknown) | undefined;
}

/** Values of one key, side and time that wait for a partner, in the order they came. */
export interface WaitingValues {
  readonly isLeft: boolean;
  readonly values: readonly unknown[];
}

const NONE_WAITING = Number.MAX_SAFE_INTEGER;

/**
 * One side of a join of two streams: joins each record with what the other side remembers within the window.
 *
 * A record of an outer side without a partner waits in a store ordered by time until its window (with grace) has
 * closed by the stream time of both sides together, unless a partner comes: then it is forwarded with its own time
 * and a null partner, in order of time. A record whose window lies wholly in the past is forwarded at once
 * (KAFKA-10847, KIP-633). A null key has no partner; it goes out at once on an outer side (KIP-962).
 */
export function joinStreams(options: JoinStreamsOptions): () => Processor {
  return () => new JoinStreams(options);
}

class JoinStreams extends OperatorOf<JoinStreamsOptions> {
  readonly #isLeft: boolean;
  /** How far back and ahead of this side's record its partners lie. */
  readonly #backMs: number;
  readonly #aheadMs: number;
  readonly #writer = new ByteWriter(256);
  #other!: WindowStore;
  #waiting: KeyValueStore | null = null;
  #streamTime!: PersistedNumber;
  /** No record that waits is known to be older. */
  #minTime!: PersistedNumber;
  #emitted: RecordKey | null = null;

  constructor(options: JoinStreamsOptions) {
    super(options);
    this.#isLeft = options.side === 'left';
    this.#backMs = this.#isLeft ? options.beforeMs : options.afterMs;
    this.#aheadMs = this.#isLeft ? options.afterMs : options.beforeMs;
  }

  override init(context: ProcessorContext): void {
    const { name, otherStore, waitingStore } = this.options;
    super.init(context);
    this.#other = context.store(otherStore) as WindowStore;
    if (waitingStore !== null) this.#waiting = context.store(waitingStore) as KeyValueStore;
    this.#streamTime = context.shared(`${name} stream-time`, -1);
    // The least time of restored records is not known: 0 has them looked through at the first chance.
    const restored = this.#waiting !== null && this.#waiting.approximateCount > 0;
    this.#minTime = context.shared(`${name} min-time`, restored ? 0 : NONE_WAITING);
  }

  prefetch(key: RecordKey, timestamp: number, state: TaskState): void {
    const [from, to] = [Math.max(0, timestamp - this.#backMs), Math.max(0, timestamp + this.#aheadMs)];
    state.want(this.#other, key.buffer, key.start, key.end, from, to);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const { outer, quiet } = this.options;
    const context = this.context;
    const streamTime = this.#streamTime;
    if (timestamp > streamTime.value) streamTime.value = timestamp;
    if (value === null) return context.skip('null-value', 'a join needs a value');
    if (!key.present) {
      if (!outer) return quiet === true ? undefined : context.skip('null-key', 'a join needs a key');
      return context.forward(key, this.#join(key, value, null), undefined, timestamp);
    }
    if (timestamp === streamTime.value) this.#emitUnjoined(key);

    const from = Math.max(0, timestamp - this.#backMs);
    const to = Math.max(0, timestamp + this.#aheadMs);
    let joined = false;
    this.#other.fetch(key.buffer, key.start, key.end, from, to, false, (otherTime, other) => {
      joined = true;
      this.#forgetWaiting(key, otherTime);
      context.forward(key, this.#join(key, value, other), undefined, Math.max(timestamp, otherTime));
    });
    if (joined || !outer) return undefined;
    if (this.#waiting === null || to < streamTime.value)
      return context.forward(key, this.#join(key, value, null), undefined, timestamp);
    if (timestamp < this.#minTime.value) this.#minTime.value = timestamp;
    return this.#wait(this.#waiting, key, value, timestamp);
  }

  #join(key: RecordKey, own: unknown, other: unknown): unknown {
    const { joiner } = this.options;
    return this.#isLeft ? joiner(own, other, key) : joiner(other, own, key);
  }

  /** Writes [time][side: 1 left, 0 right][key] and returns where it ends. */
  #waitingKey(key: RecordKey, time: number, isLeft: boolean): number {
    const writer = this.#writer;
    writer.length = 0;
    writer.writeSafeInt64(time);
    writer.writeByte(isLeft ? 1 : 0);
    writer.writeBytes(key.buffer, key.start, key.end);
    return writer.length;
  }

  #wait(store: KeyValueStore, key: RecordKey, value: unknown, timestamp: number): void {
    const { keep } = this.options;
    const end = this.#waitingKey(key, timestamp, this.#isLeft);
    const slot = store.find(this.#writer.buffer, 0, end);
    const before = slot < 0 ? [] : (store.valueAt(slot) as WaitingValues).values;
    const values = [...before, keep === undefined ? value : keep(value)];
    store.put(this.#writer.buffer, 0, end, { isLeft: this.#isLeft, values }, timestamp);
  }

  /** A partner has come for what the other side left waiting. */
  #forgetWaiting(key: RecordKey, otherTime: number): void {
    const store = this.#waiting;
    if (store === null) return;
    const end = this.#waitingKey(key, otherTime, !this.#isLeft);
    if (store.find(this.#writer.buffer, 0, end) >= 0) store.put(this.#writer.buffer, 0, end, null, otherTime);
  }

  #emitUnjoined(key: RecordKey): void {
    const store = this.#waiting;
    if (store === null) return;
    const { beforeMs, afterMs, graceMs, joiner } = this.options;
    const streamTime = this.#streamTime.value;
    const minTime = this.#minTime;
    if (minTime.value + this.#aheadMs + graceMs >= streamTime) return;
    minTime.value = NONE_WAITING;
    const due: { readonly bytes: Buffer; readonly waiting: WaitingValues }[] = [];
    let openLeft = false;
    let openRight = false;
    store.range(null, null, false, (buffer, start, end, waiting) => {
      const bytes = Buffer.from(buffer.subarray(start, end));
      const time = Number(bytes.readBigInt64BE(0));
      minTime.value = time;
      if (openLeft && openRight) return false;
      const isLeft = bytes[8] === 1;
      if (time + (isLeft ? afterMs : beforeMs) + graceMs >= streamTime) {
        if (isLeft) openLeft = true;
        else openRight = true;
        return true;
      }
      due.push({ bytes, waiting: waiting as WaitingValues });
      return true;
    });
    const emitted = (this.#emitted ??= new RecordKey(key.serde));
    emitted.serde = key.serde;
    for (const { bytes, waiting } of due) {
      const { isLeft, values } = waiting;
      const time = Number(bytes.readBigInt64BE(0));
      for (const value of values) {
        emitted.setBytes(bytes, 9, bytes.length);
        const result = isLeft ? joiner(value, null, emitted) : joiner(null, value, emitted);
        this.context.forward(emitted, result, undefined, time);
      }
      store.put(bytes, 0, bytes.length, null, time);
    }
  }
}

/** [1 left, 0 right][count u32] then each value as [length u32][bytes]. */
export function waitingValuesCodec(left: ValueCodec, right: ValueCodec): ValueCodec {
  return {
    encode(value, writer) {
      const { isLeft, values } = value as WaitingValues;
      const codec = isLeft ? left : right;
      writer.writeByte(isLeft ? 1 : 0);
      writer.writeInt32(values.length);
      for (const each of values) {
        const at = writer.length;
        writer.writeInt32(0);
        codec.encode(each, writer);
        writer.buffer.writeInt32BE(writer.length - at - 4, at);
      }
    },
    decode(bytes, start) {
      const buffer = bytes as Buffer;
      const isLeft = buffer[start] === 1;
      const codec = isLeft ? left : right;
      const values: unknown[] = [];
      let at = start + 5;
      for (let i = buffer.readInt32BE(start + 1); i > 0; i--) {
        const size = buffer.readInt32BE(at);
        values.push(codec.decode(buffer, at + 4, at + 4 + size));
        at += 4 + size;
      }
      return { isLeft, values };
    },
  };
}
