import { must } from '../../../common/assert.ts';
import type { DataError } from '../../../common/error.ts';
import {
  type Answer,
  answerSerde,
  answerSubscribers,
  answerSubscription,
  receiveSubscriptions,
  resolveAnswers,
  sendSubscriptions,
  subscriptionPartition,
  subscriptionSerde,
} from '../../../streams/processors/foreign-key-join.ts';
import { tableSource } from '../../../streams/processors/table-source.ts';
import { storeView } from '../../../streams/processors/table-view.ts';
import type { Serde } from '../../../streams/topology/serde.ts';
import type { ValueCodec } from '../../../state/store.ts';
import type { SqlValue } from '../../../types/value.ts';
import { compileProjection } from '../../expressions/compile.ts';
import type { JoinNode } from '../../plan/node.ts';
import type { LoweredRows, Lowering, Wanted } from '../lowered-rows.ts';
import { rowSerde } from '../row-serde.ts';
import { newRowJoiner } from './join-rows.ts';
import { storedRows } from './lower-table-table-join.ts';

/**
 * Left rows subscribe to the right's primary key that they name, through a topic by that key; answers come back
 * through one by the left's. The result is kept where somebody needs its old rows or looks rows up.
 */
export function lowerForeignKeyJoin(
  node: JoinNode,
  wanted: Wanted,
  inputs: readonly ReadonlySet<number>[],
  lowering: Lowering,
): LoweredRows {
  const { topology } = lowering;
  const left = lowering.settle(lowering.lower(node.left, { columns: inputs[0]!, old: true, keep: 'view' }));
  const right = lowering.settle(
    lowering.lower(node.right, { columns: inputs[1]!, old: false, keep: 'view' }),
  );
  const leftView = must(left.view, 'the tables of a join can be looked up');
  const rightView = must(right.view, 'the tables of a join can be looked up');
  const name = lowering.name(node.name);
  const join = node.join === 'inner' ? 'inner' : 'left';
  const values = rowSerde(node.left.columns, [...inputs[0]!]);
  const answers = answerSerde(rowSerde(node.right.columns, [...inputs[1]!]) as Serde) as Serde;
  const primaryKeySerde = left.key.serde as Serde;
  const foreignKeySerde = right.key.serde as Serde;

  const subscriptionTopic = `${name}-subscription-registration-topic`;
  const answerTopic = `${name}-subscription-response-topic`;
  const store = `${name}-subscription-store`;
  topology.addRepartitionTopic({ name: subscriptionTopic, partitions: null });
  topology.addRepartitionTopic({ name: answerTopic, partitions: null });
  topology.addCopartition([subscriptionTopic, ...right.topics]);
  topology.addCopartition([answerTopic, ...left.topics]);

  const subscribe = `${name} subscribe`;
  const subscriptions = `${name} subscription sink`;
  const foreignKeyOf = openForeignKey(node, lowering);
  topology.addProcessor({
    name: subscribe,
    open: sendSubscriptions({
      foreignKeyOf,
      foreignKeySerde,
      values,
      join,
      quiet: node.narrowedFrom !== undefined,
    }),
    parents: [left.parent],
  });
  const source = `${name} subscription source`;
  topology.addSource({
    name: source,
    topics: [subscriptionTopic],
    key: foreignKeySerde,
    value: subscriptionSerde as Serde,
  });
  const receive = `${name} receive`;
  topology.addProcessor({ name: receive, open: receiveSubscriptions({ store }), parents: [source] });
  const answer = `${name} answer`;
  topology.addProcessor({
    name: answer,
    open: answerSubscription({ right: rightView, primaryKeySerde }),
    parents: [receive],
  });
  for (const each of rightView.stores) topology.connectStore(each, answer);
  const tell = `${name} tell`;
  topology.addProcessor({
    name: tell,
    open: answerSubscribers({ store, primaryKeySerde }),
    parents: [right.parent],
  });
  topology.addStore({
    options: {
      kind: 'key-value',
      name: store,
      values: codecOf(subscriptionSerde as Serde),
      changelog: true,
      persistent: true,
    },
    processors: [receive, tell],
  });
  topology.addSink({
    name: `${name} answer sink`,
    topic: answerTopic,
    parents: [answer, tell],
    key: primaryKeySerde,
    value: answers,
    headers: true,
    partitioner: (_key, value) => (value as Answer).partition,
  });
  const answered = `${name} answer source`;
  topology.addSource({ name: answered, topics: [answerTopic], key: primaryKeySerde, value: answers });
  const resolve = `${name} resolve`;
  topology.addProcessor({
    name: resolve,
    open: resolveAnswers({
      left: leftView,
      values,
      join,
      joiner: newRowJoiner(node, wanted.columns),
      askAgain: { foreignKeyOf, foreignKeySerde, subscriptions, results: name },
    }),
    parents: [answered],
  });
  for (const each of leftView.stores) topology.connectStore(each, resolve);
  topology.addSink({
    name: subscriptions,
    topic: subscriptionTopic,
    parents: [subscribe, resolve],
    key: foreignKeySerde,
    value: subscriptionSerde as Serde,
    headers: true,
    partitioner: subscriptionPartition,
  });

  const result = wanted.old || wanted.keep !== 'nothing' ? `${name}-table` : null;
  topology.addProcessor({
    name,
    open: tableSource({ store: result, sendOldValues: wanted.old, keep: (row) => row }),
    parents: [resolve],
  });
  if (result !== null)
    topology.addStore({
      options: {
        kind: 'key-value',
        name: result,
        values: rowSerde(node.columns, [...wanted.columns]),
        changelog: true,
        persistent: true,
      },
      processors: [name],
    });
  return {
    ...left,
    parent: name,
    sendsOld: wanted.old,
    rowOfKey: null,
    topics: [...left.topics, answerTopic],
    view: result === null ? null : storeView(result),
    stored: result === null ? null : storedRows(result),
    raw: null,
  };
}

/** The right's key that a left row names, as key values; null when it names none. */
function openForeignKey(node: JoinNode, lowering: Lowering): (row: unknown) => SqlValue[] | null {
  const { context } = lowering;
  // What cannot be computed is null, as everywhere: the row then names nobody.
  const ignore = (_item: number, _error: DataError): void => undefined;
  const evaluate = compileProjection([must(node.foreignKey)], context.functions, context.evaluation, ignore);
  return (row) => {
    const key: SqlValue[] = [null];
    evaluate(row as SqlValue[], key);
    return key[0] === null ? null : key;
  };
}

function codecOf(serde: Serde): ValueCodec {
  return {
    encode: (value, writer) => serde.serialize(value, writer),
    decode: (buffer, start, end) => serde.deserialize(buffer, start, end),
  };
}
