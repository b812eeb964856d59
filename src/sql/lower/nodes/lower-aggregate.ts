import { assert, must } from '../../../common/assert.ts';
import type { DataError } from '../../../common/error.ts';
import { openRowCodec } from '../../../formats/row-codec.ts';
import type { Aggregator } from '../../../functions/function.ts';
import {
  addAggregate,
  type AggregateWindows,
  traitsOf,
  type WindowedAggregation,
  windowedStore,
} from '../../../streams/operations/aggregate.ts';
import { type OpenTransform, openedView, storeView } from '../../../streams/processors/table-view.ts';
import { transformTable } from '../../../streams/processors/transform-table.ts';
import type { Aggregation } from '../../../streams/processors/aggregate.ts';
import type { ProcessorContext } from '../../../streams/topology/processor.ts';
import type { RecordKey } from '../../../streams/topology/record-key.ts';
import type { ValueCodec } from '../../../state/store.ts';
import type { SqlValue } from '../../../types/value.ts';
import { compileProjection } from '../../expressions/compile.ts';
import type { WindowDefinition } from '../../analyzer/analyzed-query.ts';
import type { AggregateNode } from '../../plan/node.ts';
import type { LowerContext } from '../lower-context.ts';
import { type LoweredRows, type Lowering, madeOf, type StoredRows, type Wanted } from '../lowered-rows.ts';

/**
 * The state of a group is made of its aggregators' states; the group-by columns are in the key. What leaves is the
 * flat row made of both.
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
  assert(rows.grouped === (node.input.changes === 'table'), 'a table is regrouped before it is aggregated');
  assert(!rows.grouped || node.windowing === null, 'tables are not windowed');
  const windowed = node.windowing === null ? null : openWindowed(node, node.windowing, aggregation, context);
  const { initial, add, undo, states } = aggregation;
  const common = { name, values: states, changelog: true, persistent: true };
  const stored =
    windowed === null || node.windowing === null
      ? ({ kind: 'key-value', ...common } as const)
      : windowedStore(traitsOf(windowed.windows).store, common, node.windowing.retentionMs, windowed.emit);
  addAggregate(topology, {
    name,
    parents: [rows.parent],
    initial,
    add,
    ...(rows.grouped && { undo }),
    windowed,
    sendOldValues: wanted.old,
    coalesce: context.coalesce && node.emit === 'changes',
    store: { options: stored },
  });
  const rowOf = rowBuilder(node, wanted.columns, aggregation);
  // Decoding the key is only worth it when a group-by column is read from the row.
  const readsKey = node.groupBy.some((_, slot) => wanted.columns.has(slot));
  const keyOf = (key: RecordKey): readonly SqlValue[] =>
    readsKey ? (key.value as readonly SqlValue[]) : NO_KEY;
  const open: OpenTransform = () => ({
    transform: (state, key, timestamp) => rowOf(state, keyOf(key), key.windowStart, key.windowEnd, timestamp),
  });
  const result = `${name} rows`;
  topology.addProcessor({
    name: result,
    open: transformTable({ open, store: null, sendOldValues: wanted.old, dropAbsent: false }),
    parents: [name],
  });
  const complete = rowBuilder(node, new Set(node.columns.map((_, i) => i)), aggregation);
  return {
    ...madeOf(rows, result),
    changes: 'table',
    grouped: false,
    sendsOld: wanted.old,
    view: wanted.keep === 'nothing' ? null : openedView(storeView(name), open, []),
    stored: {
      store: name,
      kind: stored.kind,
      windowSizeMs: stored.kind === 'window' ? node.windowing!.sizeMs : null,
      rowOf: complete,
    },
  };
}

const NO_KEY: readonly SqlValue[] = [];

interface OpenAggregation {
  readonly aggregators: readonly Aggregator[];
  readonly states: ValueCodec;
  readonly initial: () => unknown;
  readonly add: Aggregation['add'];
  readonly undo: Aggregation['add'];
  readonly merge: (key: unknown, left: unknown, right: unknown) => unknown;
  /** The state of one aggregator in the state of a group. */
  readonly stateAt: (state: unknown, aggregator: number) => SqlValue;
}

function openAggregation(node: AggregateNode, context: LowerContext): OpenAggregation {
  const aggregators = node.calls.map((call) => {
    const callee = must(context.functions.get(call.name), `no function ${call.name}`);
    assert(callee.kind === 'aggregate', `${call.name} is an aggregate function`);
    return must(callee.signatures[call.signature]).open(
      call.args.map((arg) => arg.type),
      call.literals,
      context.evaluation,
    );
  });
  for (const aggregator of aggregators) {
    assert(
      node.input.changes !== 'table' || aggregator.undo !== undefined,
      'over a table every aggregate takes rows back',
    );
    assert(
      node.windowing?.kind !== 'session' || aggregator.merge !== undefined,
      'in sessions every aggregate joins states',
    );
  }
  const args = node.calls.flatMap((call) => call.args);
  const callOf = node.calls.flatMap((call) => call.args.map(() => call.name));
  // An argument that fails is null, as everywhere in a SELECT list, and the processing log says so.
  const onError = (item: number, error: DataError, teller: ProcessorContext | null): void =>
    teller?.skip('evaluation', `an argument of ${callOf[item]!}: ${error.message}`);
  const evaluate = compileProjection(args, context.functions, context.evaluation, onError);
  const values: SqlValue[] = args.map(() => null);
  let at = 0;
  const steps = aggregators.map((aggregator, i) => {
    const first = at;
    at += node.calls[i]!.args.length;
    return openStep(aggregator, values, first, at);
  });
  const only = steps.length === 1 ? steps[0]! : null;
  return only === null
    ? manyStates(aggregators, steps, (row, teller) => evaluate(row, values, teller))
    : oneState(
        must(aggregators[0]),
        only,
        args.length === 0 ? null : (row, teller) => evaluate(row, values, teller),
      );
}

