import type { Header } from '../../log/record-batch.ts';
import type { Processor, ProcessorContext, PunctuationKind } from '../processors/processor.ts';
import { withHeaders } from '../processors/with-headers.ts';
import { RecordKey } from '../processors/record-key.ts';
import type { Serde } from '../topology/serde.ts';
import { userKey } from './graph.ts';
import { openStoreView, type StateStoreView } from './state-store-view.ts';

/** A record as processors of your own see it. */
export interface StreamRecord<K, V> {
  readonly key: K;
  readonly value: V;
  readonly timestamp: number;
  readonly headers: readonly Header[];
}

/** What a processor forwards, beside the key. */
export interface ForwardedRecord<V> {
  readonly value: V;
  readonly timestamp: number;
  readonly headers?: readonly Header[];
}

/** Where the record in flight came from. In a punctuation: topic '', partition and offset -1. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** What processors and transformers of your own learn, and may do. */
export interface UserContext {
  readonly applicationId: string;
  readonly taskId: string;
  recordMetadata(): RecordMetadata;
  currentStreamTimeMs(): number;
  currentSystemTimeMs(): number;
  /** A store connected to this processor (`process(…, { stores: [name] })`). */
  getStateStore<S extends StateStoreView>(name: string): S;
  /**
   * Calls `callback` every `intervalMs`: of stream time, or by the wall clock. Returns what ends it. Output of a
   * punctuation is forwarded like any other.
   */
  schedule(intervalMs: number, kind: PunctuationKind, callback: (timestamp: number) => void): () => void;
  /** Asks for a commit soon. */
  commit(): void;
}

export interface UserProcessorContext<K, V> extends UserContext {
  /** To all children, or to the one that is named. Headers go along as they came, unless others are given. */
  forward(record: ForwardedRecord<V> & { readonly key: K }, child?: string): void;
}

export interface FixedKeyProcessorContext<V> extends UserContext {
  /** A value under the key of the record in flight. Not in punctuations, which have none. */
  forward(record: ForwardedRecord<V>): void;
}

/** A processor of your own; one instance a task. Synchronous: what waits for the outside does not belong here. */
export interface UserProcessor<K, V, K2, V2> {
  init?(context: UserProcessorContext<K2, V2>): void;
  process(record: StreamRecord<K, V>): void;
  close?(): void;
}

/** One that keeps the key. */
export interface UserFixedKeyProcessor<K, V, V2> {
  init?(context: FixedKeyProcessorContext<V2>): void;
  process(record: StreamRecord<K, V>): void;
  close?(): void;
}

/** Makes a table's values new, with what its stores hold. */
export interface TableValueTransformer<K, V, V2> {
  init?(context: UserContext): void;
  /** Null for a row that is not there, in and out. */
  transform(value: V | null, key: K): V2 | null;
  close?(): void;
}

/** Gives a new processor at each call. */
export type ProcessorSupplier<K, V, K2, V2> = () => UserProcessor<K, V, K2, V2>;
export type FixedKeyProcessorSupplier<K, V, V2> = () => UserFixedKeyProcessor<K, V, V2>;

/** What the keys of a store are encoded with. */
export type KeysOf = (store: string) => Serde;

export function userProcessor(
  supplier: ProcessorSupplier<unknown, unknown, unknown, unknown>,
  serde: Serde,
  keysOf: KeysOf,
): () => Processor {
  return () => {
    const user = supplier();
    const key = new RecordKey<unknown>(serde);
    return new UserNode(user, (context) => ({
      ...contextOf(context, keysOf),
      forward(record: ForwardedRecord<unknown> & { readonly key: unknown }, child?: string): void {
        key.setValue(record.key);
        forwardRecord(context, key, record, child);
      },
    }));
  };
}

export function fixedKeyProcessor(
  supplier: FixedKeyProcessorSupplier<unknown, unknown, unknown>,
  keysOf: KeysOf,
): () => Processor {
  return () => {
    const user = supplier();
    const node: UserNode = new UserNode(user as UserNode['user'], (context) => ({
      ...contextOf(context, keysOf),
      forward: (record: ForwardedRecord<unknown>): void => forwardRecord(context, node.key, record),
    }));
    return node;
  };
}

function forwardRecord(
  context: ProcessorContext,
  key: RecordKey,
  { value, timestamp, headers }: ForwardedRecord<unknown>,
  child?: string,
): void {
  const forward = (): void =>
    child === undefined
      ? context.forward(key, value, undefined, timestamp)
      : context.forwardTo(child, key, value, undefined, timestamp);
  if (headers === undefined) forward();
  else withHeaders(context.record, headers, forward);
}

export function contextOf(context: ProcessorContext, keysOf: KeysOf): UserContext {
  return {
    applicationId: context.applicationId,
    taskId: context.taskId,
    recordMetadata: () => ({
      topic: context.record.topic,
      partition: context.record.partition,
      offset: context.record.offset,
    }),
    currentStreamTimeMs: () => context.streamTime(),
    currentSystemTimeMs: () => context.now(),
    getStateStore: <S extends StateStoreView>(name: string) =>
      openStoreView(context.store(name), keysOf(name)) as S,
    schedule: (intervalMs, kind, callback) => context.schedule(intervalMs, kind, callback),
    commit: () => context.requestCommit(),
  };
}

class UserNode implements Processor {
  readonly user: UserProcessor<unknown, unknown, unknown, unknown>;
  readonly #contextFor: (
    context: ProcessorContext,
  ) => UserProcessorContext<unknown, unknown> | FixedKeyProcessorContext<unknown>;
  #context!: ProcessorContext;
  /** Of the record in flight. */
  key: RecordKey;

  constructor(
    user: UserProcessor<unknown, unknown, unknown, unknown>,
    contextFor: (
      context: ProcessorContext,
    ) => UserProcessorContext<unknown, unknown> | FixedKeyProcessorContext<unknown>,
  ) {
    this.user = user;
    this.#contextFor = contextFor;
    this.key = new RecordKey({ serialize: () => undefined, deserialize: () => null });
  }

  init(context: ProcessorContext): void {
    this.#context = context;
    this.user.init?.(this.#contextFor(context) as UserProcessorContext<unknown, unknown>);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    this.key = key;
    this.user.process({ key: userKey(key), value, timestamp, headers: this.#context.record.headers() });
  }

  close(): void {
    this.user.close?.();
  }
}
