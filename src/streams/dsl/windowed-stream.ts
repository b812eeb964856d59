import { aggregateCustomWindows } from '../processors/aggregate-custom-windows.ts';
import { aggregateSessions } from '../processors/aggregate-sessions.ts';
import { aggregateSlidingWindows } from '../processors/aggregate-sliding-windows.ts';
import { aggregateTimeWindows } from '../processors/aggregate-time-windows.ts';
import { aggregateUnlimitedWindow, UNLIMITED_END } from '../processors/aggregate-unlimited-window.ts';
import type { Aggregation } from '../processors/aggregate.ts';
import type { Processor } from '../topology/processor.ts';
import type { Serde } from '../topology/serde.ts';
import { CustomWindows } from './custom-windows.ts';
import { userKey } from './graph.ts';
import type { KGroupedStream } from './grouped-stream.ts';
import type { KTable } from './ktable.ts';
import { type AnyMaterialized, materialize, type StorePlan, timedStore } from './materialize.ts';
import type { Materialized, Named } from './options.ts';
import { Serdes } from './serdes.ts';
import { wholeOrEndless } from './check-number.ts';
import { given, initialOf, plain } from './user-function.ts';
import { TopologyError } from '../topology/topology-error.ts';
import {
  type EmitStrategy,
  type SessionWindows,
  type SlidingWindows,
  TimeWindows,
  UnlimitedWindows,
} from './windows.ts';
import type { Windowed } from '../topology/windowed.ts';

/** What differs between the kinds of windows. */
export interface WindowKind {
  readonly store: 'window' | 'session';
  readonly retentionMs: number;
  readonly graceMs: number;
  readonly sizeMs: number;
  /** Where windows are of different lengths. */
  readonly lengthFrom?: (start: number) => number;
  open(
    functions: SessionAggregation,
    store: string,
    emit: EmitStrategy,
    sendOldValues: boolean,
    coalesce: boolean,
  ): () => Processor;
}

export interface SessionAggregation extends Aggregation {
  readonly merge: Parameters<typeof aggregateSessions>[0]['merge'];
}

/** What records are grouped by beside their key, except sessions. */
export type FixedWindows = TimeWindows | SlidingWindows | UnlimitedWindows | CustomWindows;

export function timeWindowKind(windows: FixedWindows): WindowKind {
  if (windows instanceof CustomWindows) {
    const { windowsFor, sizeMs, graceMs, lengthFrom } = windows;
    return {
      store: 'window',
      retentionMs: sizeMs + graceMs,
      graceMs,
      sizeMs,
      lengthFrom,
      open: (functions, store, _emit, sendOldValues, coalesce) =>
        aggregateCustomWindows({ ...functions, store, windowsFor, graceMs, sendOldValues, coalesce }),
    };
  }
  if (windows instanceof TimeWindows) {
    const { sizeMs, advanceMs, graceMs } = windows;
    return {
      store: 'window',
      retentionMs: sizeMs + graceMs,
      graceMs,
      sizeMs,
      open: (functions, store, emit, sendOldValues, coalesce) =>
        aggregateTimeWindows({
          ...functions,
          store,
          sizeMs,
          advanceMs,
          graceMs,
          emit,
          sendOldValues,
          coalesce,
          skipNullValues: false,
        }),
    };
  }
  if (windows instanceof UnlimitedWindows) {
    const { startMs } = windows;
    return {
      store: 'window',
      retentionMs: Infinity,
      graceMs: 0,
      sizeMs: UNLIMITED_END - startMs,
      open: (functions, store, _emit, sendOldValues, coalesce) =>
        aggregateUnlimitedWindow({ ...functions, store, startMs, sendOldValues, coalesce }),
    };
  }
  const { differenceMs, graceMs } = windows;
  return {
    store: 'window',
    retentionMs: 2 * differenceMs + graceMs,
    graceMs,
    sizeMs: differenceMs,
    open: (functions, store, emit, sendOldValues, coalesce) =>
      aggregateSlidingWindows({ ...functions, store, differenceMs, graceMs, emit, sendOldValues, coalesce }),
  };
}

