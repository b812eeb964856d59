import { tableSource } from '../processors/table-source.ts';
import { storeView } from '../processors/table-view.ts';
import type { Serde } from '../topology/serde.ts';
import type { TopicPattern } from '../topology/topic-pattern.ts';
import type { TimestampExtractor, Topology, WindowedKeyFormat } from '../topology/topology.ts';
import { GlobalKTable } from './global-ktable.ts';
import { Graph, GraphNode, type GraphStore, need, type Optimizations, userKey } from './graph.ts';
import { KStream } from './kstream.ts';
import { rewriteGraph } from './rewrite-graph.ts';
import { KTable } from './ktable.ts';
import { type AnyMaterialized, historyOf, keyValueStore, materialize, timedStore } from './materialize.ts';
import type { Consumed, Materialized, WindowedConsumed } from './options.ts';
import { SourceTable } from './table-suppliers.ts';
import { plain } from './user-function.ts';
import { TopologyError } from '../topology/topology-error.ts';
import type { Windowed } from './windows.ts';

/** A topic, several, or all that a pattern matches. */
export type Topics = string | readonly string[] | TopicPattern;

function isPattern(topics: Topics): topics is TopicPattern {
  return typeof topics === 'object' && 'test' in topics;
}

export interface StreamsBuilderOptions {
  /** Used where an operation names none. */
  readonly keySerde?: Serde;
  readonly valueSerde?: Serde;
}

/** A store for processors of your own; connect it with `process(…, { stores: [name] })`. */
export interface StateStoreDeclaration<K, V> extends Materialized<K, V> {
  readonly name: string;
  /** Key-value stores: at most so many rows, in memory; the one used longest ago makes room for a new one. */
  readonly rowsMax?: number;
  /** Of kind `window`: how long its windows are. */
  readonly windowSizeMs?: number;
  /** `versioned` and `window` need options of their own: `versioned`, `windowSizeMs`. */
  readonly kind: 'key-value' | 'window' | 'session' | 'versioned';
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
    this.#graph = new Graph(options.keySerde, options.valueSerde);
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
      write: ({ topology }) =>
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
      name,
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
      write: (write) => {
        this.#addSource(write.topology, sourceName, [topic], {
          ...consumed,
          keySerde,
          valueSerde,
        } as Consumed<unknown, unknown>);
        const stores = supplier.materialized ? [withSourceTopic(supplier.store(), write.optimizations)] : [];
        write.processor(name, [sourceName], () => tableSource(supplier.options())(), stores);
      },
    });
    const withSourceTopic = (store: GraphStore, { reuseSourceTopics }: Optimizations): GraphStore => {
      const sameBytes =
        (materialized.valueSerde ?? valueSerde) === valueSerde && consumed.timestampExtractor === undefined;
      if (
        reuseSourceTopics !== true ||
        // Compaction of the topic would take versions away.
        store.options.kind === 'versioned' ||
        !sameBytes ||
        !store.options.changelog ||
        (consumed.offsetReset ?? 'earliest') !== 'earliest'
      )
        return store;
      return { options: { ...store.options, changelog: false }, sourceTopic: topic };
    };
    graph.add([graph.root], node);
    const sources = new Set([sourceName]);
    return new KTable({
      graph,
      node,
      name,
      keySerde,
      valueSerde,
      sources,
      supplier,
      queryableStore: materialized.name,
      window: undefined,
      graceMs: undefined,
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
      write: ({ topology }) => {
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
    const graph = this.#graph;
    if (graph.declarations.has(declaration)) return this;
    graph.declarations.add(declaration);
    const plan = { name: declaration.name, materialized: declaration as AnyMaterialized };
    graph.keySerdes.set(plan.name, declaration.keySerde as Serde | undefined);
    const { kind, retentionMs = 24 * 60 * 60 * 1000, windowSizeMs } = declaration;
    if ((kind === 'window') !== (windowSizeMs !== undefined && windowSizeMs > 0))
      throw new TopologyError(
        `store ${plan.name} is of kind ${kind} ${kind === 'window' ? 'without' : 'with'} a windowSizeMs`,
        "declare kind 'window' together with windowSizeMs, which says where its windows end",
      );
    if ((kind === 'versioned') !== (declaration.versioned !== undefined))
      throw new TopologyError(
        `store ${plan.name} is of kind ${kind} ${kind === 'versioned' ? 'without' : 'with'} the option versioned`,
        "declare kind 'versioned' together with versioned: { historyRetentionMs }",
      );
    graph.stores.push(
      kind === 'key-value' || kind === 'versioned'
        ? bounded(keyValueStore(plan, undefined, graph), declaration.rowsMax)
        : bounded(timedStore(plan, kind, retentionMs, windowSizeMs, undefined, graph), declaration.rowsMax),
    );
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
    const plan = { name: declaration.name, materialized: declaration as AnyMaterialized };
    const sourceName = graph.nameFor(consumed.name, 'KSTREAM-SOURCE-', '-source');
    const name = graph.nameFor(consumed.name, 'KTABLE-SOURCE-');
    const keySerde = (consumed.keySerde ?? declaration.keySerde) as Serde | undefined;
    const valueSerde = (consumed.valueSerde ?? declaration.valueSerde) as Serde | undefined;
    graph.keySerdes.set(plan.name, keySerde);
    const node = new GraphNode({
      name,
      write: (write) => {
        const source = { ...consumed, keySerde, valueSerde } as Consumed<unknown, unknown>;
        this.#addSource(write.topology, sourceName, [topic], source);
        const { options } = keyValueStore(plan, valueSerde, graph);
        const keep = (value: unknown): unknown => value;
        write.processor(name, [sourceName], tableSource({ store: plan.name, sendOldValues: false, keep }), [
          { options: { ...options, changelog: false }, sourceTopic: topic },
        ]);
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

/** The store with a bound on its rows, if one is given. */
function bounded(store: GraphStore, rowsMax: number | undefined): GraphStore {
  const { options } = store;
  if (rowsMax === undefined) return store;
  if (options.kind === 'key-value' && rowsMax > 0) return { ...store, options: { ...options, rowsMax } };
  throw new TopologyError(
    `store ${options.name} cannot have at most ${rowsMax} rows`,
    'rowsMax is for key-value stores, and more than 0',
  );
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