type Change = (state: SqlValue) => SqlValue;
/** Evaluates the arguments of all aggregators over a row. */
type Evaluate = (row: SqlValue[], teller: ProcessorContext | null) => void;

/** An aggregator's changes of its state, with the arguments that were evaluated last. */
function openStep(
  aggregator: Aggregator,
  values: readonly SqlValue[],
  first: number,
  end: number,
): { readonly add: Change; readonly undo: Change } {
  switch (end - first) {
    case 0:
      // COUNT(*) has no argument: every row counts.
      return { add: (state) => aggregator.add(state, 1), undo: (state) => aggregator.undo!(state, 1) };
    case 1:
      return {
        add: (state) => aggregator.add(state, values[first]!),
        undo: (state) => aggregator.undo!(state, values[first]!),
      };
    default:
      return {
        add: (state) => aggregator.add(state, ...values.slice(first, end)),
        undo: (state) => aggregator.undo!(state, ...values.slice(first, end)),
      };
  }
}

type Step = ReturnType<typeof openStep>;

/** The state of a group is the row of its aggregators' states. */
function manyStates(
  aggregators: readonly Aggregator[],
  steps: readonly Step[],
  evaluate: Evaluate,
): OpenAggregation {
  const size = steps.length;
  return {
    aggregators,
    states: openRowCodec(aggregators.map((aggregator) => aggregator.stateType)) as ValueCodec,
    initial: () => aggregators.map((aggregator) => aggregator.initial()),
    add(state, row, _key, _timestamp, teller) {
      evaluate(row as SqlValue[], teller);
      // As long as the old one and no longer: an array that grows by `push` has room for 17 values, and it is kept.
      const next = (state as readonly SqlValue[]).slice();
      for (let i = 0; i < size; i++) next[i] = steps[i]!.add(next[i]!);
      return next;
    },
    undo(state, row, _key, _timestamp, teller) {
      evaluate(row as SqlValue[], teller);
      const next = (state as readonly SqlValue[]).slice();
      for (let i = 0; i < size; i++) next[i] = steps[i]!.undo(next[i]!);
      return next;
    },
    merge: (_key, left, right) =>
      aggregators.map((aggregator, i) =>
        aggregator.merge!((left as SqlValue[])[i]!, (right as SqlValue[])[i]!),
      ),
    stateAt: (state, aggregator) => (state as readonly SqlValue[])[aggregator]!,
  };
}

/** Stands for a null state: null itself means that there is no such group. */
const NULL_STATE: readonly SqlValue[] = [null];

/** The state of a group is the state of its only aggregator: a count is then a number, and no object for each change. */
function oneState(aggregator: Aggregator, step: Step, evaluate: Evaluate | null): OpenAggregation {
  const open = (state: unknown): SqlValue => (state === NULL_STATE ? null : (state as SqlValue));
  const close = (value: SqlValue): unknown => value ?? NULL_STATE;
  const codec = openRowCodec([aggregator.stateType]);
  const row: SqlValue[] = [null];
  return {
    aggregators: [aggregator],
    states: {
      encode(state, writer) {
        row[0] = open(state);
        codec.encode(row, writer);
      },
      decode: (buffer, start, end) => close(codec.decode(buffer, start, end)[0]!),
    },
    initial: () => close(aggregator.initial()),
    add(state, input, _key, _timestamp, teller) {
      evaluate?.(input as SqlValue[], teller);
      return close(step.add(open(state)));
    },
    undo(state, input, _key, _timestamp, teller) {
      evaluate?.(input as SqlValue[], teller);
      return close(step.undo(open(state)));
    },
    merge: (_key, left, right) => close(aggregator.merge!(open(left), open(right))),
    stateAt: open,
  };
}

/**
 * A query that sets this property of Kafka Streams gets its order of emission: the record that closes a window is put first,
 * and a window that leaves the store with that is never emitted (ksqlDB's cases expect it). Otherwise every window is.
 */
const STREAMS_EMISSION = '__emit.interval.ms.kstreams.windowed.aggregation__';

function openWindowed(
  { emit }: AggregateNode,
  windowing: WindowDefinition,
  { merge }: OpenAggregation,
  { evaluation }: LowerContext,
): WindowedAggregation {
  return {
    windows: windowsOf(windowing),
    emit: emit === 'final' ? 'close' : 'update',
    merge,
    skipNullValues: true,
    emitFirst: evaluation.setting?.(STREAMS_EMISSION) === undefined,
  };
}

function windowsOf({ kind, sizeMs, advanceMs, graceMs }: WindowDefinition): AggregateWindows {
  return kind === 'session' ? { kind, gapMs: sizeMs, graceMs } : { kind: 'time', sizeMs, advanceMs, graceMs };
}

/** Group-by columns, results, window bounds, ROWTIME: only those wanted are filled, in a new array. */
function rowBuilder(
  node: AggregateNode,
  wanted: ReadonlySet<number>,
  { aggregators, stateAt }: OpenAggregation,
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
      row[first + i] = aggregator.result(stateAt(state, i));
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
