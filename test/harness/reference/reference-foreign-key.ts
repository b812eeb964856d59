import type { Op } from './oracle-case.ts';
import { type ForeignMessage, type Rec, type Sink, SourceTable, type TableFlow } from './reference-node.ts';
import { compareText } from './reference-rows.ts';
import { joined, keyOf } from './value-rules.ts';

interface Subscription extends ForeignMessage {
  readonly foreignKey: string;
}

/**
 * Table-table join by foreign key. Left rows subscribe at the partition of their foreign key; answers come back to the
 * partition of the left row, and only an answer made for the row's current value counts.
 */
export function joinForeignKey(
  op: Op,
  left: TableFlow,
  right: TableFlow,
  topics: { subscribe: Sink; answer: Sink; onSubscription(sink: Sink): void; onAnswer(sink: Sink): void },
): SourceTable {
  const isLeftJoin = op.op === 'fkLeftJoin';
  const output = new SourceTable();
  let subscriptions: Subscription[] = [];
  right.enableOld(true);
  left.enableOld(true);
  right.makeReadable();
  left.makeReadable();

  left.children.push(({ key, value, old, ts }) => {
    if (value === null && old === null) return;
    const was = old === null ? null : keyOf(old, op.n!);
    const is = value === null ? null : keyOf(value, op.n!);
    const send = (to: string | null, instruction: ForeignMessage['instruction']): void =>
      topics.subscribe({
        key: to,
        value: null,
        old: null,
        ts,
        foreign: { primaryKey: key!, leftValue: value, instruction },
      });
    if (isLeftJoin) {
      if (was !== null && was !== is) send(was, 'forget');
      send(is, 'answer-always');
    } else if (is === null) {
      if (was !== null) send(was, 'forget-and-answer');
    } else {
      if (was !== null && was !== is) send(was, 'forget');
      send(is, was === null || was === is ? 'answer-if-present' : 'answer-always');
    }
  });

  topics.onSubscription(({ key: foreignKey, ts, foreign }) => {
    const { primaryKey, instruction } = foreign!;
    if (foreignKey !== null) {
      subscriptions = subscriptions.filter(
        (each) => each.foreignKey !== foreignKey || each.primaryKey !== primaryKey,
      );
      if (instruction !== 'forget' && instruction !== 'forget-and-answer')
        subscriptions.push({ ...foreign!, foreignKey });
    }
    const row = foreignKey === null ? undefined : right.get(foreignKey);
    if (instruction === 'forget' || (instruction === 'answer-if-present' && row === undefined)) return;
    const value = instruction === 'forget-and-answer' ? null : (row?.value ?? null);
    topics.answer({ key: primaryKey, value, old: null, ts: Math.max(ts, row?.ts ?? ts), foreign: foreign! });
  });

  right.children.push(({ key, value, ts }: Rec) => {
    const subscribed = subscriptions.filter((each) => each.foreignKey === key);
    for (const each of subscribed.sort((a, b) => compareText(a.primaryKey, b.primaryKey)))
      topics.answer({ key: each.primaryKey, value, old: null, ts, foreign: each });
  });

  topics.onAnswer(({ key, value, ts, foreign }) => {
    const current = left.get(key!)?.value ?? null;
    if (current !== foreign!.leftValue) return;
    const gone = value === null && (!isLeftJoin || current === null);
    output.receive({ key, value: gone ? null : joined(current, value), old: null, ts });
  });
  return output;
}
