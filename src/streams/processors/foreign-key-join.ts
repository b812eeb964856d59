import { must } from '../../common/assert.ts';
import { ByteWriter } from '../../common/bytes.ts';
import { DataError } from '../../common/error.ts';
import type { KeyValueStore, TaskState, ValueCodec } from '../../state/store.ts';
import type { Serde } from '../topology/serde.ts';
import { OutOfOrder } from './out-of-order.ts';
import { Operator, OperatorOf } from './operator.ts';
import type { Processor, ProcessorContext, ValueJoiner } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';
import type { TableReader, TableView } from './table-view.ts';
import { hashValue } from './value-hash.ts';

/**
 * A join of two tables by a key that each left row names (KIP-213), in four steps over two repartition topics:
 *
 * 1. `sendSubscriptions`: each change on the left says to its foreign key what is wanted of it;
 * 2. `receiveSubscriptions` keeps the subscriptions, and `answerSubscription` replies with the right row as it is;
 * 3. `answerSubscribers`: each change on the right is told to all who want it;
 * 4. `resolveAnswers`: a reply counts only while the left row is still the one that asked (by hash), then joins.
 */

/**
 * A left row's request to the row of its foreign key. Which row asks what, and when, is as in Kafka Streams since 3.8
 * (KAFKA-16394, 16407, 16434, 18713).
 */
export const Instruction = {
  /** The row has left this key; a subscription to its new one is replied to. */
  unsubscribe: 0,
  /** The row has left this key: reply, so that the result goes. */
  unsubscribeAndReply: 1,
  /** Reply in any case. */
  subscribe: 2,
  /** Reply only when there is a right row. */
  subscribeIfPresent: 3,
} as const;

export type Instruction = (typeof Instruction)[keyof typeof Instruction];

export interface Subscription {
  /** The hash of the left row as it is now; null when it is gone. */
  readonly hash: Buffer | null;
  readonly instruction: Instruction;
  readonly primaryKey: Buffer;
  /** The partition of the left row, where the answer goes. */
  readonly partition: number;
}

export interface Answer {
  readonly hash: Buffer | null;
  readonly value: unknown;
  readonly partition: number;
}

/** `teller` is told of what fails; null where it was told before. */
export type ForeignKeyOf = (
  value: unknown,
  key: RecordKey,
  timestamp: number,
  teller: ProcessorContext | null,
) => unknown;

export interface SendSubscriptionsOptions {
  readonly foreignKeyOf: ForeignKeyOf;
  readonly foreignKeySerde: Serde;
  readonly values: ValueCodec;
  readonly join: 'inner' | 'left';
  /** Rows of an inner join without a foreign key are left out without a word. */
  readonly quiet?: boolean;
}

/** Step 1. Needs old values. */
export function sendSubscriptions(options: SendSubscriptionsOptions): () => Processor {
  return () => new SendSubscriptions(options);
}

class SendSubscriptions extends OperatorOf<SendSubscriptionsOptions> {
  readonly #writer = new ByteWriter(256);
  readonly #old: RecordKey;
  readonly #new: RecordKey;
  #partition = 0;

  constructor(options: SendSubscriptionsOptions) {
    super(options);
    this.#old = new RecordKey(options.foreignKeySerde);
    this.#new = new RecordKey(options.foreignKeySerde);
  }

  override init(context: ProcessorContext): void {
    super.init(context);
    this.#partition = Number(context.taskId.slice(context.taskId.indexOf('_') + 1));
  }

