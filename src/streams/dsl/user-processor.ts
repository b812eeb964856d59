import type { Header } from '../../log/record-batch.ts';
import type { StateStore, TaskState } from '../../state/store.ts';
import type { Processor, ProcessorContext, PunctuationKind } from '../topology/processor.ts';
import { withHeaders } from '../processors/with-headers.ts';
import { RecordKey } from '../topology/record-key.ts';
import type { Serde } from '../topology/serde.ts';
import type { WindowLength } from '../topology/topology.ts';
import { userKey } from './graph.ts';
import type { AnyDeclaration } from './declared-stores.ts';
import { openStoreView } from '../stores/open-store-view.ts';
import type { StateStoreView } from '../stores/state-store-view.ts';
import { headersOf } from './headers.ts';
import { done, plain, plainMethods } from './user-function.ts';
import { TopologyError } from '../topology/topology-error.ts';
import { UserTurn } from './user-turn.ts';

/** A record as processors of your own see it. */
export interface StreamRecord<K, V> {
  readonly key: K;
  readonly value: V;
  readonly timestamp: number;
  readonly headers: readonly Header[];
}

/** A record that a processor forwards, without its key. */
export interface ForwardedRecord<V> {
  /** Null is a record without a value; undefined is refused. */
  readonly value: V;
  /** Default: that of the record in flight, or of the punctuation. */
  readonly timestamp?: number;
  readonly headers?: readonly Header[];
}

/** The origin of the record in flight. In a punctuation: topic '', partition and offset -1. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** What processors and transformers of your own can ask and do. */
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

/**
 * Gives a new processor at each call. One that is to be used in many topologies may bring the stores that its processors
 * need: `Object.assign(() => new Deduplicator(), { stores: () => [declaration] })`.
 */
export interface ProcessorSupplier<K, V, K2, V2> extends BringsStores {
  (): UserProcessor<K, V, K2, V2>;
}
export interface FixedKeyProcessorSupplier<K, V, V2> extends BringsStores {
  (): UserFixedKeyProcessor<K, V, V2>;
}

export interface BringsStores {
  readonly stores?: () => readonly AnyDeclaration[];
}

/** How a store's bytes are read, for those who ask for it by name. */
export interface StoreShape {
  readonly keys: Serde;
  /** How long the windows of a window store are. */
  readonly windowSizeMs: WindowLength | undefined;
}
export type ShapeOf = (store: string) => StoreShape;

/** The stores that a processor is connected to, and what is known of each. */
export interface UserStores {
  readonly names: readonly string[];
  readonly shapeOf: ShapeOf;
}

export function userProcessor(
  supplier: ProcessorSupplier<unknown, unknown, unknown, unknown>,
  serde: Serde,
  stores: UserStores,
): () => Processor {
  return () => {
    const key = new RecordKey<unknown>(serde);
    return new UserNode(newlyMade(supplier()), stores, (context, turn) => ({
      forward(record: ForwardedRecord<unknown> & { readonly key: unknown }, child?: string): void {
        const timestamp = turn.timeToForward(record.timestamp);
        key.setValue(record.key);
        forwardRecord(context, key, record, timestamp, child);
      },
    }));
  };
}

export function fixedKeyProcessor(
  supplier: FixedKeyProcessorSupplier<unknown, unknown, unknown>,
  stores: UserStores,
): () => Processor {
  return () =>
    new UserNode(newlyMade(supplier()), stores, (context, turn) => ({
      forward(record: ForwardedRecord<unknown>): void {
        const timestamp = turn.timeToForward(record.timestamp);
        if (turn.key === null)
          throw new Error(
            `${context.nodeName} forwards in a punctuation, where no record gives the key: use process()`,
          );
        forwardRecord(context, turn.key, record, timestamp);
      },
    }));
}

const made = new WeakSet<object>();

