import { addAggregate } from '../operations/aggregate.ts';
import { addRepartition } from '../operations/repartition.ts';
import type { AggregateTableOptions } from '../processors/aggregate-table.ts';
import { groupedChangeSerde } from '../processors/grouped-change-serde.ts';
import type { Serde } from '../topology/serde.ts';
import { COUNT, folding, reducing } from './aggregations.ts';
import type { GroupedTableHandle } from './fluent.ts';
import { type Graph, GraphNode, type GraphNodeOptions, nameGiven } from './graph.ts';
import { KTable } from './ktable.ts';
import { historyOf, keyValueStore, materialize } from './materialize.ts';
import type { Grouped, Materialized, Named } from './options.ts';
import { Serdes } from './serdes.ts';
import { StoredTable } from './table-suppliers.ts';
import { given, initialOf, plain } from './user-function.ts';

/** Rows of a table under new keys. An aggregate takes back what left a group before it adds what came. */
export class KGroupedTable<K, V> {
  readonly #graph: Graph;
  readonly #node: GraphNode;
  readonly #grouped: Grouped<K, V>;
  #repartition: GraphNode | null = null;

  /** @internal */
  constructor({ graph, node, grouped }: GroupedTableHandle<K, V>) {
    this.#graph = graph;
    this.#node = node;
    this.#grouped = grouped;
    if (grouped.name !== undefined) nameGiven(grouped.name);
  }

  /** How many rows each group has. */
  count(materialized: Materialized<K, number> = {}, named: Named = {}): KTable<K, number> {
    return this.#build('KTABLE-AGGREGATE-', COUNT, Serdes.long, materialized, named);
  }

  /** `adder` puts a row into its group's state, `subtractor` takes one out that was put in before. */
  aggregate<VR>(
    initializer: () => VR,
    adder: (key: K, value: V, aggregate: VR) => VR,
    subtractor: (key: K, value: V, aggregate: VR) => VR,
    materialized: Materialized<K, VR> = {},
    named: Named = {},
  ): KTable<K, VR> {
    plain(adder, 'aggregate');
    plain(subtractor, 'aggregate');
    const functions: Functions = {
      initial: initialOf(initializer),
      add: folding(adder, 'adder'),
      undo: folding(subtractor, 'subtractor'),
    };
    return this.#build('KTABLE-AGGREGATE-', functions, undefined, materialized, named);
  }

  /** As `aggregate`, where the state is a value: the first row of a group is its state. */
  reduce(
    adder: (aggregate: V, value: V) => V,
    subtractor: (aggregate: V, value: V) => V,
    materialized: Materialized<K, V> = {},
    named: Named = {},
  ): KTable<K, V> {
    const { initial, add } = reducing(adder, 'adder');
    plain(subtractor, 'reduce');
    const undo: Functions['undo'] = (state, value) => given(subtractor(state as V, value as V), 'subtractor');
    const fallbackSerde = this.#grouped.valueSerde;
    return this.#build('KTABLE-REDUCE-', { initial, add, undo }, fallbackSerde, materialized, named);
  }

  #build<VR>(
    prefix: string,
    functions: Functions,
    fallbackSerde: Serde | undefined,
    materialized: Materialized<K, VR>,
    named: Named,
  ): KTable<K, VR> {
    const graph = this.#graph;
    const plan = materialize(graph, materialized, 'KTABLE-AGGREGATE-');
    const sinkName = graph.nameFor(named.name, 'KSTREAM-SINK-', '-sink');
    const sourceName = graph.nameFor(named.name, 'KSTREAM-SOURCE-', '-source');
    const name = graph.nameFor(named.name, prefix);
    const topic = `${this.#grouped.name ?? plan.name}-repartition`;
    if (this.#repartition === null || this.#grouped.name === undefined)
      this.#repartition = this.#repartitionNode(topic, sinkName, sourceName);
    const repartition = this.#repartition;
    graph.add([this.#node], repartition);
    const valueSerde = materialized.valueSerde ?? fallbackSerde;
    const supplier = new StoredTable(plan.name);
    graph.keySerdes.set(plan.name, materialized.keySerde ?? this.#grouped.keySerde);
    const { coalesce = false } = materialized;
    const { initial, add, undo } = functions;
    const write: GraphNodeOptions['write'] = (topology, parents) => {
      const changes = { sendOldValues: supplier.sendOldValues, coalesce };
      const store = keyValueStore(plan, valueSerde, graph);
      addAggregate(topology, { name, parents, initial, add, undo, ...changes, windowed: null, store });
    };
    const node = graph.add([repartition], new GraphNode({ name, write }));
    return new KTable({
      graph,
      node,
      keySerde: materialized.keySerde ?? this.#grouped.keySerde,
      valueSerde,
      sources: new Set([repartition.name]),
      supplier,
      queryableStore: materialized.name,
      historyMs: historyOf(plan),
    });
  }

  #repartitionNode(topic: string, sinkName: string, sourceName: string): GraphNode {
    return new GraphNode({
      name: sourceName,
      write: (topology, parents) => {
        const key = this.#graph.keysOf(this.#grouped.keySerde, topic);
        const values = this.#graph.valuesOf(this.#grouped.valueSerde, topic);
        const value = groupedChangeSerde(values);
        addRepartition(topology, { topic, parents, sink: sinkName, source: sourceName, key, value });
      },
    });
  }
}

type Functions = Pick<AggregateTableOptions, 'initial' | 'add' | 'undo'>;