export function sessionWindowKind(windows: SessionWindows): WindowKind {
  const { gapMs, graceMs } = windows;
  return {
    store: 'session',
    retentionMs: gapMs + graceMs,
    // A session may still grow until the gap after its end has passed.
    graceMs: graceMs + gapMs,
    sizeMs: 0,
    open: (functions, store, emit, sendOldValues, coalesce) =>
      aggregateSessions({
        ...functions,
        store,
        gapMs,
        graceMs,
        emit,
        sendOldValues,
        coalesce,
        skipNullValues: false,
        ...(emit === 'close' && { growMs: gapMs + graceMs }),
      }),
  };
}

/** How long the store keeps windows, as given or as long as they can change. */
export function retentionOf(plan: StorePlan, kind: WindowKind, emit: EmitStrategy): number {
  const { retentionMs = kind.retentionMs } = plan.materialized;
  wholeOrEndless(retentionMs, `the retentionMs of store ${plan.name}`, 0);
  if (retentionMs < kind.retentionMs)
    throw new TopologyError(
      `store ${plan.name} keeps windows for ${retentionMs} ms, but they can change for ${kind.retentionMs} ms`,
      'give a longer retentionMs, or shorter windows or grace',
    );
  // Kafka Streams' stores do not show the row at the very end of the retention, except those by time.
  return emit === 'close' ? retentionMs : retentionMs - 1;
}

abstract class WindowedKStream<K, V> {
  protected readonly grouped: KGroupedStream<K, V>;
  protected readonly kind: WindowKind;
  protected readonly emit: EmitStrategy;

  protected constructor(grouped: KGroupedStream<K, V>, kind: WindowKind, emit: EmitStrategy) {
    this.grouped = grouped;
    this.kind = kind;
    this.emit = emit;
  }

  /** How many records each key has had in each window. */
  count(materialized?: Materialized<K, number>, named: Named = {}): KTable<Windowed<K>, number> {
    if (materialized !== undefined && materialized.name === undefined)
      this.grouped.handle.graph.newStoreName('KSTREAM-AGGREGATE-');
    const functions: SessionAggregation = {
      initial: () => 0,
      add: (state) => (state as number) + 1,
      merge: (_key, left, right) => (left as number) + (right as number),
    };
    return this.build('KSTREAM-AGGREGATE-', functions, Serdes.long as Serde, materialized ?? {}, named);
  }

  /** As `aggregate`, where the state is a value: the first record in a window is its state. */
  reduce(
    reducer: (aggregate: V, value: V) => V,
    materialized: Materialized<K, V> = {},
    named: Named = {},
  ): KTable<Windowed<K>, V> {
    plain(reducer, 'reduce');
    const combine = (left: unknown, right: unknown): unknown =>
      left === null ? right : given(reducer(left as V, right as V), 'reducer');
    const functions: SessionAggregation = {
      initial: () => null,
      add: (state, value) => combine(state, value),
      merge: (_key, left, right) => combine(left, right),
    };
    return this.build('KSTREAM-REDUCE-', functions, this.grouped.valueSerde, materialized, named);
  }

