import { formatOf } from '../../formats/registry.ts';
import { applySteps } from '../../streams/processors/row-chain.ts';
import type { SqlValue } from '../../types/value.ts';
import type { OutputNode, PlanSink } from '../plan/node.ts';
import type { LoweredRows } from './lowered-rows.ts';
import type { RowKeySerde } from './row-key-serde.ts';
import type { Column } from '../../types/schema.ts';
import type { WindowShape } from '../analyzer/analyzed-query.ts';

/** How the rows of a table that a query makes are read back from the store it keeps (pull queries). */
export interface Materialization {
  /** The store in the query's topology; each task has the keys of its partition. */
  readonly store: string;
  readonly kind: 'key-value' | 'window' | 'session';
  readonly window: WindowShape | null;
  /** Time windows: the end of a stored window is its start and this. */
  readonly windowSizeMs: number | null;
  /** Bytes of the store's keys (and the topic's, so that partitions follow) from key values, and back. */
  readonly key: RowKeySerde;
  /** Whether the store has its keys, one STRING each, in the order of their UTF-8: a range of them lies together. */
  readonly sortsKeys: boolean;
  /** The table's columns: key columns, then value columns. */
  readonly columns: readonly Column[];
  /** The table's row of a stored value, null when HAVING or WHERE hides it. A new array each time. */
  readonly rowOf: (
    key: readonly SqlValue[],
    value: unknown,
    windowStart: number,
    windowEnd: number,
    timestamp: number,
  ) => SqlValue[] | null;
}

/** `rows`: the input of the sink or output before its steps became operators. */
export function materializationOf(node: PlanSink | OutputNode, rows: LoweredRows): Materialization | null {
  const { stored, steps } = rows;
  if (stored === null || node.input.changes !== 'table') return null;
  const { keyPositions, valuePositions } = positionsOf(node);
  const keyOrder = keyPositions.map((position) => node.input.key.indexOf(position));
  return {
    store: stored.store,
    kind: stored.kind,
    window: node.input.window,
    windowSizeMs: stored.windowSizeMs,
    key: rows.key.serde,
    sortsKeys:
      stored.kind === 'key-value' &&
      node.input.window === null &&
      node.input.key.length === 1 &&
      node.input.columns[node.input.key[0]!]!.type.kind === 'string' &&
      formatOf(rows.key.format.name).textIsBytes,
    columns: [...keyPositions, ...valuePositions].map((position) => node.input.columns[position]!),
    rowOf(key, value, windowStart, windowEnd, timestamp) {
      const stands = stored.rowOf(value, key, windowStart, windowEnd, timestamp);
      const row = applySteps(steps, stands, null) as readonly SqlValue[] | null;
      if (row === null) return null;
      return [...keyOrder.map((at) => key[at]!), ...valuePositions.map((position) => row[position]!)];
    },
  };
}

function positionsOf(node: PlanSink | OutputNode): Pick<PlanSink, 'keyPositions' | 'valuePositions'> {
  if (node.kind === 'sink') return node;
  const isKey = (position: number): boolean => node.input.key.includes(position);
  return {
    keyPositions: node.positions.filter(isKey),
    valuePositions: node.positions.filter((position) => !isKey(position)),
  };
}
