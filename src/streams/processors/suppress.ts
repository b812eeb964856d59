import { ByteWriter } from '../../common/bytes.ts';
import type { Header } from '../../log/record-batch.ts';
import type { KeyValueStore, TaskState, ValueCodec } from '../../state/store.ts';
import { readKeptHeaders, writeKeptHeaders } from './kept-headers.ts';
import { OperatorOf } from './operator.ts';
import type { PersistedNumber, Processor, ProcessorContext } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';
import { readWindowedKey, writeWindowedKey } from '../topology/windowed-key.ts';
import { StopError } from '../topology/stop-error.ts';
import type { WindowedKeyFormat } from '../topology/topology.ts';
import type { TableReader, TableView } from './table-view.ts';
import { withHeaders } from './with-headers.ts';

export interface SuppressOptions {
  /** A key-value store of `BufferedChange`: [time][key] of each change that is held back. */
  readonly store: string;
  /** A key-value store of numbers: the buffer time of a key. Only for time limits. */
  readonly index: string | null;
  /** `window-close`: held until the window's end + `waitMs` (its grace); `time-limit`: until record time + `waitMs`. */
  readonly until: 'window-close' | 'time-limit';
  readonly waitMs: number;
  /** The windows of a windowed table. */
  readonly window: WindowedKeyFormat | undefined;
  /** Infinity: without bound. */
  readonly recordsMax: number;
  readonly bytesMax: number;
  /** Writes values as they are kept: what a bound in bytes counts. */
  readonly values: ValueCodec;
  /** What happens when the buffer is full: the oldest goes out early, or the application stops. */
  readonly whenFull: 'emit' | 'shut-down';
  readonly sendOldValues: boolean;
}

/** A change that waits: the latest of its key, and the row before the first (`prior`), which readers still see. */
export interface BufferedChange {
  readonly value: unknown;
  readonly old: unknown;
  readonly prior: unknown;
  readonly timestamp: number;
  readonly sizeBytes: number;
  /** The headers of the latest change, which go out with it whichever record makes it go. */
  readonly headers: readonly Header[];
}

/**
 * Holds changes of a table back, one a key, and forwards the latest when its time has come by the stream time that
 * this operator sees. A key keeps the place in the queue that its first change took. Removals of windows that never
 * went out are dropped (`window-close`).
 */
export function suppress(options: SuppressOptions): () => Processor {
  return () => new Suppress(options);
}

class Suppress extends OperatorOf<SuppressOptions> {
  readonly #writer = new ByteWriter(256);
  readonly #measured = new ByteWriter(256);
  #store!: KeyValueStore;
  #index: KeyValueStore | null = null;
  #streamTime!: PersistedNumber;
  #records!: PersistedNumber;
  #bytes!: PersistedNumber;
  #emitted: RecordKey | null = null;

  override init(context: ProcessorContext): void {
    super.init(context);
    this.#store = context.store(this.options.store) as KeyValueStore;
    if (this.options.index !== null) this.#index = context.store(this.options.index) as KeyValueStore;
    this.#streamTime = context.persisted('stream-time', -1);
    this.#records = context.persisted('records', 0);
    this.#bytes = context.persisted('bytes', 0);
    // State that was restored without its count.
    if (this.#records.value === 0) this.#records.value = this.#store.approximateCount;
  }

  prefetch(key: RecordKey, timestamp: number, state: TaskState): void {
    if (this.options.until !== 'window-close' || !key.windowed) return;
    const end = this.#bufferKey(key, this.#bufferTime(key, timestamp));
    state.want(this.#store, this.#writer.buffer, 0, end, 0, 0);
  }

  process(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    const streamTime = this.#streamTime;
    if (timestamp > streamTime.value) streamTime.value = timestamp;
    this.#hold(key, value, old ?? null, timestamp);
    this.#emitWhile(key, (time) => time <= streamTime.value - this.options.waitMs);
    if (!this.#full()) return;
    const { recordsMax, bytesMax, whenFull } = this.options;
    if (whenFull === 'shut-down')
      throw new StopError(
        `${this.context.nodeName} holds ${this.#records.value} records of at most ${recordsMax} ` +
          `(${this.#bytes.value} bytes of at most ${bytesMax})`,
      );
    this.#emitWhile(key, () => this.#full());
  }

  #full(): boolean {
    return this.#records.value > this.options.recordsMax || this.#bytes.value > this.options.bytesMax;
  }

  #bufferTime(key: RecordKey, timestamp: number): number {
    return this.options.until === 'window-close' ? key.windowEnd : timestamp;
  }

  /** Writes [time][key] and returns where it ends. */
  #bufferKey(key: RecordKey, time: number): number {
    const writer = this.#writer;
    writer.length = 0;
    writer.writeSafeInt64(time);
    writeWindowedKey(key, this.options.window, writer);
    return writer.length;
  }