/** Tasks that shared a processor would mix up its fields, and each other's contexts. */
function newlyMade<T extends object>(processor: T): T {
  plainMethods(processor, 'what a supplier gave', ['process'], ['init', 'close']);
  if (made.has(processor))
    throw new TopologyError(
      'a supplier gave the same processor twice',
      'make a new one at each call: each task has its own',
    );
  made.add(processor);
  return processor;
}

function forwardRecord(
  context: ProcessorContext,
  key: RecordKey,
  { value, headers }: ForwardedRecord<unknown>,
  timestamp: number,
  child?: string,
): void {
  if (value === undefined)
    throw new TypeError(`${context.nodeName} forwards undefined: a record without a value has null`);
  const forward = (): void =>
    child === undefined
      ? context.forward(key, value, undefined, timestamp)
      : context.forwardTo(child, key, value, undefined, timestamp);
  if (headers === undefined) forward();
  else withHeaders(context.record, headersOf(headers, `${context.nodeName} forwards`), forward);
}

export function contextOf(context: ProcessorContext, turn: UserTurn, shapeOf: ShapeOf): UserContext {
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
    getStateStore: <S extends StateStoreView>(name: string) => {
      const { keys, windowSizeMs } = shapeOf(name);
      const timeToPut = (given: number | null | undefined): number => turn.timeToPut(given, name);
      return openStoreView(context.store(name), keys, { windowSizeMs, timeToPut }) as S;
    },
    schedule: (intervalMs, kind, callback) => {
      plain(callback, `a schedule of ${context.nodeName}`);
      return context.schedule(intervalMs, kind, (timestamp) =>
        turn.run(null, timestamp, () => done(callback(timestamp), 'punctuation')),
      );
    },
    commit: () => context.requestCommit(),
  };
}

type Forwards =
  | Pick<UserProcessorContext<unknown, unknown>, 'forward'>
  | Pick<FixedKeyProcessorContext<unknown>, 'forward'>;

class UserNode implements Processor {
  readonly #user: UserProcessor<unknown, unknown, unknown, unknown>;
  readonly #stores: UserStores;
  /** Stores in which it may look for the record's key. */
  #byKey: { readonly store: StateStore; readonly keys: Serde }[] = [];
  readonly #forwards: (context: ProcessorContext, turn: UserTurn) => Forwards;
  #context!: ProcessorContext;
  #turn!: UserTurn;

  constructor(
    user:
      | UserProcessor<unknown, unknown, unknown, unknown>
      | UserFixedKeyProcessor<unknown, unknown, unknown>,
    stores: UserStores,
    forwards: (context: ProcessorContext, turn: UserTurn) => Forwards,
  ) {
    this.#user = user;
    this.#stores = stores;
    this.#forwards = forwards;
  }

  init(context: ProcessorContext): void {
    this.#context = context;
    this.#turn = new UserTurn(context);
    const { names, shapeOf } = this.#stores;
    this.#byKey = names
      .map((name) => ({ store: context.store(name), keys: shapeOf(name).keys }))
      .filter(({ store }) => store.kind === 'key-value' || store.kind === 'versioned');
    const made = this.#user.init?.({
      ...contextOf(context, this.#turn, shapeOf),
      ...this.#forwards(context, this.#turn),
    });
    done(made, 'init of the processor');
  }

  /** A guess: most processors look up the key of the record. What else they read they wait for. */
  prefetch(key: RecordKey, _timestamp: number, state: TaskState): void {
    for (const { store, keys } of this.#byKey)
      if (keys === key.serde) state.want(store, key.buffer, key.start, key.end, 0, 0);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const record = { key: userKey(key), value, timestamp, headers: this.#context.record.headers() };
    // As `UserTurn.run`, without a closure for each record.
    const turn = this.#turn;
    const keyBefore = turn.key;
    const timeBefore = turn.time;
    turn.key = key;
    turn.time = timestamp;
    try {
      done(this.#user.process(record), 'processor');
    } finally {
      turn.key = keyBefore;
      turn.time = timeBefore;
    }
  }

  close(): void {
    done(this.#user.close?.(), 'close of the processor');
  }
}
