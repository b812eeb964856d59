import { assert, must } from '../../../common/assert.ts';
import { SqlError } from '../../../common/error.ts';
import type { DataError } from '../../../common/error.ts';
import { openRowCodec } from '../../../formats/row-codec.ts';
import type { Aggregator } from '../../../functions/function.ts';
import { aggregateSessions } from '../../../streams/processors/aggregate-sessions.ts';
import { aggregateStream } from '../../../streams/processors/aggregate-stream.ts';
import { aggregateTable } from '../../../streams/processors/aggregate-table.ts';
import { aggregateTimeWindows } from '../../../streams/processors/aggregate-time-windows.ts';
import { storeView, transformedView } from '../../../streams/processors/table-view.ts';
import { mapTable } from '../../../streams/processors/map-values.ts';
import type { RecordKey } from '../../../streams/processors/record-key.ts';
import type { StateStoreOptions, ValueCodec } from '../../../state/store.ts';
import type { SqlValue } from '../../../types/value.ts';
import { compileProjection } from '../../expressions/compile.ts';
import type { AggregateNode } from '../../plan/node.ts';
import type { LowerContext } from '../lower-context.ts';
import type { LoweredRows, Lowering, StoredRows, Wanted } from '../lowered-rows.ts';

/**
 * The state of a group is the row of its aggregators' states; the group-by columns are in the key. What leaves is
 * the flat row made of both.
 */
export function lowerAggregate(
  node: AggregateNode,
  wanted: Wanted,
  input: LoweredRows,
  lowering: Lowering,
): LoweredRows {
  const { topology, context } = lowering;
  const rows = lowering.settle(input);
  const aggregation = openAggregation(node, context);
  const name = lowering.name(node.store);
  const options = operatorOptions(node, wanted, aggregation, context, name);
  assert(rows.grouped === (node.input.changes === 'table'), 'a table is regrouped before it is aggregated');
  topology.addProcessor({
    name,
    open: rows.grouped ? openTable(node, aggregation, options) : openStream(node, aggregation, options),
    parents: [rows.parent],
  });
  topology.addStore({ options: storeOptions(node, name, aggregation.states), processors: [name] });
  const rowOf = rowBuilder(node, wanted.columns, aggregation.aggregators);
  // Decoding the key is only worth it when a group-by column is read from the row.
  const readsKey = node.groupBy.some((_, slot) => wanted.columns.has(slot));
  const keyOf = (key: RecordKey): readonly SqlValue[] =>
    readsKey ? (key.value as readonly SqlValue[]) : NO_KEY;
  const result = `${name} rows`;
  topology.addProcessor({
    name: result,
    open: mapTable(
      (state, key, timestamp) => rowOf(state, keyOf(key), key.windowStart, key.windowEnd, timestamp),
      { sendOldValues: wanted.old },
    ),
    parents: [name],
  });
  const complete = rowBuilder(node, new Set(node.columns.map((_, i) => i)), aggregation.aggregators);
  return {
    parent: result,
    steps: [],
    changes: 'table',
    grouped: false,
    sendsOld: wanted.old,
    key: rows.key,
    rowOfKey: null,
    topics: rows.topics,
    view:
      wanted.keep === 'nothing'
        ? null
        : transformedView(storeView(name), (state, key, timestamp) =>
            rowOf(state, keyOf(key), key.windowStart, key.windowEnd, timestamp),
          ),
    stored: {
      store: name,
      kind: node.windowing === null ? 'key-value' : node.windowing.kind === 'session' ? 'session' : 'window',
      windowSizeMs:
        node.windowing === null || node.windowing.kind === 'session' ? null : node.windowing.sizeMs,
      rowOf: complete,
    },
    raw: null,
  };
}

const NO_KEY: readonly SqlValue[] = [];

interface OpenAggregation {
  readonly aggregators: readonly Aggregator[];
  readonly states: ValueCodec;
  readonly initial: () => unknown;
  readonly add: (state: unknown, row: unknown) => unknown;
  readonly undo: (state: unknown, row: unknown) => unknown;
  readonly merge: (key: unknown, left: unknown, right: unknown) => unknown;
}