  #hold(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    const store = this.#store;
    let time = this.#bufferTime(key, timestamp);
    let end = this.#bufferKey(key, time);
    const index = this.#index;
    if (index !== null) {
      const found = index.find(this.#writer.buffer, 8, end);
      if (found < 0) {
        index.put(this.#writer.buffer, 8, end, time, timestamp);
      } else {
        time = index.valueAt(found) as number;
        end = this.#bufferKey(key, time);
      }
    }
    const slot = store.find(this.#writer.buffer, 0, end);
    const held = slot < 0 ? null : (store.valueAt(slot) as BufferedChange);
    const prior = held === null ? old : held.prior;
    const headers = this.context.record.headers();
    const sizeBytes =
      this.options.bytesMax === Infinity ? 0 : end + this.#bytesOf(value, old, prior, headers);
    const change: BufferedChange = { value, old, prior, timestamp, sizeBytes, headers };
    store.put(this.#writer.buffer, 0, end, change, timestamp);
    if (held === null) this.#records.value++;
    this.#bytes.value += sizeBytes - (held?.sizeBytes ?? 0);
  }

  /** Bytes of values and headers, without the key and the time. */
  #bytesOf(value: unknown, old: unknown, prior: unknown, headers: readonly Header[]): number {
    const writer = this.#measured;
    writer.length = 0;
    for (const each of [value, old, prior])
      if (each !== null && each !== undefined) this.options.values.encode(each, writer);
    for (const each of headers) writer.length += Buffer.byteLength(each.key) + (each.value?.length ?? 0);
    return writer.length;
  }

  #emitWhile(key: RecordKey, due: (time: number) => boolean): void {
    const { window, until, sendOldValues } = this.options;
    for (;;) {
      const first = this.#first();
      if (first === null) return;
      const { bytes, change } = first;
      if (!due(Number(bytes.readBigInt64BE(0)))) return;
      if (change.value !== null || until === 'time-limit') {
        const emitted = (this.#emitted ??= new RecordKey(key.serde));
        emitted.serde = key.serde;
        readWindowedKey(bytes, 8, bytes.length, window, emitted);
        const before = sendOldValues ? change.old : undefined;
        withHeaders(this.context.record, change.headers, () =>
          this.context.forward(emitted, change.value, before, change.timestamp),
        );
      }
      this.#store.put(bytes, 0, bytes.length, null, change.timestamp);
      this.#index?.put(bytes, 8, bytes.length, null, change.timestamp);
      this.#records.value--;
      this.#bytes.value -= change.sizeBytes;
    }
  }

  #first(): { readonly bytes: Buffer; readonly change: BufferedChange } | null {
    const found: { readonly bytes: Buffer; readonly change: BufferedChange }[] = [];
    this.#store.range(null, null, false, (bytes, start, end, value) => {
      found.push({ bytes: Buffer.from(bytes.subarray(start, end)), change: value as BufferedChange });
      return false;
    });
    return found[0] ?? null;
  }
}

