import { must } from '../../common/assert.ts';
import type { ValueCodec } from '../../state/store.ts';
import { addStreamJoin } from '../operations/stream-join.ts';
import { addStreamTableJoin, type StreamTableWait } from '../operations/stream-table-join.ts';
import { joinGlobalTable } from '../processors/join-global-table.ts';
import type { ValueJoiner } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';
import { codecOf, type Serde } from '../topology/serde.ts';
import type { GlobalKTable } from './global-ktable.ts';
import { GraphNode, nameGiven, userKey } from './graph.ts';
import type { Named, StreamJoined, StreamTableJoined } from './options.ts';
import { type StreamHandle, union } from './stream-handle.ts';
import type { TableHandle } from './table-handle.ts';
import { TopologyError } from '../topology/topology-error.ts';
import { wholeNumber } from './check-number.ts';
import { given, keyGiven, plain } from './user-function.ts';
import type { JoinWindows } from './windows.ts';

/** What the joins of a stream add to the graph; each gives the joined stream. */

export type JoinKind = 'inner' | 'left' | 'outer';
export type Joiner = (left: unknown, right: unknown, key: unknown) => unknown;

/** A user's joiner as operators call it. `name` is the operation's. */
export function joinerOf(joiner: Joiner, name: string): ValueJoiner {
  plain(joiner, name);
  return (left, right, key) => given(joiner(left, right, userKey(key)), 'joiner');
}

/** Joins a stream, where its keys belong, with a table's rows of the same keys. */
export function joinWithTable(
  kind: JoinKind,
  left: StreamHandle,
  table: TableHandle,
  joiner: Joiner,
  joined: StreamTableJoined<unknown, unknown, unknown>,
): StreamHandle {
  const { graph } = left;
  const sources = union(left.sources, table.sources);
  const copartitioned = graph.track(sources);
  const join = kind === 'inner' ? 'inner' : 'left';
  const name = graph.nameFor(joined.name, join === 'left' ? 'KSTREAM-LEFTJOIN-' : 'KSTREAM-JOIN-');
  const view = table.supplier.view();
  const byKey = joinerOf(joiner, name);
  const { graceMs } = joined;
  if (graceMs !== undefined) checkGrace(name, graceMs, table.historyMs);
  const waitOf = (): StreamTableWait | null => {
    if (graceMs === undefined) return null;
    const { window, valueSerde } = left;
    const serde = graph.valuesOf(joined.valueSerde ?? valueSerde, `${name}-Buffer`);
    return { graceMs, window, values: codecOf(serde) };
  };
  const node = new GraphNode({
    name,
    wantsNullKeys: join === 'left',
    write: (topology, parents) =>
      addStreamTableJoin(topology, {
        name,
        parents,
        sources: copartitioned,
        table: view,
        join,
        joiner: byKey,
        wait: waitOf(),
      }),
  });
  graph.add([left.node], node);
  return {
    ...left,
    node,
    keySerde: joined.keySerde ?? left.keySerde,
    valueSerde: undefined,
    sources,
  };
}

/** Records may wait for changes of a table only as long as the table remembers what it was. */
function checkGrace(name: string, graceMs: number, historyMs: number | undefined): void {
  wholeNumber(graceMs, `the grace period of ${name} in milliseconds`, 0);
  if (historyMs === undefined)
    throw new TopologyError(
      `${name} has a grace period, but its table keeps no history`,
      'give the table a store with versioned: { historyRetentionMs }, or leave the grace period out',
    );
  if (graceMs > historyMs)
    throw new TopologyError(
      `records of ${name} wait ${graceMs} ms, but the table's history is ${historyMs} ms long`,
      'give historyRetentionMs at least the grace period',
    );
}

/** Joins a stream with a global table's rows of keys that are made of each record. */
export function joinWithGlobalTable(
  kind: JoinKind,
  left: StreamHandle,
  table: GlobalKTable<unknown, unknown>,
  keyOf: (key: unknown, value: unknown) => unknown,
  joiner: Joiner,
  named: Named,
): StreamHandle {
  const { graph } = left;
  const join = kind === 'inner' ? 'inner' : 'left';
  const name = graph.nameFor(named.name, 'KSTREAM-LEFTJOIN-');
  plain(keyOf, name);
  const byKey = joinerOf(joiner, name);
  const node = new GraphNode({
    name,
    wantsNullKeys: join === 'left',
    changesValue: true,
    write(topology, parents) {
      const keySerde = graph.keysOf(table.keySerde, name);
      const options = {
        table: table.view,
        keySerde,
        join,
        keyOf: (value: unknown, key: RecordKey) => keyGiven(keyOf(userKey(key), value), 'key mapper'),
        joiner: byKey,
      } as const;
      topology.addProcessor({ name, parents, open: joinGlobalTable(options), uses: table.view.stores });
    },
  });
  graph.add([left.node], node);
  return { ...left, node, valueSerde: undefined };
}

