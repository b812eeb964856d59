import { addTable } from '../operations/table-source.ts';
import { tableSource } from '../processors/table-source.ts';
import { storeView } from '../processors/table-view.ts';
import { isOffsetReset } from '../topology/offset-reset.ts';
import { shown } from '../topology/record-time.ts';
import type { Serde } from '../topology/serde.ts';
import type { TopicPattern } from '../topology/topic-pattern.ts';
import type {
  StoreDefinition,
  TimestampExtractor,
  Topology,
  WindowedKeyFormat,
} from '../topology/topology.ts';
import { GlobalKTable } from './global-ktable.ts';
import { Graph, GraphNode, nameGiven, need, type Optimizations, pendingKeySerde, userKey } from './graph.ts';
import { KGroupedTable } from './grouped-table.ts';
import { KStream } from './kstream.ts';
import { rewriteGraph } from './rewrite-graph.ts';
import { KTable } from './ktable.ts';
import { type AnyMaterialized, historyOf, keyValueStore, materialize } from './materialize.ts';
import { declareStore, type StateStoreDeclaration, storeOf } from './declared-stores.ts';
import {
  type ProcessorSupplier,
  type UserContext,
  type StreamRecord,
  userProcessor,
} from './user-processor.ts';
import type { Consumed, Materialized, WindowedConsumed } from './options.ts';
import { SourceTable } from './table-suppliers.ts';
import { wholeNumber } from './check-number.ts';
import { plain } from './user-function.ts';
import { TopologyError } from '../topology/topology-error.ts';
import type { Windowed } from '../topology/windowed.ts';

/** A topic, several, or all that a pattern matches. */
export type Topics = string | readonly string[] | TopicPattern;

function isPattern(topics: Topics): topics is TopicPattern {
  return typeof topics === 'object' && 'test' in topics;
}

/** Keeps a global store: as a processor, without children. */
export interface GlobalStoreProcessor<K, V> {
  init?(context: UserContext): void;
  process(record: StreamRecord<K, V>): void;
  close?(): void;
}

export interface StreamsBuilderOptions {
  /** Used where an operation names none. */
  readonly keySerde?: Serde;
  readonly valueSerde?: Serde;
}

/**
 * Describes what is to be done with which topics; `build` makes the topology.
 *
 * ```ts
 * const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
 * builder
 *   .stream<string, string>('lines')
 *   .flatMapValues((line) => line.split(' '))
 *   .groupBy((_key, word) => word)
 *   .count({ name: 'counts' })
 *   .toStream()
 *   .to('word-counts', { valueSerde: Serdes.long });
 * const topology = builder.build();
 * ```
 */
export class StreamsBuilder {
  readonly #graph: Graph;

