import { joined, keyFor, type Value } from '../case-functions.ts';
import type { Op } from '../case.ts';
import { bytesOf, compareKeys, Flow, type Key, type Rec, type Row, type Table } from './flow.ts';
import { TimedRows } from './rows.ts';

interface Waiting {
  readonly isLeft: boolean;
  readonly key: string;
  readonly value: Value;
  readonly ts: number;
}

export function joinStreams(op: Op, left: Flow, right: Flow): Flow {
  const [before, after, grace] = [op.before!, op.after!, op.grace!];
  left.group.unite(right.group);
  const output = new Flow(left.group, left.partitions);
  const seen = {
    left: new TimedRows(before + after + grace, true),
    right: new TimedRows(before + after + grace, true),
  };
  let streamTime = -1;
  let waiting: Waiting[] = [];
  /** The least time that may wait, by the last look. */
  let leastTime = Infinity;

  /** Gives up those whose windows have closed; when it is looked for them is Kafka Streams' own rule. */
  const giveUp = (ahead: number, record: Rec): void => {
    if (leastTime + ahead + grace >= streamTime) return;
    waiting.sort((a, b) => a.ts - b.ts || Number(a.isLeft) - Number(b.isLeft) || compareKeys(a.key, b.key));
    leastTime = Infinity;
    const open = new Set<boolean>();
    const due: Waiting[] = [];
    for (const each of waiting) {
      leastTime = each.ts;
      if (open.size === 2) break;
      if (each.ts + (each.isLeft ? after : before) + grace < streamTime) due.push(each);
      else open.add(each.isLeft);
    }
    waiting = waiting.filter((each) => !due.includes(each));
    for (const { key, value, ts, isLeft } of due)
      output.forward({ ...record, key, value: isLeft ? joined(value, null) : joined(null, value), ts });
  };

  const side =
    (isLeft: boolean) =>
    (record: Rec): void => {
      const { value, ts } = record;
      const key = record.key as string | null;
      const keeps = isLeft ? op.op !== 'joinStreams' : op.op === 'outerJoinStreams';
      const [back, ahead] = isLeft ? [before, after] : [after, before];
      streamTime = Math.max(streamTime, ts);
      if (value === null || key === null) return;
      if (ts === streamTime) giveUp(ahead, record);
      const [own, others] = isLeft ? [seen.left, seen.right] : [seen.right, seen.left];
      const partners = others.of(key, Math.max(0, ts - back), Math.max(0, ts + ahead));
      for (const other of partners) {
        waiting = waiting.filter(
          (each) => each.isLeft === isLeft || each.key !== key || each.ts !== other.time,
        );
        const both = isLeft ? joined(value, other.value) : joined(other.value, value);
        output.forward({ ...record, value: both, ts: Math.max(ts, other.time) });
      }
      if (partners.length === 0 && keeps) {
        if (ts + ahead < streamTime)
          output.forward({ ...record, value: isLeft ? joined(value, null) : joined(null, value) });
        else {
          leastTime = Math.min(leastTime, ts);
          waiting.push({ isLeft, key, value, ts });
        }
      }
      own.put({ key, start: ts, time: ts, value, ts });
    };
  left.children.push(side(true));
  right.children.push(side(false));
  return output;
}

/** Each record with the row of its key: as it is, or, where the table has a history, as it was at the record's time. */
export function joinTable(op: Op, stream: Flow, table: Table): Flow {
  stream.group.unite(table.group);
  table.makeReadable();
  const row = (key: Key, ts: number): Row | null => (table.history ? table.getAsOf(key, ts) : table.get(key));
  const output = new Flow(stream.group, stream.partitions);
  const join = (record: Rec): void => {
    const found = record.key === null ? null : row(record.key, record.ts);
    if (found !== null || op.op === 'leftJoinTable')
      output.forward({ ...record, value: joined(record.value, found?.value ?? null) });
  };
  if (op.grace === undefined) {
    stream.children.push((record) => {
      if (record.value !== null) join(record);
    });
    return output;
  }
  const grace = op.grace;
  let waiting: { readonly record: Rec; readonly place: Buffer }[] = [];
  let streamTime = -1;
  let arrived = 0;
  stream.children.push((record) => {
    if (record.value === null || record.key === null) return;
    streamTime = Math.max(streamTime, record.ts);
    // Key and arrival in one, as Kafka Streams orders them: among keys that begin with others both decide.
    const arrival = Buffer.alloc(4);
    arrival.writeInt32BE(arrived++);
    waiting.push({ record, place: Buffer.concat([bytesOf(record.key), arrival]) });
    waiting.sort((a, b) => a.record.ts - b.record.ts || Buffer.compare(a.place, b.place));
    const due = waiting.filter((each) => each.record.ts <= streamTime - grace);
    waiting = waiting.filter((each) => !due.includes(each));
    for (const each of due) join(each.record);
  });
  return output;
}

export function joinGlobal(op: Op, stream: Flow, rows: ReadonlyMap<string, Value>): Flow {
  const output = new Flow(stream.group, stream.partitions, stream.rekeyed);
  stream.children.push((record) => {
    if (record.value === null) return;
    const found = rows.get(keyFor(record.value, op.n!)) ?? null;
    if (found !== null || op.op === 'leftJoinGlobal')
      output.forward({ ...record, value: joined(record.value, found) });
  });
  return output;
}
