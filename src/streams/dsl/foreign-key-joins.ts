import {
  answerSerde,
  answerSubscribers,
  answerSubscription,
  type Answer,
  receiveSubscriptions,
  resolveAnswers,
  sendSubscriptions,
  subscriptionPartition,
  subscriptionSerde,
} from '../processors/foreign-key-join.ts';
import type { RecordKey } from '../topology/record-key.ts';
import { tableSource } from '../processors/table-source.ts';
import type { Serde } from '../topology/serde.ts';
import { codecOf, GraphNode, need, userKey } from './graph.ts';
import type { StateStoreOptions } from '../../state/store.ts';
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
  named: Named,
): TableHandle {
  const { graph, supplier: left, sources } = table;
  plain(foreignKeyOf, 'the foreign-key join');
  const byKey = joinerOf(joiner, 'the foreign-key join');
  const right = other.supplier;
  right.enableOldValues(true);
  left.enableOldValues(true);
  const suffixed = (suffix: string, prefix: string): string => graph.nameFor(named.name, prefix, suffix);
  const subscriptionTopic = `${suffixed('-subscription-registration', 'KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-')}-topic`;
  const sendName = suffixed(
    '-subscription-registration-processor',
    'KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-',
  );
  const sendSink = suffixed('-subscription-registration-sink', 'KTABLE-SINK-');
  const receiveSource = suffixed('-subscription-registration-source', 'KTABLE-SOURCE-');
  const storeName = suffixed('-subscription-store', 'KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-');
  const receiveName = suffixed('-subscription-receive', 'KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-');
  const answerName = suffixed('-subscription-join-foreign', 'KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-');
  const changeName = suffixed('-foreign-join-subscription', 'KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-');
  const responseTopic = `${suffixed('-subscription-response', 'KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-')}-topic`;
  const responseSink = suffixed('-subscription-response-sink', 'KTABLE-SINK-');
  const responseSource = suffixed('-subscription-response-source', 'KTABLE-SOURCE-');
  const resolveName = suffixed(
    '-subscription-response-resolver',
    'KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR-',
  );
  const resultName = suffixed('-result', 'KTABLE-FK-JOIN-OUTPUT-');
  const plan = materialize(graph, materialized, 'KTABLE-FK-JOIN-OUTPUT-');

  graph.copartition(union(other.sources, new Set([receiveSource])));
  const resultSources = union(sources, new Set([responseSource]));
  graph.copartition(resultSources);
  const rightView = right.view();
  const leftView = left.view();
  const keySerde = (where: string): Serde => need(table.keySerde ?? graph.defaultKeySerde, 'key', where);
  const foreignKeySerde = (): Serde => need(other.keySerde ?? graph.defaultKeySerde, 'key', sendName);
  const leftValues = () => codecOf(need(table.valueSerde ?? graph.defaultValueSerde, 'value', sendName));
  const rightSerde = (): Serde => need(other.valueSerde ?? graph.defaultValueSerde, 'value', responseTopic);
  const node = (name: string, write: GraphNode['options']['write']): GraphNode =>
    new GraphNode({ name, write });

  const send = node(sendName, (topology, parents) => {
    const of = (value: unknown, key: RecordKey): unknown =>
      keyGiven(foreignKeyOf(value, userKey(key)), 'foreign key mapper');
    const options = { foreignKeyOf: of, foreignKeySerde: foreignKeySerde(), values: leftValues(), join };
    topology.addProcessor({ name: sendName, parents, open: sendSubscriptions(options) });
  });
  const sink = node(sendSink, (topology, parents) => {
    topology.addRepartitionTopic({ name: subscriptionTopic, partitions: null });
    topology.addSink({
      name: sendSink,
      topic: subscriptionTopic,
      parents,
      key: foreignKeySerde(),
      value: subscriptionSerde as Serde,
      headers: true,
      partitioner: subscriptionPartition,
    });
  });
  const source = node(receiveSource, (topology) => {
    topology.addSource({
      name: receiveSource,
      topics: [subscriptionTopic],
      key: foreignKeySerde(),
      value: subscriptionSerde as Serde,
    });
  });
  const subscriptions: StateStoreOptions = {
    kind: 'key-value',
    name: storeName,
    values: codecOf(subscriptionSerde as Serde),
    changelog: true,
    persistent: true,
  };
  const receive = node(receiveName, (topology, parents) => {
    topology.addProcessor({
      name: receiveName,
      parents,
      open: receiveSubscriptions({ store: storeName }),
      stores: [graph.define(subscriptions)],
    });
  });
  const answer = node(answerName, (topology, parents) => {
    topology.addProcessor({
      name: answerName,
      parents,
      open: answerSubscription({ right: rightView, primaryKeySerde: keySerde(answerName) }),
      uses: rightView.stores,
    });
  });
  const change = node(changeName, (topology, parents) => {
    topology.addProcessor({
      name: changeName,
      parents,
      open: answerSubscribers({ store: storeName, primaryKeySerde: keySerde(changeName) }),
      uses: [storeName],
    });
  });
  const respond = node(responseSink, (topology, parents) => {
    topology.addRepartitionTopic({ name: responseTopic, partitions: null });
    topology.addSink({
      name: responseSink,
      topic: responseTopic,
      parents,
      key: keySerde(responseTopic),
      value: answerSerde(rightSerde()) as Serde,
      headers: true,
      partitioner: (_key, value) => (value as Answer).partition,
    });
  });
  const responses = node(responseSource, (topology) => {
    const value = answerSerde(rightSerde()) as Serde;
    topology.addSource({
      name: responseSource,
      topics: [responseTopic],
      key: keySerde(responseTopic),
      value,
    });
  });
  const resolve = node(resolveName, (topology, parents) => {
    const options = {
      left: leftView,
      values: leftValues(),
      join,
      joiner: byKey,
    };
    topology.addProcessor({
      name: resolveName,
      parents,
      open: resolveAnswers(options),
      uses: leftView.stores,
    });
  });
  const valueSerde = materialized.valueSerde as Serde | undefined;
  const supplier = new SourceTable(plan, valueSerde, graph);
  graph.keySerdes.set(plan.name, table.keySerde);
  const result = node(resultName, (topology, parents) => {
    const stores = supplier.materialized ? [supplier.store()] : [];
    topology.addProcessor({
      name: resultName,
      parents,
      open: () => tableSource(supplier.options())(),
      stores,
    });
  });
  graph.add([table.node], send);
  graph.add([send], sink);
  graph.add([sink], source);
  graph.add([source], receive);
  graph.add([receive], answer);
  graph.add([other.node], change);
  graph.add([answer], respond);
  graph.add([change], respond);
  graph.add([respond], responses);
  graph.add([responses], resolve);
  graph.add([resolve], result);
  return {
    graph,
    node: result,
    name: resultName,
    keySerde: table.keySerde,
    valueSerde,
    sources: resultSources,
    supplier,
    queryableStore: materialized.name,
    window: undefined,
    graceMs: undefined,
    historyMs: historyOf(plan),
  };
}
