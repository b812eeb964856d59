import { keyedStore } from '../../../streams/topology/topology.ts';
import { must } from '../../../common/assert.ts';
import type { DataError } from '../../../common/error.ts';
import { addForeignKeyJoin, type ForeignKeyJoinSide } from '../../../streams/operations/foreign-key-join.ts';
import type { ForeignKeyOf } from '../../../streams/processors/foreign-key-join.ts';
import { storeView, type TableView } from '../../../streams/processors/table-view.ts';
import type { ProcessorContext } from '../../../streams/topology/processor.ts';
import type { Serde } from '../../../streams/topology/serde.ts';
import type { SqlValue } from '../../../types/value.ts';
import { compileProjection } from '../../expressions/compile.ts';
import type { JoinNode } from '../../plan/node.ts';
import { storedRows } from '../stored-rows.ts';
import { type LoweredRows, type Lowering, madeOf, type Wanted } from '../lowered-rows.ts';
import { rowSerde } from '../row-serde.ts';
import { newRowJoiner } from './join-rows.ts';

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
  const left = lowering.settle(lowering.lower(node.left, { columns: inputs[0]!, old: true, keep: 'view' }));
  const right = lowering.settle(
    lowering.lower(node.right, { columns: inputs[1]!, old: false, keep: 'view' }),
  );
  const leftView = must(left.view, 'the tables of a join can be looked up');
  const rightView = must(right.view, 'the tables of a join can be looked up');
  const name = lowering.name(node.name);
  const source = `${name} answer source`;
  const kept = wanted.old || wanted.keep !== 'nothing';
  const store = kept ? `${name}-table` : null;
  addForeignKeyJoin(lowering.topology, {
    names: {
      subscribe: `${name} subscribe`,
      subscriptionTopic: `${name}-subscription-registration-topic`,
      subscriptionSink: `${name} subscription sink`,
      subscriptionSource: `${name} subscription source`,
      receive: `${name} receive`,
      store: `${name}-subscription-store`,
      answer: `${name} answer`,
      tell: `${name} tell`,
      answerTopic: `${name}-subscription-response-topic`,
      answerSink: `${name} answer sink`,
      answerSource: source,
      resolve: `${name} resolve`,
      result: name,
    },
    left: sideOf(left, leftView, rowSerde(node.left.columns, [...inputs[0]!])),
    right: sideOf(right, rightView, rowSerde(node.right.columns, [...inputs[1]!])),
    join: node.join === 'inner' ? 'inner' : 'left',
    foreignKeyOf: openForeignKey(node, lowering),
    joiner: newRowJoiner(node, wanted.columns),
    quiet: node.narrowedFrom !== undefined,
    asksAgain: true,
    sendOldValues: wanted.old,
    store: store === null ? null : keyedStore(store, rowSerde(node.columns, [...wanted.columns])),
  });
  return {
    ...madeOf(left, name),
    sendsOld: wanted.old,
    sources: [...left.sources, source],
    view: store === null ? null : storeView(store),
    stored: store === null ? null : storedRows(store),
  };
}

/** The right's key that a left row names, as key values; null when it names none. */
function openForeignKey(node: JoinNode, lowering: Lowering): ForeignKeyOf {
  const { context } = lowering;
  // A foreign key that cannot be computed is null, as everywhere: the row then has no partner.
  const onError = (_item: number, error: DataError, teller: ProcessorContext | null): void =>
    teller?.skip('evaluation', `ON: ${error.message}`);
  const evaluate = compileProjection([must(node.foreignKey)], context.functions, context.evaluation, onError);
  return (row, _key, _timestamp, teller) => {
    const key: SqlValue[] = [null];
    evaluate(row as SqlValue[], key, teller);
    return key[0] === null ? null : key;
  };
}

function sideOf(
  { parent, sources, key }: LoweredRows,
  view: TableView,
  values: Serde<SqlValue[]>,
): ForeignKeyJoinSide {
  return { parent, view, sources, keys: key.serde, values: values };
}
