import { selectKey } from '../processors/select-key.ts';
import type { Serde } from '../topology/serde.ts';
import type { WindowedKeyFormat } from '../topology/topology.ts';
import { type Graph, GraphNode, need, userKey } from './graph.ts';
import { windowedSerde } from './windowed-serde.ts';

/** Where a stream stands in the graph. */
export interface StreamHandle {
  readonly graph: Graph;
  readonly node: GraphNode;
  /** The name that repartition topics of joins are made from. */
  readonly name: string;
  readonly keySerde: Serde | undefined;
  readonly valueSerde: Serde | undefined;
  /** Names of the sources of its sub-topology. */
  readonly sources: ReadonlySet<string>;
  /** The key was changed since the records were put where their keys belong. */
  readonly repartitionRequired: boolean;
  /** Set where keys are windowed. */
  readonly window: WindowedKeyFormat | undefined;
}

/**
 * The stream with its windowed keys as values of their own: what aggregates and remembers by key then does so by key
 * and window.
 */
export function plainKeys(handle: StreamHandle): StreamHandle {
  const { graph, window, node: parent } = handle;
  if (window === undefined) return handle;
  const name = `${parent.name}-windowed-key`;
  const serde = windowedSerde(
    () => need(handle.keySerde ?? graph.defaultKeySerde, 'key', name),
    window,
  ) as Serde;
  const made = [...parent.children].find((child) => child.name === name);
  const open = selectKey((_value, key) => userKey(key), serde);
  const node =
    made ??
    new GraphNode({ name, write: (topology, parents) => topology.addProcessor({ name, parents, open }) });
  if (made === undefined) graph.add([parent], node);
  return { ...handle, node, name, keySerde: serde, window: undefined };
}

export function union<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  return new Set([...a, ...b]);
}