  constructor(options: StreamsBuilderOptions = {}) {
    this.#graph = new Graph(options.keySerde, options.valueSerde, {
      stream: (handle) => new KStream(handle),
      groupedTable: (handle) => new KGroupedTable(handle),
    });
  }

  /**
   * The records of one topic or several. Streams of the same topics share a source.
   *
   * A pattern stands for every topic whose whole name it matches, those that are created while the application runs
   * included (looked for each `topicRefreshMs`, and read from their beginning), but for internal ones:
   *
   * ```ts
   * builder.stream(/clicks-[a-z]{2}/).to('clicks');
   * ```
   */
  stream<K, V>(topics: Topics, consumed: WindowedConsumed<K, V>): KStream<Windowed<K>, V>;
  stream<K, V>(topics: Topics, consumed?: Consumed<K, V>): KStream<K, V>;
  stream<K, V>(topics: Topics, consumed: Consumed<K, V> & { windowed?: WindowedKeyFormat } = {}): unknown {
    const graph = this.#graph;
    const name = graph.nameFor(consumed.name, 'KSTREAM-SOURCE-');
    const pattern = isPattern(topics) ? topics : undefined;
    const sourceTopics = isPattern(topics) ? [] : typeof topics === 'string' ? [topics] : [...topics];
    const node = new GraphNode({
      name,
      // No topic is named as a pattern is written here.
      sourceTopics: pattern === undefined ? sourceTopics : [`/${pattern.source}/`],
      reads: {
        'key serde': consumed.keySerde ?? graph.defaultKeySerde,
        'value serde': consumed.valueSerde ?? graph.defaultValueSerde,
        'offset reset': consumed.offsetReset,
        'timestamp extractor': consumed.timestampExtractor,
        'window in its keys': consumed.windowed,
      },
      write: (topology) =>
        this.#addSource(
          topology,
          name,
          sourceTopics,
          consumed as Consumed<unknown, unknown>,
          consumed.windowed,
          pattern,
        ),
    });
    graph.add([graph.root], node);
    return new KStream({
      graph,
      node,
      keySerde: consumed.keySerde as Serde | undefined,
      valueSerde: consumed.valueSerde as Serde | undefined,
      sources: new Set([name]),
      repartitionRequired: false,
      window: consumed.windowed,
    });
  }

  /** The table of the latest value of each key of a topic; records without a value remove their key. */
  table<K, V>(
    topic: string,
    consumed: Consumed<K, V> = {},
    materialized: Materialized<K, V> = {},
  ): KTable<K, V> {
    const graph = this.#graph;
    const plan = materialize(graph, materialized as AnyMaterialized, `${topic}-`);
    const sourceName = graph.nameFor(consumed.name, 'KSTREAM-SOURCE-', '-source');
    const name = graph.nameFor(consumed.name, 'KTABLE-SOURCE-');
    const keySerde = (consumed.keySerde ?? materialized.keySerde) as Serde | undefined;
    const valueSerde = (consumed.valueSerde ?? materialized.valueSerde) as Serde | undefined;
    const supplier = new SourceTable(plan, valueSerde, graph);
    graph.keySerdes.set(plan.name, keySerde);
    const node = new GraphNode({
      name,
      write: (topology, _parents, optimizations) => {
        this.#addSource(topology, sourceName, [topic], {
          ...consumed,
          keySerde,
          valueSerde,
        } as Consumed<unknown, unknown>);
        const store = withSourceTopic(supplier.store(), optimizations);
        const { sendOldValues } = supplier;
        addTable(topology, { name, parents: [sourceName], store, sendOldValues });
      },
    });
    const withSourceTopic = (
      store: StoreDefinition | null,
      { reuseSourceTopics }: Optimizations,
    ): StoreDefinition | null => {
      const sameBytes =
        (materialized.valueSerde ?? valueSerde) === valueSerde && consumed.timestampExtractor === undefined;
      if (
        reuseSourceTopics !== true ||
        store === null ||
        // Compaction of the topic would take versions away.
        store.options.kind === 'versioned' ||
        !sameBytes ||
        !store.options.changelog ||
        (consumed.offsetReset ?? 'earliest') !== 'earliest'
      )
        return store;
      return sourced(store, topic);
    };
    graph.add([graph.root], node);
    const sources = new Set([sourceName]);
    return new KTable({
      graph,
      node,
      keySerde,
      valueSerde,
      sources,
      supplier,
      queryableStore: materialized.name,
      historyMs: historyOf(plan),
    });
  }

  /** A table that every instance holds whole, for joins by any key. It is read to its end before anything else runs. */
  globalTable<K, V>(
    topic: string,
    consumed: Consumed<K, V> = {},
    materialized: Materialized<K, V> = {},
  ): GlobalKTable<K, V> {
    const graph = this.#graph;
    const plan = materialize(graph, materialized as AnyMaterialized, `${topic}-`);
    if (plan.materialized.versioned !== undefined)
      throw new TopologyError(
        `global table ${plan.name} cannot be versioned`,
        'read the topic as a table, or leave the option out',
      );
    const sourceName = graph.nameFor(consumed.name, 'KSTREAM-SOURCE-', '-source');
    const name = graph.nameFor(consumed.name, 'KTABLE-SOURCE-');
    const keySerde = (consumed.keySerde ?? materialized.keySerde) as Serde | undefined;
    const valueSerde = (consumed.valueSerde ?? materialized.valueSerde) as Serde | undefined;
    graph.globalStores.add(plan.name);
    graph.keySerdes.set(plan.name, keySerde);
    const node = new GraphNode({
      name,
      write: (topology) => {
        const { options } = keyValueStore(plan, valueSerde, graph);
        topology.addGlobalStore({
          source: {
            name: sourceName,
            topics: [topic],
            key: need(keySerde ?? graph.defaultKeySerde, 'key', topic),
            value: need(valueSerde ?? graph.defaultValueSerde, 'value', topic),
            ...extractor(consumed as Consumed<unknown, unknown>),
          },
          processorName: name,
          open: tableSource({ store: plan.name, sendOldValues: false, keep: (value) => value }),
          store: { ...options, changelog: false, persistent: false },
        });
      },
    });
    graph.add([graph.root], node);
    return new GlobalKTable(storeView(plan.name), keySerde, materialized.name);
  }

  /** Declares a store for processors of your own. The very same declaration may be added again. */
  addStateStore<K, V>(declaration: StateStoreDeclaration<K, V>): this {
    declareStore(this.#graph, declaration);
    return this;
  }

  /**
   * A store that every instance holds whole, kept by a processor of yours from all partitions of a topic: it is read from
   * the beginning, through the processor, before anything else runs. Processors of any part of the topology may read the
   * store without naming it; only this one may write to it, and it forwards nothing.
   *
   * ```ts
   * builder.addGlobalStore({ name: 'names', kind: 'key-value' }, 'people', () => {
   *   let names: KeyValueStoreView<string, string>;
   *   return {
   *     init: (context) => (names = context.getStateStore('names')),
   *     process: ({ key, value }) => names.put(key, value?.name ?? null),
   *   };
   * });
   * ```
   */
  addGlobalStore<K, V, SK, SV>(
    declaration: StateStoreDeclaration<SK, SV>,
    topic: string,
    supplier: () => GlobalStoreProcessor<K, V>,
    consumed: Consumed<K, V> = {},
  ): this {
    const graph = this.#graph;
    const sourceName = graph.nameFor(consumed.name, 'KSTREAM-SOURCE-', '-source');
    const name = graph.nameFor(consumed.name, 'KTABLE-SOURCE-');
    graph.globalStores.add(declaration.name);
    const { options } = storeOf(graph, declaration);
    const open = userProcessor(
      supplier as ProcessorSupplier<unknown, unknown, unknown, unknown>,
      pendingKeySerde(name),
      { names: [declaration.name], shapeOf: graph.shapeOf },
    );
    const node = new GraphNode({
      name,
      write: (topology) => {
        const windowSizeMs = graph.windowSizes.get(declaration.name);
        const keys = graph.keySerdes.get(declaration.name) ?? graph.defaultKeySerde;
        topology.addGlobalStore({
          source: {
            name: sourceName,
            topics: [topic],
            key: need((consumed.keySerde as Serde | undefined) ?? graph.defaultKeySerde, 'key', topic),
            value: need(
              (consumed.valueSerde as Serde | undefined) ?? graph.defaultValueSerde,
              'value',
              topic,
            ),
            ...extractor(consumed as Consumed<unknown, unknown>),
          },
          processorName: name,
          open,
          store: { ...options, changelog: false, persistent: false },
          ...(keys && { keys }),
          ...(windowSizeMs !== undefined && { windowSizeMs }),
        });
      },
    });
    graph.add([graph.root], node);
    return this;
  }

  /**
   * A key-value store of a topic's latest values that processors of your own may read (KIP-813). The topic, which should
   * be compacted, is its changelog: whoever writes there changes the store. Put nothing into it yourself.
   */
  addReadOnlyStateStore<K, V>(
    topic: string,
    declaration: Omit<
      StateStoreDeclaration<K, V>,
      'kind' | 'versioned' | 'windowSizeMs' | 'rowsMax' | 'logging' | 'logConfig'
    >,
    consumed: Consumed<K, V> = {},
  ): this {
    const graph = this.#graph;
    const plan = { name: nameGiven(declaration.name), materialized: declaration as AnyMaterialized };
    const sourceName = graph.nameFor(consumed.name, 'KSTREAM-SOURCE-', '-source');
    const name = graph.nameFor(consumed.name, 'KTABLE-SOURCE-');
    const keySerde = (consumed.keySerde ?? declaration.keySerde) as Serde | undefined;
    const valueSerde = (consumed.valueSerde ?? declaration.valueSerde) as Serde | undefined;
    graph.keySerdes.set(plan.name, keySerde);
    const node = new GraphNode({
      name,
      write: (topology) => {
        const source = { ...consumed, keySerde, valueSerde } as Consumed<unknown, unknown>;
        this.#addSource(topology, sourceName, [topic], source);
        const store = sourced(keyValueStore(plan, valueSerde, graph), topic);
        addTable(topology, { name, parents: [sourceName], store, sendOldValues: false });
      },
    });
    graph.add([graph.root], node);
    return this;
  }

  /** The topology of everything described so far. Once. */
  build(optimizations: Optimizations = {}): Topology {
    rewriteGraph(this.#graph, optimizations);
    return this.#graph.write(optimizations);
  }

  #addSource(
    topology: Topology,
    name: string,
    topics: readonly string[],
    consumed: Consumed<unknown, unknown>,
    windowed?: WindowedKeyFormat,
    pattern?: TopicPattern,
  ): void {
    const where = pattern === undefined ? topics.join(', ') : `topics like ${pattern.source}`;
    const { offsetReset } = consumed;
    if (offsetReset !== undefined && !isOffsetReset(offsetReset))
      throw new TopologyError(
        `the offset reset of ${where} is ${shown(offsetReset)}`,
        'give earliest, latest, none or { byDurationMs } of whole milliseconds',
      );
    if (windowed?.kind === 'time' && typeof windowed.sizeMs !== 'function')
      wholeNumber(windowed.sizeMs, `the size of the windows of ${where} in milliseconds`, 1);
    topology.addSource({
      name,
      topics,
      key: need(consumed.keySerde ?? this.#graph.defaultKeySerde, 'key', where),
      value: need(consumed.valueSerde ?? this.#graph.defaultValueSerde, 'value', where),
      ...(consumed.offsetReset && { offsetReset: consumed.offsetReset }),
      ...(windowed && { window: windowed }),
      ...(pattern && { pattern }),
      ...extractor(consumed),
    });
  }
}

/** The store, with the topic that it is made of as its changelog. */
function sourced({ options, keys }: StoreDefinition, topic: string): StoreDefinition {
  return { options: { ...options, changelog: false }, keys, sourceTopic: topic };
}

function extractor(consumed: Consumed<unknown, unknown>): { timestampExtractor?: TimestampExtractor } {
  const { timestampExtractor } = consumed;
  if (timestampExtractor === undefined) return {};
  plain(timestampExtractor, 'timestampExtractor');
  return {
    timestampExtractor: (value, key, timestamp, partitionTime) =>
      timestampExtractor({ key: userKey(key), value, timestamp }, partitionTime),
  };
}
