import { addTable } from '../operations/table-source.ts';
import { tableSource } from '../processors/table-source.ts';
import { storeView } from '../processors/table-view.ts';
import { isOffsetReset } from '../topology/offset-reset.ts';
import { shown } from '../topology/record-time.ts';
import type { Processor } from '../topology/processor.ts';
import type { Serde } from '../topology/serde.ts';
import type { TopicPattern } from '../topology/topic-pattern.ts';
import type {
  SourceNode,
  StoreDefinition,
  TimestampExtractor,
  Topology,
  WindowedKeyFormat,
} from '../topology/topology.ts';
import { GlobalKTable } from './global-ktable.ts';
import {
  Graph,
  GraphNode,
  type GraphNodeOptions,
  nameGiven,
  type Optimizations,
  pendingKeySerde,
  userKey,
} from './graph.ts';
import { KGroupedTable } from './grouped-table.ts';
import { KStream } from './kstream.ts';
import { rewriteGraph } from './rewrite-graph.ts';
import { KTable } from './ktable.ts';
import { type AnyMaterialized, historyOf, keyValueStore, materialize } from './materialize.ts';
import { declareStore, type StateStoreDeclaration, storeOf } from './declared-stores.ts';
import { type UserContext, type StreamRecord, userProcessor } from './user-processor.ts';
import type { Consumed, Materialized, WindowedConsumed } from './options.ts';
import { SourceTable } from './table-suppliers.ts';
import { wholeNumber } from './check-number.ts';
import { plain } from './user-function.ts';
import { TopologyError } from '../topology/topology-error.ts';
import type { Windowed } from '../topology/windowed.ts';

interface TableSource {
  readonly sourceName: string;
  readonly name: string;
  readonly read: Consumed<unknown, unknown>;
}

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
      keySerde: consumed.keySerde,
      valueSerde: consumed.valueSerde,
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
    const plan = materialize(graph, materialized, `${topic}-`);
    const { sourceName, name, read } = this.#tableSource(consumed, materialized);
    const { keySerde, valueSerde } = read;
    const supplier = new SourceTable(plan, valueSerde, graph);
    graph.keySerdes.set(plan.name, keySerde);
    const node = new GraphNode({
      name,
      write: (topology, _parents, optimizations) => {
        this.#addSource(topology, sourceName, [topic], read);
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
    const plan = materialize(graph, materialized, `${topic}-`);
    if (plan.materialized.versioned !== undefined)
      throw new TopologyError(
        `global table ${plan.name} cannot be versioned`,
        'read the topic as a table, or leave the option out',
      );
    const source = this.#tableSource(consumed, materialized);
    const { keySerde, valueSerde } = source.read;
    graph.keySerdes.set(plan.name, keySerde);
    const open = tableSource({ store: plan.name, sendOldValues: false, keep: (value) => value });
    this.#addGlobal(topic, source, open, () => keyValueStore(plan, valueSerde, graph));
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
    const source = this.#tableSource(consumed, {});
    const store = storeOf(graph, declaration);
    const open = userProcessor(supplier, pendingKeySerde(source.name), {
      names: [declaration.name],
      shapeOf: graph.shapeOf,
    });
    this.#addGlobal(topic, source, open, () => store);
    return this;
  }

  /**
   * A key-value store of a topic's latest values that processors of your own may read (KIP-813). The topic, which should
   * be compacted, is its changelog: every record written there changes the store. Put nothing into it yourself.
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
    const plan = { name: nameGiven(declaration.name), materialized: declaration };
    const { sourceName, name, read } = this.#tableSource(consumed, declaration);
    graph.keySerdes.set(plan.name, read.keySerde);
    const node = new GraphNode({
      name,
      write: (topology) => {
        this.#addSource(topology, sourceName, [topic], read);
        const store = sourced(keyValueStore(plan, read.valueSerde, graph), topic);
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

  /** The names of the nodes that read a topic as a table, and how they read it. */
  #tableSource<K, V>(
    consumed: Consumed<K, V>,
    own: Pick<AnyMaterialized, 'keySerde' | 'valueSerde'>,
  ): TableSource {
    const sourceName = this.#graph.nameFor(consumed.name, 'KSTREAM-SOURCE-', '-source');
    const name = this.#graph.nameFor(consumed.name, 'KTABLE-SOURCE-');
    const keySerde = consumed.keySerde ?? own.keySerde;
    const valueSerde = consumed.valueSerde ?? own.valueSerde;
    return { sourceName, name, read: { ...consumed, keySerde, valueSerde } as Consumed<unknown, unknown> };
  }

  /** Adds a store that every instance holds whole. `define` is asked when it is written. */
  #addGlobal(
    topic: string,
    { sourceName, name, read }: TableSource,
    open: () => Processor,
    define: () => StoreDefinition,
  ): void {
    const graph = this.#graph;
    const write: GraphNodeOptions['write'] = (topology) => {
      const { options, keys, windowSizeMs } = define();
      topology.addGlobalStore({
        source: this.#source(sourceName, [topic], topic, read),
        processorName: name,
        open,
        store: { ...options, changelog: false, persistent: false },
        keys,
        windowSizeMs,
      });
    };
    graph.add([graph.root], new GraphNode({ name, write }));
  }

  #source(
    name: string,
    topics: readonly string[],
    where: string,
    consumed: Consumed<unknown, unknown>,
  ): Omit<SourceNode, 'kind'> {
    return {
      name,
      topics,
      key: this.#graph.keysOf(consumed.keySerde, where),
      value: this.#graph.valuesOf(consumed.valueSerde, where),
      ...extractor(consumed),
    };
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
      ...this.#source(name, topics, where, consumed),
      ...(consumed.offsetReset && { offsetReset: consumed.offsetReset }),
      ...(windowed && { window: windowed }),
      ...(pattern && { pattern }),
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
