import { ByteWriter, EMPTY_BYTES } from '../../common/bytes.ts';
import type { LogWriter } from '../../log/log.ts';
import { partitionOfKey } from '../../log/partitioner.ts';
import type { RecordAppender } from '../../log/record-appender.ts';
import type { Processor, ProcessorContext } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';
import { shown } from '../topology/record-time.ts';
import type { SinkNode } from '../topology/topology.ts';
import type { Undoable } from './undoable.ts';

/** The appenders that one task has written to, so that an undone record's output can be taken back. */
export class TaskOutput implements Undoable {
  readonly #writer: LogWriter;
  readonly #partitionsOf: (topic: string) => number;
  readonly #topics = new Map<string, (RecordAppender | null)[]>();
  readonly #used: RecordAppender[] = [];
  readonly #marks: number[] = [];

  constructor(writer: LogWriter, partitionsOf: (topic: string) => number) {
    this.#writer = writer;
    this.#partitionsOf = partitionsOf;
  }

  partitions(topic: string): number {
    return this.#appenders(topic).length;
  }

  appender(topic: string, partition: number): RecordAppender {
    const appenders = this.#appenders(topic);
    return (appenders[partition] ??= this.#open(topic, partition));
  }

  mark(): void {
    for (let i = 0; i < this.#used.length; i++) this.#marks[i] = this.#used[i]!.mark();
  }

  undo(): void {
    for (let i = 0; i < this.#used.length; i++) this.#used[i]!.rollback(this.#marks[i]!);
  }

  /** Topics have other numbers of partitions. */
  partitionsChanged(): void {
    for (const [topic, appenders] of this.#topics) {
      const count = this.#partitionsOf(topic);
      while (appenders.length < count) appenders.push(null);
      appenders.length = count;
    }
  }

  #appenders(topic: string): (RecordAppender | null)[] {
    let appenders = this.#topics.get(topic);
    if (appenders === undefined) {
      appenders = Array.from({ length: this.#partitionsOf(topic) }, () => null);
      this.#topics.set(topic, appenders);
    }
    return appenders;
  }

  #open(topic: string, partition: number): RecordAppender {
    const appender = this.#writer.appender({ topic, partition });
    this.#used.push(appender);
    this.#marks.push(appender.mark());
    return appender;
  }
}

/** Writes records to a topic: the last processor of a branch. Null keys are spread over the partitions. */
export class RecordSink implements Processor {
  readonly #node: SinkNode;
  readonly #topicName: (topic: string) => string;
  readonly #output: TaskOutput;
  readonly #keyWriter = new ByteWriter(256);
  readonly #valueWriter = new ByteWriter(1024);
  #context!: ProcessorContext;
  #appenders: RecordAppender[] = [];
  #topic = '';
  #partitions = 0;
  #spread = 0;

  constructor(node: SinkNode, topicName: (topic: string) => string, output: TaskOutput) {
    this.#node = node;
    this.#topicName = topicName;
    this.#output = output;
  }

  init(context: ProcessorContext): void {
    this.#context = context;
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const node = this.#node;
    this.#use(typeof node.topic === 'string' ? node.topic : node.topic(key, value, this.#context.record));

    // The log refuses times that are no whole numbers; the operators of the DSL have checked theirs.
    if (!(timestamp >= 0)) return this.#refuseTime(timestamp);
    const values = this.#valueWriter;
    values.length = 0;
    let keyBuffer: Uint8Array = EMPTY_BYTES;
    let keyStart = -1;
    let keyEnd = -1;
    try {
      if (value !== null) node.value.serialize(value, values);
      if (key.present) {
        if (key.windowed || (node.key !== null && node.key !== key.serde)) {
          keyBuffer = this.#encodeKey(key);
          keyStart = 0;
          keyEnd = this.#keyWriter.length;
        } else {
          keyBuffer = key.buffer;
          keyStart = key.start;
          keyEnd = key.end;
        }
      }
    } catch (error) {
      this.#context.skip('serialization', error instanceof Error ? error.message : String(error), error);
      return;
    }
    const chosen = node.partitioner?.(key, value, this.#partitions) ?? -1;
    if (typeof chosen === 'number' && chosen < 0) {
      const partition = this.#partition(key, keyBuffer, keyStart, keyEnd);
      return this.#append(partition, keyBuffer, keyStart, keyEnd, value === null, timestamp);
    }
    return this.#appendTo(chosen, keyBuffer, keyStart, keyEnd, value === null, timestamp);
  }

  /** Topics have other numbers of partitions. */
  partitionsChanged(): void {
    this.#topic = '';
  }

  #refuseTime(timestamp: number): void {
    const detail = `a record for topic ${this.#topic} has ${shown(timestamp)} for a time`;
    this.#context.skip('serialization', detail, new TypeError(detail));
  }

  /** Appends where a user's partitioner says. Not in `process`, where a closure would cost each record an object. */
  #appendTo(
    chosen: number | readonly number[],
    keyBuffer: Uint8Array,
    keyStart: number,
    keyEnd: number,
    tombstone: boolean,
    timestamp: number,
  ): void {
    const partitions: readonly number[] = Array.isArray(chosen) ? chosen : [chosen as number];
    const wrong = partitions.find(
      (each) => !(Number.isInteger(each) && each >= 0 && each < this.#partitions),
    );
    if (wrong !== undefined) {
      const detail = `the partitioner gives ${shown(wrong)}, and topic ${this.#topic} has ${this.#partitions} partitions`;
      return this.#context.skip('serialization', detail, new RangeError(detail));
    }
    for (const partition of partitions)
      this.#append(partition, keyBuffer, keyStart, keyEnd, tombstone, timestamp);
    return undefined;
  }

  /** Writes the encoded record to a partition. */
  #append(
    partition: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    tombstone: boolean,
    timestamp: number,
  ): void {
    const appender = (this.#appenders[partition] ??= this.#output.appender(this.#topic, partition));
    const headers = this.#node.headers === true ? this.#context.record.headers() : null;
    const values = this.#valueWriter;
    appender.append(
      timestamp,
      key,
      keyStart,
      keyEnd,
      values.buffer,
      tombstone ? -1 : 0,
      values.length,
      headers !== null && headers.length > 0 ? headers : null,
    );
  }

  #use(topic: string): void {
    if (topic === this.#topic) return;
    const name = this.#topicName(topic);
    this.#topic = topic;
    this.#partitions = this.#output.partitions(name);
    this.#appenders = [];
    for (let p = 0; p < this.#partitions; p++) this.#appenders.push(this.#output.appender(name, p));
  }

  #encodeKey(key: RecordKey): Uint8Array {
    const { key: serde, window } = this.#node;
    const writer = this.#keyWriter;
    writer.length = 0;
    if (serde === null || serde === key.serde) writer.writeBytes(key.buffer, key.start, key.end);
    else serde.serialize(key.value, writer);
    if (key.windowed) {
      if (window?.kind === 'session') writer.writeSafeInt64(key.windowEnd);
      writer.writeSafeInt64(key.windowStart);
    }
    return writer.buffer;
  }

  /** Windowed keys are spread by their inner key, so that all windows of a key share a partition. */
  #partition(key: RecordKey, bytes: Uint8Array, start: number, end: number): number {
    const partitions = this.#partitions;
    if (partitions === 1) return 0;
    if (!key.present) return (this.#spread = (this.#spread + 1) % partitions);
    const suffix = key.windowed ? (this.#node.window?.kind === 'session' ? 16 : 8) : 0;
    return partitionOfKey(bytes, start, end - suffix, partitions);
  }
}
