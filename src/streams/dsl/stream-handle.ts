import { selectKey } from '../processors/select-key.ts';
import type { Serde } from '../topology/serde.ts';
import type { WindowedKeyFormat } from '../topology/topology.ts';
import { type Graph, type GraphNode, userKey } from './graph.ts';
import { windowedSerde } from './windowed-serde.ts';

/** Where a stream stands in the graph. */
export interface StreamHandle {
  readonly graph: Graph;
  /** Its name is what repartition topics of joins are called after. */
  readonly node: GraphNode;
  readonly keySerde: Serde | undefined;
  readonly valueSerde: Serde | undefined;
  /** Names of the sources of its sub-topology. */
  readonly sources: ReadonlySet<string>;
  /** The key was changed since the records were put where their keys belong. */
  readonly repartitionRequired: boolean;
  /** Set where keys are windowed. */
  readonly window?: WindowedKeyFormat | undefined;
}

/**
 * The stream with its windowed keys as values of their own: what aggregates and remembers by key then does so by key
 * and window.
 */
export function plainKeys(handle: StreamHandle): StreamHandle {
  const { graph, window, node: parent } = handle;
  if (window === undefined) return handle;
  const name = `${parent.name}-windowed-key`;
  const serde = windowedSerde(() => graph.keysOf(handle.keySerde, name), window);
  const made = [...parent.children].find((child) => child.name === name);
  const open = selectKey((_value, key) => userKey(key), serde);
  const node = made ?? graph.addProcessor([parent], { name, open });
  return { ...handle, node, keySerde: serde, window: undefined };
}

/** The stream behind a repartition topic. */
export function repartitioned(
  { graph, window }: StreamHandle,
  node: GraphNode,
  keySerde: Serde | undefined,
  valueSerde: Serde | undefined,
): StreamHandle {
  const sources = new Set([node.name]);
  return { graph, node, keySerde, valueSerde, sources, repartitionRequired: false, window };
}

export function union<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  return new Set([...a, ...b]);
}