  process(key: RecordKey, value: unknown, oldValue: unknown, timestamp: number): void {
    if (oldValue instanceof OutOfOrder) return;
    const { foreignKeyOf, join } = this.options;
    const had = oldValue !== null && oldValue !== undefined;
    if (!had && value === null) return;
    const before = this.#old;
    const after = this.#new;
    before.setValue(had ? foreignKeyOf(oldValue, key, timestamp, null) : null);
    after.setValue(value === null ? null : foreignKeyOf(value, key, timestamp, this.context));
    const hash = value === null ? null : this.#hash(value);
    const primaryKey = Buffer.from(key.buffer.subarray(key.start, key.end));
    const send = (to: RecordKey, instruction: Instruction): void => {
      const subscription: Subscription = { hash, instruction, primaryKey, partition: this.#partition };
      this.context.forward(to, subscription, undefined, timestamp);
    };
    if (join === 'left') {
      if (had && before.present && !sameKey(before, after)) send(before, Instruction.unsubscribe);
      send(after, Instruction.subscribe);
    } else if (had) {
      if (!before.present && !after.present) this.#skip();
      else if (!before.present) send(after, Instruction.subscribeIfPresent);
      else if (!after.present) send(before, Instruction.unsubscribeAndReply);
      else if (sameKey(before, after)) send(after, Instruction.subscribeIfPresent);
      else {
        send(before, Instruction.unsubscribe);
        send(after, Instruction.subscribe);
      }
    } else if (after.present) {
      send(after, Instruction.subscribeIfPresent);
    } else {
      this.#skip();
    }
  }

  #skip(): void {
    if (this.options.quiet !== true) this.context.skip('null-key', 'the row has no foreign key');
  }

  #hash(value: unknown): Buffer {
    this.#writer.length = 0;
    this.options.values.encode(value, this.#writer);
    return hashValue(this.#writer.buffer, 0, this.#writer.length);
  }
}

function sameKey(a: RecordKey, b: RecordKey): boolean {
  if (!a.present || !b.present) return a.present === b.present;
  return Buffer.compare(a.buffer.subarray(a.start, a.end), b.buffer.subarray(b.start, b.end)) === 0;
}

/** Step 2a: keeps a subscription by [foreign key length u32][foreign key][primary key] and hands it on. */
export function receiveSubscriptions(options: { readonly store: string }): () => Processor {
  return () => new ReceiveSubscriptions(options.store);
}

class ReceiveSubscriptions extends Operator {
  readonly #storeName: string;
  readonly #writer = new ByteWriter(256);
  #store!: KeyValueStore;

  constructor(store: string) {
    super();
    this.#storeName = store;
  }

  override init(context: ProcessorContext): void {
    super.init(context);
    this.#store = context.store(this.#storeName) as KeyValueStore;
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const subscription = value as Subscription;
    const { instruction, primaryKey } = subscription;
    if (key.present) {
      const writer = this.#writer;
      writeForeignKey(key, writer);
      writer.writeBytes(primaryKey);
      const gone = instruction === Instruction.unsubscribe || instruction === Instruction.unsubscribeAndReply;
      this.#store.put(writer.buffer, 0, writer.length, gone ? null : subscription, timestamp);
    } else if (instruction !== Instruction.subscribe) {
      return this.context.skip('null-key', 'a subscription needs a foreign key');
    }
    return this.context.forward(key, subscription, undefined, timestamp);
  }
}

function writeForeignKey(key: RecordKey, writer: ByteWriter): void {
  writer.length = 0;
  writer.writeInt32(key.end - key.start);
  writer.writeBytes(key.buffer, key.start, key.end);
}

/** Step 2b: replies with the right row as it is. The reply's key is the primary key. */
export function answerSubscription(options: {
  readonly right: TableView;
  readonly primaryKeySerde: Serde;
}): () => Processor {
  return () => new AnswerSubscription(options.right, options.primaryKeySerde);
}

class AnswerSubscription extends Operator {
  readonly #view: TableView;
  readonly #answered: RecordKey;
  #right!: TableReader;

  constructor(view: TableView, primaryKeySerde: Serde) {
    super();
    this.#view = view;
    this.#answered = new RecordKey(primaryKeySerde);
  }

  override init(context: ProcessorContext): void {
    super.init(context);
    this.#right = this.#view.open(context);
  }

