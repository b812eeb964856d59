import type { EmitStrategy } from '../operations/aggregate.ts';
import { TopologyError } from '../topology/topology-error.ts';
import type { Serde } from '../topology/serde.ts';
import type { Windowed } from '../topology/windowed.ts';
import { type AggregateFunctions, aggregating, COUNT, reducing } from './aggregations.ts';
import type { CustomWindows } from './custom-windows.ts';
import type { KGroupedStream } from './grouped-stream.ts';
import type { KTable } from './ktable.ts';
import type { Materialized, Named } from './options.ts';
import { Serdes } from './serdes.ts';
import type { SessionWindows, SlidingWindows, TimeWindows, UnlimitedWindows } from './windows.ts';

/** What records are grouped by beside their key, except sessions. */
export type FixedWindows = TimeWindows | SlidingWindows | UnlimitedWindows | CustomWindows;

abstract class WindowedKStream<K, V, W extends FixedWindows | SessionWindows> {
  protected readonly grouped: KGroupedStream<K, V>;
  protected readonly windows: W;
  protected readonly emit: EmitStrategy;

  /** @internal */
  constructor(grouped: KGroupedStream<K, V>, windows: W, emit: EmitStrategy) {
    this.grouped = grouped;
    this.windows = windows;
    this.emit = emit;
  }

  /** How many records each key has had in each window. */
  count(materialized?: Materialized<K, number>, named: Named = {}): KTable<Windowed<K>, number> {
    if (materialized !== undefined && materialized.name === undefined)
      this.grouped.handle.graph.newStoreName('KSTREAM-AGGREGATE-');
    return this.build('KSTREAM-AGGREGATE-', COUNT, Serdes.long, materialized ?? {}, named);
  }

  /** As `aggregate`, where the state is a value: the first record in a window is its state. */
  reduce(
    reducer: (aggregate: V, value: V) => V,
    materialized: Materialized<K, V> = {},
    named: Named = {},
  ): KTable<Windowed<K>, V> {
    const functions = reducing(reducer, 'reducer');
    return this.build('KSTREAM-REDUCE-', functions, this.grouped.valueSerde, materialized, named);
  }

  protected build<VR>(
    prefix: string,
    functions: AggregateFunctions,
    fallbackSerde: Serde | undefined,
    materialized: Materialized<K, VR>,
    named: Named,
  ): KTable<Windowed<K>, VR> {
    const { windows, emit } = this;
    const of = { windows, emit };
    const table = this.grouped.build(prefix, functions, of, fallbackSerde, materialized, named);
    return table as unknown as KTable<Windowed<K>, VR>;
  }
}

/** A grouped stream by tumbling, hopping, sliding or unlimited windows. */
export class TimeWindowedKStream<K, V> extends WindowedKStream<K, V, FixedWindows> {
  /** @internal */
  constructor(grouped: KGroupedStream<K, V>, windows: FixedWindows, emit: EmitStrategy) {
    super(grouped, windows, emit);
    if (emit === 'close' && windows.kind === 'unlimited')
      throw new TopologyError('an unlimited window never closes', "emit with each record: 'update'");
    if (emit === 'close' && windows.kind === 'custom')
      throw new TopologyError(
        'custom windows are not emitted when they close',
        'emit with each record and suppress until windows close',
      );
  }

  /** When results are forwarded: `update` (each change, the default) or `close` (once, KIP-825). */
  emitStrategy(emit: EmitStrategy): TimeWindowedKStream<K, V> {
    return new TimeWindowedKStream(this.grouped, this.windows, emit);
  }

  /** A state for each key and window. The values of records may be null, except in sliding windows. */
  aggregate<VR>(
    initializer: () => VR,
    aggregator: (key: K, value: V, aggregate: VR) => VR,
    materialized: Materialized<K, VR> = {},
    named: Named = {},
  ): KTable<Windowed<K>, VR> {
    const functions = aggregating(initializer, aggregator);
    return this.build('KSTREAM-AGGREGATE-', functions, undefined, materialized, named);
  }
}

/** A grouped stream by sessions. */
export class SessionWindowedKStream<K, V> extends WindowedKStream<K, V, SessionWindows> {
  /** When results are forwarded: `update` (each change, the default) or `close` (once, KIP-825). */
  emitStrategy(emit: EmitStrategy): SessionWindowedKStream<K, V> {
    return new SessionWindowedKStream(this.grouped, this.windows, emit);
  }

  /** A state for each key and session; `merger` joins the states of sessions that a record brought together. */
  aggregate<VR>(
    initializer: () => VR,
    aggregator: (key: K, value: V, aggregate: VR) => VR,
    merger: (key: K, left: VR, right: VR) => VR,
    materialized: Materialized<K, VR> = {},
    named: Named = {},
  ): KTable<Windowed<K>, VR> {
    const functions = aggregating(initializer, aggregator, merger);
    return this.build('KSTREAM-AGGREGATE-', functions, undefined, materialized, named);
  }
}
