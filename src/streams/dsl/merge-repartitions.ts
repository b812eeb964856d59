import type { Graph, GraphNode } from './graph.ts';
import { repartitionNode } from './repartition-node.ts';

/**
 * Several repartition topics below one operation that changes the key hold the same records, if no operation in
 * between changes the values: one topic right behind the key change takes their place, under the first one's name.
 */
export function mergeRepartitions(graph: Graph): void {
  for (const [keyChange, repartitions] of repartitionsByKeyChange(graph.nodes)) {
    const first = repartitions.values().next().value?.options.repartition;
    if (first === undefined) continue;
    const all = [...repartitions].map((node) => node.options.repartition!);
    const merged = repartitionNode(graph, {
      ...first,
      prefix: topicOf(first.prefix),
      keySerde: all.find(({ keySerde }) => keySerde !== undefined)?.keySerde,
      valueSerde: all.find(({ valueSerde }) => valueSerde !== undefined)?.valueSerde,
    });
    merged.priority = keyChange.priority;
    for (const repartition of repartitions) {
      const child = ancestor(repartition, (node) => node.parents.has(keyChange));
      if (child === null) continue;
      link(merged, child);
      unlink(keyChange, child);
      for (const below of repartition.children) for (const parent of repartition.parents) link(parent, below);
      for (const parent of repartition.parents) unlink(parent, repartition);
      for (const below of repartition.children) unlink(repartition, below);
      graph.renameSource(repartition.name, merged.name);
    }
    link(keyChange, merged);
  }
}

/** In the order in which the operations were added. */
function repartitionsByKeyChange(nodes: readonly GraphNode[]): Map<GraphNode, Set<GraphNode>> {
  const found = new Map<GraphNode, Set<GraphNode>>();
  for (const node of nodes) {
    if (node.options.changesKey === true) {
      found.set(node, new Set());
    } else if (node.options.repartition !== undefined) {
      const changed = ancestor(
        node,
        ({ options }) => options.changesKey === true || options.changesValue === true,
      );
      if (changed !== null && changed === ancestor(node, ({ options }) => options.changesKey === true))
        found.get(changed)?.add(node);
    }
  }
  // When streams are merged before they are repartitioned, the topic belongs behind the merge.
  const merges = nodes.filter(({ options }) => options.merges === true);
  const moved = new Set<GraphNode>();
  const behindMerges = new Map<GraphNode, Set<GraphNode>>();
  for (const merge of merges) {
    const repartitions = new Set<GraphNode>();
    for (const [keyChange, below] of found) {
      if (![...below].every((node) => ancestor(node, ({ parents }) => parents.has(merge)) !== null)) continue;
      if (ancestor(merge, ({ parents }) => parents.has(keyChange)) === null) continue;
      for (const node of below) repartitions.add(node);
      moved.add(keyChange);
    }
    behindMerges.set(merge, repartitions);
  }
  for (const [merge, repartitions] of behindMerges) found.set(merge, repartitions);
  for (const keyChange of moved) found.delete(keyChange);
  return found;
}

/** The node itself or one above it; of several ways up, what the last leads to. */
function ancestor(node: GraphNode, matches: (node: GraphNode) => boolean): GraphNode | null {
  if (matches(node)) return node;
  let found: GraphNode | null = null;
  for (const parent of node.parents) {
    if (matches(parent)) return parent;
    found = ancestor(parent, matches);
  }
  return found;
}

function topicOf(prefix: string): string {
  return prefix.endsWith('-repartition') ? prefix : `${prefix}-repartition`;
}

function link(parent: GraphNode, child: GraphNode): void {
  parent.children.add(child);
  child.parents.add(parent);
}

function unlink(parent: GraphNode, child: GraphNode): void {
  parent.children.delete(child);
  child.parents.delete(parent);
}