  prefetch(key: RecordKey, timestamp: number, state: TaskState): void {
    this.#right.prefetch(key, timestamp, state);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const { hash, instruction, primaryKey, partition } = value as Subscription;
    if (instruction === Instruction.unsubscribe) return;
    const right = key.present ? this.#right.get(key) : null;
    if (right === null && instruction === Instruction.subscribeIfPresent) return;
    const time = right === null ? timestamp : Math.max(timestamp, this.#right.timestamp);
    this.#answered.setBytes(primaryKey, 0, primaryKey.length);
    const answer: Answer = {
      hash,
      value: instruction === Instruction.unsubscribeAndReply ? null : right,
      partition,
    };
    this.context.forward(this.#answered, answer, undefined, time);
  }
}

/** Step 3: tells a change of a right row to all who subscribed to it, in order of primary key. */
export function answerSubscribers(options: {
  readonly store: string;
  readonly primaryKeySerde: Serde;
}): () => Processor {
  return () => new AnswerSubscribers(options.store, options.primaryKeySerde);
}

class AnswerSubscribers extends Operator {
  readonly #storeName: string;
  readonly #answered: RecordKey;
  readonly #writer = new ByteWriter(256);
  #store!: KeyValueStore;

  constructor(store: string, primaryKeySerde: Serde) {
    super();
    this.#storeName = store;
    this.#answered = new RecordKey(primaryKeySerde);
  }

  override init(context: ProcessorContext): void {
    super.init(context);
    this.#store = context.store(this.#storeName) as KeyValueStore;
  }

  process(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    if (!key.present) return this.context.skip('null-key', 'a join of tables needs a key');
    if (old instanceof OutOfOrder) return undefined;
    writeForeignKey(key, this.#writer);
    const from = this.#writer.toBytes();
    this.#store.range(from, after(from), false, (_buffer, _start, _end, found) => {
      const { hash, partition, primaryKey } = found as Subscription;
      this.#answered.setBytes(primaryKey, 0, primaryKey.length);
      const answer: Answer = { hash, value, partition };
      this.context.forward(this.#answered, answer, undefined, timestamp);
    });
    return undefined;
  }
}

/** The least bytes above all that begin with `prefix`; null when there are none. */
function after(prefix: Buffer): Buffer | null {
  const next = Buffer.from(prefix);
  for (let i = next.length - 1; i >= 0; i--) {
    if (next[i]! < 0xff) {
      next[i]!++;
      return next.subarray(0, i + 1);
    }
  }
  return null;
}

export interface ResolveAnswersOptions {
  readonly left: TableView;
  readonly values: ValueCodec;
  readonly join: 'inner' | 'left';
  readonly joiner: ValueJoiner;
  /** Absent: as Kafka Streams has it, which may keep the result of a row that is gone: see `ResolveAnswers`. */
  readonly askAgain?: AskAgain;
}

/** For whom an answer without a value is no news of the row as it is now. */
export interface AskAgain {
  readonly foreignKeyOf: ForeignKeyOf;
  readonly foreignKeySerde: Serde;
  /** The child nodes that take subscriptions and results. */
  readonly subscriptions: string;
  readonly results: string;
}

/**
 * Step 4: the result, null where there is none (any more). What the left row asked before it changed is dropped.
 *
 * A row that leaves its key asks for an answer, so that its result goes; a row that comes asks for one only where there is
 * a right row. When it comes before that answer, nothing would take the result of the earlier row away: of an inner
 * join, whatever says that there is none makes the row of now ask again.
 */
export function resolveAnswers(options: ResolveAnswersOptions): () => Processor {
  return () => new ResolveAnswers(options);
}

class ResolveAnswers extends OperatorOf<ResolveAnswersOptions> {
  readonly #writer = new ByteWriter(256);
  readonly #foreignKey: RecordKey | null;
  #left!: TableReader;

  constructor(options: ResolveAnswersOptions) {
    super(options);
    this.#foreignKey =
      options.askAgain === undefined ? null : new RecordKey(options.askAgain.foreignKeySerde);
  }

  override init(context: ProcessorContext): void {
    super.init(context);
    this.#left = this.options.left.open(context);
  }

  prefetch(key: RecordKey, timestamp: number, state: TaskState): void {
    this.#left.prefetch(key, timestamp, state);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const { join, joiner, values } = this.options;
    const answer = value as Answer;
    const left = this.#left.get(key);
    let hash: Buffer | null = null;
    if (left !== null) {
      this.#writer.length = 0;
      values.encode(left, this.#writer);
      hash = hashValue(this.#writer.buffer, 0, this.#writer.length);
    }
    const current = hash === null || answer.hash === null ? hash === answer.hash : hash.equals(answer.hash);
    if (!current) {
      if (join === 'inner' && answer.value === null) this.#askAgain(key, left, hash, answer, timestamp);
      return;
    }
    const none = answer.value === null && (join === 'inner' || left === null);
    this.#forward(key, none ? null : joiner(left, answer.value, key), timestamp);
  }

  #forward(key: RecordKey, value: unknown, timestamp: number): void {
    const { askAgain } = this.options;
    if (askAgain === undefined) this.context.forward(key, value, undefined, timestamp);
    else this.context.forwardTo(askAgain.results, key, value, undefined, timestamp);
  }

  #askAgain(
    key: RecordKey,
    left: unknown,
    hash: Buffer | null,
    { partition }: Answer,
    timestamp: number,
  ): void {
    const { askAgain } = this.options;
    if (askAgain === undefined) return;
    const to = must(this.#foreignKey);
    to.setValue(left === null ? null : askAgain.foreignKeyOf(left, key, timestamp, null));
    if (!to.present) return this.#forward(key, null, timestamp);
    const primaryKey = Buffer.from(key.buffer.subarray(key.start, key.end));
    const subscription: Subscription = { hash, instruction: Instruction.subscribe, primaryKey, partition };
    return this.context.forwardTo(askAgain.subscriptions, to, subscription, undefined, timestamp);
  }
}

const VERSION = 0;
const HASH_BYTES = 16;

/**
 * The partition of a subscription: by its foreign key (-1). One without a key stays in the partition of its row, as far as
 * there are so many: any partition will do, but it must be the same at every run.
 */
export function subscriptionPartition(key: RecordKey, value: unknown, partitions: number): number {
  return key.present ? -1 : (value as Subscription).partition % partitions;
}

/** [version][instruction][partition i32][hash present][hash 16][primary key]. */
export const subscriptionSerde: Serde<Subscription> = {
  serialize({ hash, instruction, primaryKey, partition }, writer) {
    writer.writeByte(VERSION);
    writer.writeByte(instruction);
    writer.writeInt32(partition);
    writeHash(hash, writer);
    writer.writeBytes(primaryKey);
  },
  deserialize(bytes, start, end) {
    const buffer = bytes as Buffer;
    if (end - start < 7 || buffer[start] !== VERSION)
      throw new DataError('a subscription of another version');
    const hasHash = buffer[start + 6] === 1;
    const keyAt = start + 7 + (hasHash ? HASH_BYTES : 0);
    return {
      instruction: buffer[start + 1] as Instruction,
      partition: buffer.readInt32BE(start + 2),
      hash: hasHash ? Buffer.from(buffer.subarray(start + 7, keyAt)) : null,
      primaryKey: Buffer.from(buffer.subarray(keyAt, end)),
    };
  },
};

/** [version][partition i32][hash present][hash 16][value present][value]. */
export function answerSerde(values: Serde): Serde<Answer> {
  return {
    serialize({ hash, partition, value }, writer) {
      writer.writeByte(VERSION);
      writer.writeInt32(partition);
      writeHash(hash, writer);
      writer.writeByte(value === null ? 0 : 1);
      if (value !== null) values.serialize(value, writer);
    },
    deserialize(bytes, start, end) {
      const buffer = bytes as Buffer;
      if (end - start < 7 || buffer[start] !== VERSION) throw new DataError('an answer of another version');
      const hasHash = buffer[start + 5] === 1;
      const valueAt = start + 6 + (hasHash ? HASH_BYTES : 0);
      return {
        partition: buffer.readInt32BE(start + 1),
        hash: hasHash ? Buffer.from(buffer.subarray(start + 6, valueAt)) : null,
        value: buffer[valueAt] === 1 ? values.deserialize(buffer, valueAt + 1, end) : null,
      };
    },
  };
}

function writeHash(hash: Buffer | null, writer: ByteWriter): void {
  writer.writeByte(hash === null ? 0 : 1);
  if (hash !== null) writer.writeBytes(hash);
}
