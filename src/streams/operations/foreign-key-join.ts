import {
  type Answer,
  answerSerde,
  answerSubscribers,
  answerSubscription,
  type ForeignKeyOf,
  receiveSubscriptions,
  resolveAnswers,
  sendSubscriptions,
  subscriptionPartition,
  subscriptionSerde,
} from '../processors/foreign-key-join.ts';
import type { TableView } from '../processors/table-view.ts';
import type { ValueJoiner } from '../topology/processor.ts';
import { codecOf, type Serde } from '../topology/serde.ts';
import { keyedStore, type StoreDefinition, type Topology } from '../topology/topology.ts';
import { addRepartition } from './repartition.ts';
import { addTable } from './table-source.ts';

export interface ForeignKeyJoinSide {
  /** The node whose changes are joined; the left's carry old rows. */
  readonly parent: string;
  readonly view: TableView;
  /** The sources of its sub-topology. */
  readonly sources: Iterable<string>;
  readonly keys: Serde;
  readonly values: Serde;
}

/** The name of each part. */
export interface ForeignKeyJoinNames {
  /** Left rows subscribe to the right row that they name, through a topic by that row's key. */
  readonly subscribe: string;
  readonly subscriptionTopic: string;
  readonly subscriptionSink: string;
  readonly subscriptionSource: string;
  /** The subscriptions are kept where the right rows are, and each is answered. */
  readonly receive: string;
  readonly store: string;
  readonly answer: string;
  /** Changes of right rows are told to all who subscribed. */
  readonly tell: string;
  /** Answers come back through a topic by the left rows' keys. */
  readonly answerTopic: string;
  readonly answerSink: string;
  readonly answerSource: string;
  readonly resolve: string;
  readonly result: string;
}

export interface ForeignKeyJoinOptions {
  readonly names: ForeignKeyJoinNames;
  readonly left: ForeignKeyJoinSide;
  readonly right: ForeignKeyJoinSide;
  readonly join: 'inner' | 'left';
  readonly foreignKeyOf: ForeignKeyOf;
  readonly joiner: ValueJoiner;
  /** Rows of an inner join without a foreign key are left out without a word. */
  readonly quiet?: boolean;
  /** Whether a row asks again when an answer comes too late: see `resolveAnswers`. */
  readonly asksAgain: boolean;
  readonly sendOldValues: boolean;
  /** Keeps the result, where it is to be kept. */
  readonly store: StoreDefinition | null;
}

/** Joins each left row with the right row whose key it names (KIP-213). */
export function addForeignKeyJoin(topology: Topology, options: ForeignKeyJoinOptions): void {
  const { names, left, right, join, foreignKeyOf, joiner, asksAgain, sendOldValues, store } = options;
  const answers = answerSerde(right.values);
  const values = codecOf(left.values);
  topology.addRepartitionTopic({ name: names.subscriptionTopic, partitions: null });
  topology.addCopartition([...right.sources, names.subscriptionSource]);
  topology.addCopartition([...left.sources, names.answerSource]);

  topology.addProcessor({
    name: names.subscribe,
    parents: [left.parent],
    open: sendSubscriptions({
      foreignKeyOf,
      foreignKeySerde: right.keys,
      values,
      join,
      quiet: options.quiet ?? false,
    }),
  });
  const sinkSubscriptionsOf = (...parents: string[]): void => {
    topology.addSink({
      name: names.subscriptionSink,
      topic: names.subscriptionTopic,
      parents,
      key: right.keys,
      value: subscriptionSerde,
      headers: true,
      partitioner: subscriptionPartition,
    });
  };
  if (!asksAgain) sinkSubscriptionsOf(names.subscribe);
  topology.addSource({
    name: names.subscriptionSource,
    topics: [names.subscriptionTopic],
    key: right.keys,
    value: subscriptionSerde,
  });
  topology.addProcessor({
    name: names.receive,
    parents: [names.subscriptionSource],
    open: receiveSubscriptions({ store: names.store }),
    stores: [keyedStore(names.store, codecOf(subscriptionSerde))],
  });
  topology.addProcessor({
    name: names.answer,
    parents: [names.receive],
    open: answerSubscription({ right: right.view, primaryKeySerde: left.keys }),
    uses: right.view.stores,
  });
  topology.addProcessor({
    name: names.tell,
    parents: [right.parent],
    open: answerSubscribers({ store: names.store, primaryKeySerde: left.keys }),
    uses: [names.store],
  });
  addRepartition(topology, {
    topic: names.answerTopic,
    sink: names.answerSink,
    source: names.answerSource,
    parents: [names.answer, names.tell],
    key: left.keys,
    value: answers,
    partitioner: (_key, value) => (value as Answer).partition,
  });
  const askAgain = {
    foreignKeyOf,
    foreignKeySerde: right.keys,
    subscriptions: names.subscriptionSink,
    results: names.result,
  };
  topology.addProcessor({
    name: names.resolve,
    parents: [names.answerSource],
    open: resolveAnswers({ left: left.view, values, join, joiner, ...(asksAgain && { askAgain }) }),
    uses: left.view.stores,
  });
  if (asksAgain) sinkSubscriptionsOf(names.subscribe, names.resolve);
  addTable(topology, { name: names.result, parents: [names.resolve], store, sendOldValues });
}
