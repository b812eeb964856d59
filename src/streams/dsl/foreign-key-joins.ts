import { addForeignKeyJoin, type ForeignKeyJoinNames } from '../operations/foreign-key-join.ts';
import type { Serde } from '../topology/serde.ts';
import { GraphNode, userKey } from './graph.ts';
import { type AnyMaterialized, historyOf, materialize } from './materialize.ts';
import type { Named } from './options.ts';
import { union } from './stream-handle.ts';
import { type Joiner, joinerOf } from './stream-joins.ts';
import type { TableHandle } from './table-handle.ts';
import { SourceTable } from './table-suppliers.ts';
import { keyGiven, plain } from './user-function.ts';

/** Joins each row with the row of another table that it names (KIP-213). */
export function joinByForeignKey(
  join: 'inner' | 'left',
  table: TableHandle,
  other: TableHandle,
  foreignKeyOf: (value: unknown, key: unknown) => unknown,
  joiner: Joiner,
  materialized: AnyMaterialized,
  { name }: Named,
): TableHandle {
  const { graph, supplier: left } = table;
  plain(foreignKeyOf, 'the foreign-key join');
  const byKey = joinerOf(joiner, 'the foreign-key join');
  const right = other.supplier;
  right.enableOldValues(true);
  left.enableOldValues(true);
  const named = (suffix: string, prefix: string): string => graph.nameFor(name, prefix, suffix);
  const subscription = (suffix: string, prefix: string): string =>
    named(`-subscription-${suffix}`, `KTABLE-FK-JOIN-SUBSCRIPTION-${prefix}-`);
  // In Kafka Streams' order, as each uses up a number.
  const names: ForeignKeyJoinNames = {
    subscriptionTopic: `${subscription('registration', 'REGISTRATION')}-topic`,
    subscribe: subscription('registration-processor', 'REGISTRATION'),
    subscriptionSink: named('-subscription-registration-sink', 'KTABLE-SINK-'),
    subscriptionSource: named('-subscription-registration-source', 'KTABLE-SOURCE-'),
    store: subscription('store', 'STATE-STORE'),
    receive: subscription('receive', 'PROCESSOR'),
    answer: subscription('join-foreign', 'PROCESSOR'),
    tell: named('-foreign-join-subscription', 'KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-'),
    answerTopic: `${subscription('response', 'RESPONSE')}-topic`,
    answerSink: named('-subscription-response-sink', 'KTABLE-SINK-'),
    answerSource: named('-subscription-response-source', 'KTABLE-SOURCE-'),
    resolve: subscription('response-resolver', 'RESPONSE-RESOLVER-PROCESSOR'),
    result: named('-result', 'KTABLE-FK-JOIN-OUTPUT-'),
  };
  const plan = materialize(graph, materialized, 'KTABLE-FK-JOIN-OUTPUT-');
  const leftView = left.view();
  const rightView = right.view();
  const leftSources = graph.track(table.sources);
  const rightSources = graph.track(other.sources);
  const keysOf = ({ keySerde }: TableHandle): Serde => graph.keysOf(keySerde, names.subscribe);
  const valuesOf = ({ valueSerde }: TableHandle): Serde => graph.valuesOf(valueSerde, names.subscribe);
  const valueSerde = materialized.valueSerde;
  const supplier = new SourceTable(plan, valueSerde, graph);
  graph.keySerdes.set(plan.name, table.keySerde);
  const result = new GraphNode({
    name: names.result,
    write(topology) {
      const { sendOldValues } = supplier;
      addForeignKeyJoin(topology, {
        names,
        left: {
          parent: table.node.name,
          view: leftView,
          sources: leftSources,
          keys: keysOf(table),
          values: valuesOf(table),
        },
        right: {
          parent: other.node.name,
          view: rightView,
          sources: rightSources,
          keys: keysOf(other),
          values: valuesOf(other),
        },
        join,
        foreignKeyOf: (value, key) => keyGiven(foreignKeyOf(value, userKey(key)), 'foreign key mapper'),
        joiner: byKey,
        asksAgain: false,
        sendOldValues,
        store: supplier.store(),
      });
    },
  });
  graph.add([table.node, other.node], result);
  return {
    graph,
    node: result,
    keySerde: table.keySerde,
    valueSerde,
    sources: union(table.sources, new Set([names.answerSource])),
    supplier,
    queryableStore: materialized.name,
    historyMs: historyOf(plan),
  };
}