/** The table behind a suppression: for a key that is held back, the row before the first change that is held. */
export function suppressedView(
  parent: TableView,
  options: Pick<SuppressOptions, 'store' | 'index' | 'window'>,
): TableView {
  const stores = [...parent.stores, options.store];
  if (options.index !== null) stores.push(options.index);
  return { stores, open: (context) => new SuppressedReader(parent.open(context), options, context) };
}

class SuppressedReader implements TableReader {
  readonly #parent: TableReader;
  readonly #options: Pick<SuppressOptions, 'window'>;
  readonly #store: KeyValueStore;
  readonly #index: KeyValueStore | null;
  readonly #writer = new ByteWriter(256);
  timestamp = -1;

  constructor(
    parent: TableReader,
    options: Pick<SuppressOptions, 'store' | 'index' | 'window'>,
    context: ProcessorContext,
  ) {
    this.#parent = parent;
    this.#options = options;
    this.#store = context.store(options.store) as KeyValueStore;
    this.#index = options.index === null ? null : (context.store(options.index) as KeyValueStore);
  }

  get(key: RecordKey): unknown {
    const held = this.#held(key);
    if (held === null) {
      const value = this.#parent.get(key);
      this.timestamp = this.#parent.timestamp;
      return value;
    }
    this.timestamp = held.timestamp;
    return held.prior;
  }

  prefetch(key: RecordKey, timestamp: number, state: TaskState): void {
    this.#parent.prefetch(key, timestamp, state);
  }

  #held(key: RecordKey): BufferedChange | null {
    const writer = this.#writer;
    writer.length = 0;
    writer.writeSafeInt64(key.windowEnd < 0 ? 0 : key.windowEnd);
    writeWindowedKey(key, this.#options.window, writer);
    const end = writer.length;
    if (this.#index !== null) {
      const found = this.#index.find(writer.buffer, 8, end);
      if (found < 0) return null;
      writer.length = 0;
      writer.writeSafeInt64(this.#index.valueAt(found) as number);
      writer.length = end;
    }
    const slot = this.#store.find(writer.buffer, 0, end);
    return slot < 0 ? null : (this.#store.valueAt(slot) as BufferedChange);
  }
}

/**
 * [timestamp f64][size u32; 0 where no bound asks for it], then value, old and prior, each [length i32, -1 absent][bytes], then the headers, which
 * changes that earlier releases kept do not have.
 */
export function bufferedChangeCodec(values: ValueCodec): ValueCodec {
  const write = (value: unknown, writer: ByteWriter): void => {
    const at = writer.length;
    writer.writeInt32(-1);
    if (value === null || value === undefined) return;
    values.encode(value, writer);
    writer.buffer.writeInt32BE(writer.length - at - 4, at);
  };
  return {
    encode(value, writer) {
      const change = value as BufferedChange;
      writer.writeDouble(change.timestamp);
      writer.writeInt32(change.sizeBytes);
      write(change.value, writer);
      write(change.old, writer);
      write(change.prior, writer);
      writeKeptHeaders(change.headers, writer);
    },
    decode(bytes, start, end) {
      const buffer = bytes as Buffer;
      let at = start + 12;
      const read = (): unknown => {
        const size = buffer.readInt32BE(at);
        at += 4;
        if (size < 0) return null;
        at += size;
        return values.decode(buffer, at - size, at);
      };
      const value = read();
      const old = read();
      const prior = read();
      return {
        value,
        old,
        prior,
        timestamp: buffer.readDoubleBE(start),
        sizeBytes: buffer.readInt32BE(start + 8),
        headers: at < end ? readKeptHeaders(buffer, at).headers : [],
      };
    },
  };
}

/** The codec of the index. */
export const bufferTimeCodec: ValueCodec = {
  encode: (value, writer) => writer.writeSafeInt64(value as number),
  decode: (buffer, start) => Number((buffer as Buffer).readBigInt64BE(start)),
};