/** Joins two streams, each where its keys belong, within a window. */
export function joinWithStream(
  kind: JoinKind,
  left: StreamHandle,
  right: StreamHandle,
  joiner: Joiner,
  windows: JoinWindows,
  joined: StreamJoined<unknown, unknown, unknown>,
): StreamHandle {
  const { name: given } = joined;
  const { graph } = left;
  const sources = union(left.sources, right.sources);
  const copartitioned = graph.track(sources);
  const leftOuter = kind !== 'inner';
  const rightOuter = kind === 'outer';
  const thisSuffix = rightOuter ? '-outer-this-join' : '-this-join';
  const otherSuffix = leftOuter ? '-outer-other-join' : '-other-join';
  const thisWindowed = graph.nameFor(given, 'KSTREAM-WINDOWED-', '-this-windowed');
  const otherWindowed = graph.nameFor(given, 'KSTREAM-WINDOWED-', '-other-windowed');
  const thisGenerated = graph.newName(rightOuter ? 'KSTREAM-OUTERTHIS-' : 'KSTREAM-JOINTHIS-');
  const otherGenerated = graph.newName(leftOuter ? 'KSTREAM-OUTEROTHER-' : 'KSTREAM-JOINOTHER-');
  const thisName = given === undefined ? thisGenerated : given + thisSuffix;
  const otherName = given === undefined ? otherGenerated : given + otherSuffix;
  const mergeName = graph.nameFor(given, 'KSTREAM-MERGE-', '-merge');
  const { storeName } = joined;
  if (storeName !== undefined) nameGiven(storeName);
  const thisStoreName = `${storeName === undefined ? thisGenerated : storeName + thisSuffix}-store`;
  const otherStoreName = `${storeName === undefined ? otherGenerated : storeName + otherSuffix}-store`;
  const waitingName = `${storeName ?? thisGenerated.replace(/-(OUTERTHIS|JOINTHIS)-/, '-OUTERSHARED-')}${storeName === undefined ? '' : rightOuter ? '-outer-shared-join' : '-left-shared-join'}-store`;

  const leftSerde = joined.valueSerde ?? left.valueSerde;
  const rightSerde = joined.otherValueSerde ?? right.valueSerde;
  const { logging: changelog = true, persistent = true, logConfig } = joined;
  const { beforeMs, afterMs, graceMs } = windows;
  const sideBelow = (parent: GraphNode, name: string): GraphNode => {
    const side = new GraphNode({ name, write: () => undefined });
    graph.add([parent], side);
    return side;
  };
  const thisWindow = sideBelow(left.node, thisWindowed);
  const otherWindow = sideBelow(right.node, otherWindowed);
  const values = (serde: Serde | undefined, store: string): ValueCodec =>
    codecOf(graph.valuesOf(serde, store));
  const byKey = joinerOf(joiner, mergeName);
  const node = new GraphNode({
    name: mergeName,
    wantsNullKeys: leftOuter || rightOuter,
    selfJoin: otherWindow,
    write: (topology) =>
      addStreamJoin(topology, {
        name: mergeName,
        sources: copartitioned,
        left: {
          parents: must(thisWindow.above),
          remembers: thisWindowed,
          joins: thisName,
          store: thisStoreName,
          values: values(leftSerde, thisStoreName),
          outer: leftOuter,
        },
        right: otherWindow.above && {
          parents: otherWindow.above,
          remembers: otherWindowed,
          joins: otherName,
          store: otherStoreName,
          values: values(rightSerde, otherStoreName),
          outer: rightOuter,
        },
        waiting: leftOuter ? waitingName : null,
        beforeMs,
        afterMs,
        graceMs,
        joiner: byKey,
        keepsEnd: false,
        changelog,
        persistent,
        remembered: { keys: graph.defaultKeySerde, ...(logConfig && { changelogConfigs: logConfig }) },
      }),
  });
  graph.add([left.node, right.node], node);
  return {
    graph,
    node,
    keySerde: joined.keySerde ?? left.keySerde,
    valueSerde: undefined,
    sources,
    repartitionRequired: false,
    window: left.window,
  };
}