  protected build<VR>(
    prefix: string,
    functions: SessionAggregation,
    fallbackSerde: Serde | undefined,
    materialized: Materialized<K, VR>,
    named: Named,
  ): KTable<Windowed<K>, VR> {
    const { grouped, kind, emit } = this;
    const { graph } = grouped.handle;
    const store = materialize(graph, materialized as AnyMaterialized, prefix);
    const name = graph.nameFor(named.name, prefix);
    const valueSerde = (materialized.valueSerde as Serde | undefined) ?? fallbackSerde;
    const retentionMs = retentionOf(store, kind, emit);
    const { coalesce = false } = materialized;
    return grouped.build<VR>({
      name,
      store,
      queryable: materialized.name,
      keySerde: (materialized.keySerde as Serde | undefined) ?? grouped.keySerde,
      valueSerde,
      window:
        kind.store === 'session'
          ? { kind: 'session' }
          : { kind: 'time', sizeMs: kind.lengthFrom ?? kind.sizeMs },
      graceMs: kind.graceMs,
      open: (sendOldValues) => kind.open(functions, store.name, emit, sendOldValues, coalesce),
      makeStore: () =>
        timedStore(store, kind.store, retentionMs, kind.lengthFrom ?? kind.sizeMs, valueSerde, graph),
    }) as unknown as KTable<Windowed<K>, VR>;
  }
}

/** A grouped stream by tumbling, hopping, sliding or unlimited windows. */
export class TimeWindowedKStream<K, V> extends WindowedKStream<K, V> {
  readonly #windows: FixedWindows;

  /** @internal */
  constructor(grouped: KGroupedStream<K, V>, windows: FixedWindows, emit: EmitStrategy) {
    super(grouped, timeWindowKind(windows), emit);
    if (emit === 'close' && windows instanceof UnlimitedWindows)
      throw new TopologyError('an unlimited window never closes', "emit with each record: 'update'");
    if (emit === 'close' && windows instanceof CustomWindows)
      throw new TopologyError(
        'custom windows are not emitted when they close',
        'emit with each record and suppress until windows close',
      );
    this.#windows = windows;
  }

  /** When results are forwarded: `update` (each change, the default) or `close` (once, KIP-825). */
  emitStrategy(emit: EmitStrategy): TimeWindowedKStream<K, V> {
    return new TimeWindowedKStream(this.grouped, this.#windows, emit);
  }

  /** A state for each key and window. The values of records may be null, except in sliding windows. */
  aggregate<VR>(
    initializer: () => VR,
    aggregator: (key: K, value: V, aggregate: VR) => VR,
    materialized: Materialized<K, VR> = {},
    named: Named = {},
  ): KTable<Windowed<K>, VR> {
    plain(aggregator, 'aggregate');
    const functions: SessionAggregation = {
      initial: initialOf(initializer),
      add: (state, value, key) => given(aggregator(userKey(key) as K, value as V, state as VR), 'aggregator'),
      merge: (_key, left) => left,
    };
    return this.build('KSTREAM-AGGREGATE-', functions, undefined, materialized, named);
  }
}

/** A grouped stream by sessions. */
export class SessionWindowedKStream<K, V> extends WindowedKStream<K, V> {
  readonly #windows: SessionWindows;

  /** @internal */
  constructor(grouped: KGroupedStream<K, V>, windows: SessionWindows, emit: EmitStrategy) {
    super(grouped, sessionWindowKind(windows), emit);
    this.#windows = windows;
  }

  /** When results are forwarded: `update` (each change, the default) or `close` (once, KIP-825). */
  emitStrategy(emit: EmitStrategy): SessionWindowedKStream<K, V> {
    return new SessionWindowedKStream(this.grouped, this.#windows, emit);
  }

  /** A state for each key and session; `merger` joins the states of sessions that a record brought together. */
  aggregate<VR>(
    initializer: () => VR,
    aggregator: (key: K, value: V, aggregate: VR) => VR,
    merger: (key: K, left: VR, right: VR) => VR,
    materialized: Materialized<K, VR> = {},
    named: Named = {},
  ): KTable<Windowed<K>, VR> {
    plain(aggregator, 'aggregate');
    plain(merger, 'aggregate');
    const functions: SessionAggregation = {
      initial: initialOf(initializer),
      add: (state, value, key) => given(aggregator(userKey(key) as K, value as V, state as VR), 'aggregator'),
      merge: (key, left, right) => given(merger(userKey(key) as K, left as VR, right as VR), 'merger'),
    };
    return this.build('KSTREAM-AGGREGATE-', functions, undefined, materialized, named);
  }
}
