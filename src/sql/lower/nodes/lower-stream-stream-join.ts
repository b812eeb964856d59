import { must } from '../../../common/assert.ts';
import type { StateStoreOptions } from '../../../state/store.ts';
import { foldWindow, unfoldWindow } from '../../../streams/processors/fold-window.ts';
import {
  joinStreams,
  rememberForJoin,
  waitingValuesCodec,
} from '../../../streams/processors/join-streams.ts';
import { passThrough } from '../../../streams/processors/pass-through.ts';
import type { SqlValue } from '../../../types/value.ts';
import type { JoinNode } from '../../plan/node.ts';
import type { LoweredRows, Lowering, Wanted } from '../lowered-rows.ts';
import { rowSerde } from '../row-serde.ts';
import { copartition } from './copartition.ts';
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
  const { topology } = lowering;
  const within = must(node.within, 'a join of streams has WITHIN');
  const graceMs = within.graceMs ?? DEFAULT_GRACE_MS;
  const isWindowed = node.left.window !== null;
  const left = lowerSide(node.left, inputs[0]!, lowering);
  const right = lowerSide(node.right, inputs[1]!, lowering);
  const topics = copartition(left, right, lowering);
  const name = lowering.name(node.name);
  const leftOuter = isOuter(node.join, 'left');
  const rightOuter = isOuter(node.join, 'right');
  const leftRows = rowSerde(node.left.columns, [...inputs[0]!]);
  const rightRows = rowSerde(node.right.columns, [...inputs[1]!]);
  const leftStore = `${name}-left`;
  const rightStore = `${name}-right`;
  const waitingStore = (leftOuter || rightOuter) && within.graceMs !== null ? `${name}-waiting` : null;

  const remembers = `${name} left rows`;
  const otherRemembers = `${name} right rows`;
  topology.addProcessor({
    name: remembers,
    open: rememberForJoin({ store: leftStore, keep }),
    parents: [left.parent],
  });
  topology.addProcessor({
    name: otherRemembers,
    open: rememberForJoin({ store: rightStore, keep }),
    parents: [right.parent],
  });
  const joined = scratchJoiner(node, wanted.columns);
  const { beforeMs, afterMs } = within;
  const options = { waitingStore, beforeMs, afterMs, graceMs, joiner: joined, name, keep };
  const joinsLeft = `${name} left`;
  const joinsRight = `${name} right`;
  topology.addProcessor({
    name: joinsLeft,
    open: joinStreams({
      ...options,
      side: 'left',
      otherStore: rightStore,
      outer: leftOuter,
      quiet: isOuter(node.narrowedFrom, 'left'),
    }),
    parents: [remembers],
  });
  topology.addProcessor({
    name: joinsRight,
    open: joinStreams({
      ...options,
      side: 'right',
      otherStore: leftStore,
      outer: rightOuter,
      quiet: isOuter(node.narrowedFrom, 'right'),
    }),
    parents: [otherRemembers],
  });

  const retentionMs = beforeMs + afterMs + graceMs;
  const window = {
    kind: 'window',
    changelog: true,
    persistent: true,
    retentionMs,
    duplicates: true,
  } as const;
  topology.addStore({
    options: { ...window, name: leftStore, values: leftRows },
    processors: [remembers, joinsRight],
  });
  topology.addStore({
    options: { ...window, name: rightStore, values: rightRows },
    processors: [otherRemembers, joinsLeft],
  });
  if (waitingStore !== null) {
    const values = waitingValuesCodec(leftRows, rightRows);
    const waiting: StateStoreOptions = {
      kind: 'key-value',
      name: waitingStore,
      values,
      changelog: true,
      persistent: true,
    };
    topology.addStore({ options: waiting, processors: [joinsLeft, joinsRight] });
  }
  topology.addProcessor({
    name,
    open: isWindowed ? unfoldWindow(left.key.serde) : passThrough(),
    parents: [joinsLeft, joinsRight],
  });
  return { ...left, parent: name, rowOfKey: null, topics, view: null, stored: null, raw: null };
}

function lowerSide(node: JoinNode['left'], columns: ReadonlySet<number>, lowering: Lowering): LoweredRows {
  const rows = lowering.settle(lowering.lower(node, { columns, old: false, keep: 'nothing' }));
  if (node.window === null) return rows;
  const name = lowering.name('window');
  lowering.topology.addProcessor({ name, open: foldWindow(rows.key.serde), parents: [rows.parent] });
  return { ...rows, parent: name };
}

function keep(row: unknown): unknown {
  return (row as SqlValue[]).slice();
}

function isOuter(join: JoinKind | undefined, side: 'left' | 'right'): boolean {
  return join === side || join === 'outer';
}