/** Exported for its tests. */
export function openAggregation(node: AggregateNode, context: LowerContext): OpenAggregation {
  const aggregators = node.calls.map((call) => {
    const callee = must(context.functions.get(call.name), `no function ${call.name}`);
    assert(callee.kind === 'aggregate', `${call.name} is an aggregate function`);
    return must(callee.signatures[call.signature]).open(
      call.args.map((arg) => arg.type),
      call.literals,
      context.evaluation,
    );
  });
  for (const [i, aggregator] of aggregators.entries()) {
    if (node.input.changes === 'table' && aggregator.undo === undefined)
      throw unsupported(node, i, 'over a table', 'it cannot take a row back; aggregate a stream instead');
    if (node.windowing?.kind === 'session' && aggregator.merge === undefined)
      throw unsupported(node, i, 'in a session window', 'it cannot join two sessions; use a time window');
  }
  const args = node.calls.flatMap((call) => call.args);
  // An argument that fails is null, as everywhere in a SELECT list.
  const ignore = (_item: number, _error: DataError): void => undefined;
  const evaluate = compileProjection(args, context.functions, context.evaluation, ignore);
  const values: SqlValue[] = args.map(() => null);
  const counts = node.calls.map((call) => call.args.length);
  const none = node.calls.map((call) => (call.args.length === 0 ? 1 : 0));
  const size = aggregators.length;

  const each = (
    state: unknown,
    row: unknown,
    change: (aggregator: Aggregator, state: SqlValue, first: SqlValue, at: number, count: number) => SqlValue,
  ): SqlValue[] => {
    evaluate(row as SqlValue[], values);
    const old = state as readonly SqlValue[];
    // As long as the old one and no longer: an array that grows by `push` has room for 17 values, and it is kept.
    const next = old.slice();
    let at = 0;
    for (let i = 0; i < size; i++) {
      const count = counts[i]!;
      // COUNT(*) has no argument: every row counts.
      next[i] = change(aggregators[i]!, old[i]!, none[i] === 1 ? 1 : values[at]!, at, count);
      at += count;
    }
    return next;
  };
  const add = (
    aggregator: Aggregator,
    state: SqlValue,
    first: SqlValue,
    at: number,
    count: number,
  ): SqlValue =>
    count <= 1 ? aggregator.add(state, first) : aggregator.add(state, ...values.slice(at, at + count));
  const undo = (
    aggregator: Aggregator,
    state: SqlValue,
    first: SqlValue,
    at: number,
    count: number,
  ): SqlValue =>
    count <= 1 ? aggregator.undo!(state, first) : aggregator.undo!(state, ...values.slice(at, at + count));
  return {
    aggregators,
    states: openRowCodec(aggregators.map((aggregator) => aggregator.stateType)) as ValueCodec,
    initial: () => aggregators.map((aggregator) => aggregator.initial()),
    add: (state, row) => each(state, row, add),
    undo: (state, row) => each(state, row, undo),
    merge: (_key, left, right) =>
      aggregators.map((aggregator, i) =>
        aggregator.merge!((left as SqlValue[])[i]!, (right as SqlValue[])[i]!),
      ),
  };
}

function unsupported(node: AggregateNode, call: number, where: string, hint: string): SqlError {
  return new SqlError('ML_UNSUPPORTED', `${node.calls[call]!.name} does not work ${where}`, { hint });
}

/** Every kind of aggregate takes its own of these. */
interface OperatorOptions extends Pick<OpenAggregation, 'initial' | 'add'> {
  readonly store: string;
  readonly sendOldValues: boolean;
  readonly coalesce: boolean;
}

function operatorOptions(
  node: AggregateNode,
  wanted: Wanted,
  aggregation: OpenAggregation,
  context: LowerContext,
  store: string,
): OperatorOptions {
  const { initial, add } = aggregation;
  return {
    store,
    initial,
    add,
    sendOldValues: wanted.old,
    coalesce: context.coalesce && node.emit === 'changes',
  };
}

function openStream(
  node: AggregateNode,
  aggregation: OpenAggregation,
  options: OperatorOptions,
): ReturnType<typeof aggregateStream> {
  const { windowing } = node;
  if (windowing === null) return aggregateStream(options);
  const emit = node.emit === 'final' ? ('close' as const) : ('update' as const);
  const windowed = { ...options, graceMs: windowing.graceMs, emit, skipNullValues: true };
  if (windowing.kind === 'session')
    return aggregateSessions({ ...windowed, gapMs: windowing.sizeMs, merge: aggregation.merge });
  return aggregateTimeWindows({ ...windowed, sizeMs: windowing.sizeMs, advanceMs: windowing.advanceMs });
}

function openTable(
  node: AggregateNode,
  aggregation: OpenAggregation,
  options: OperatorOptions,
): ReturnType<typeof aggregateTable> {
  assert(node.windowing === null, 'tables are not windowed');
  return aggregateTable({ ...options, undo: aggregation.undo });
}

function storeOptions(node: AggregateNode, name: string, values: ValueCodec): StateStoreOptions {
  const { windowing } = node;
  const common = { name, values, changelog: true, persistent: true };
  if (windowing === null) return { kind: 'key-value', ...common };
  const retentionMs = Math.max(windowing.retentionMs, windowing.sizeMs + windowing.graceMs);
  return windowing.kind === 'session'
    ? { kind: 'session', ...common, retentionMs }
    : { kind: 'window', ...common, retentionMs, duplicates: false };
}

/** Group-by columns, results, window bounds, ROWTIME: only those wanted are filled, in a new array. */
function rowBuilder(
  node: AggregateNode,
  wanted: ReadonlySet<number>,
  aggregators: readonly Aggregator[],
): StoredRows['rowOf'] {
  const groups = node.groupBy.flatMap((position, slot) => {
    if (!wanted.has(slot)) return [];
    const i = node.input.key.indexOf(position);
    assert(i >= 0, 'groups are made of the record key');
    return [{ slot, i }];
  });
  const first = node.groupBy.length;
  const results = aggregators.flatMap((aggregator, i) => (wanted.has(first + i) ? [{ aggregator, i }] : []));
  const rowtime = node.columns.length - 1;
  const { window } = node;
  const wantsStart = window !== null && wanted.has(window.startColumn);
  const wantsEnd = window !== null && wanted.has(window.endColumn);
  const wantsTime = wanted.has(rowtime);
  const blank: SqlValue[] = node.columns.map(() => null);
  return (state, key, windowStart, windowEnd, timestamp) => {
    const row = blank.slice();
    for (let g = 0; g < groups.length; g++) row[groups[g]!.slot] = key[groups[g]!.i]!;
    for (let r = 0; r < results.length; r++) {
      const { aggregator, i } = results[r]!;
      row[first + i] = aggregator.result((state as readonly SqlValue[])[i]!);
    }
    // Times do not fit the small integers of V8: each that is filled is an object.
    if (window !== null) {
      if (wantsStart) row[window.startColumn] = windowStart;
      if (wantsEnd) row[window.endColumn] = windowEnd;
    }
    if (wantsTime) row[rowtime] = timestamp;
    return row;
  };
}
