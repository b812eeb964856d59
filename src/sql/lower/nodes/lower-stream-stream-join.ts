import { must } from '../../../common/assert.ts';
import { addStreamJoin, type StreamJoinSide } from '../../../streams/operations/stream-join.ts';
import { foldWindow, unfoldWindow } from '../../../streams/processors/fold-window.ts';
import type { SqlValue } from '../../../types/value.ts';
import type { JoinNode } from '../../plan/node.ts';
import { type LoweredRows, type Lowering, madeOf, type Wanted } from '../lowered-rows.ts';
import { rowSerde } from '../row-serde.ts';
import { joinedSources } from './joined-sources.ts';
import { scratchJoiner } from './join-rows.ts';
import type { JoinKind } from '../../analyzer/analyzed-query.ts';

/** How long rows are remembered without a GRACE PERIOD (ksqlDB's default for WITHIN). */
const DEFAULT_GRACE_MS = 24 * 60 * 60 * 1000;

/**
 * Each side remembers its rows for the other. With a GRACE PERIOD rows of an outer side without a partner wait until
 * their window has closed; without one they go out at once, joined with null, and a partner that comes later gives a
 * second row. Windowed keys meet when key and window are equal.
 */
export function lowerStreamStreamJoin(
  node: JoinNode,
  wanted: Wanted,
  inputs: readonly ReadonlySet<number>[],
  lowering: Lowering,
): LoweredRows {
  const within = must(node.within, 'a join of streams has WITHIN');
  const graceMs = within.graceMs ?? DEFAULT_GRACE_MS;
  const left = lowerSide(node.left, inputs[0]!, lowering);
  const right = lowerSide(node.right, inputs[1]!, lowering);
  const sources = joinedSources(left, right);
  const name = lowering.name(node.name);
  const { beforeMs, afterMs } = within;
  const side = (side: 'left' | 'right', { parent }: LoweredRows): StreamJoinSide => ({
    parents: [parent],
    remembers: `${name} ${side} rows`,
    joins: `${name} ${side}`,
    store: `${name}-${side}`,
    values: rowSerde(node[side].columns, [...inputs[side === 'left' ? 0 : 1]!]),
    outer: isOuter(node.join, side),
    quiet: isOuter(node.narrowedFrom, side),
  });
  addStreamJoin(lowering.topology, {
    name,
    sources,
    left: side('left', left),
    right: side('right', right),
    waiting: node.join !== 'inner' && within.graceMs !== null ? `${name}-waiting` : null,
    beforeMs,
    afterMs,
    graceMs,
    joiner: scratchJoiner(node, wanted.columns),
    keep: (row) => (row as SqlValue[]).slice(),
    keepsEnd: true,
    changelog: true,
    persistent: true,
    ...(node.left.window !== null && { open: unfoldWindow(left.key.serde) }),
  });
  return { ...madeOf(left, name), sources };
}

function lowerSide(node: JoinNode['left'], columns: ReadonlySet<number>, lowering: Lowering): LoweredRows {
  const rows = lowering.settle(lowering.lower(node, { columns, old: false, keep: 'nothing' }));
  if (node.window === null) return rows;
  const name = lowering.name('window');
  lowering.topology.addProcessor({ name, open: foldWindow(rows.key.serde), parents: [rows.parent] });
  return { ...rows, parent: name };
}

function isOuter(join: JoinKind | undefined, side: 'left' | 'right'): boolean {
  return join === side || join === 'outer';
}
