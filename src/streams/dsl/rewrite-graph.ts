import { isDeepStrictEqual } from 'node:util';
import { type Graph, type GraphNode, type Optimizations } from './graph.ts';
import { mergeRepartitions } from './merge-repartitions.ts';
import { TopologyError } from '../topology/topology-error.ts';

/** Rewrites that need to see all operations: before the graph is written. */
export function rewriteGraph(graph: Graph, optimizations: Optimizations): void {
  mergeSources(graph);
  if (optimizations.mergeRepartitions === true) mergeRepartitions(graph);
  if (optimizations.selfJoins === true) joinSelves(graph);
  findNullKeys(graph);
}

/** Streams of the same topics share one source; topics that are shared only in part cannot be read. */
function mergeSources(graph: Graph): void {
  const byTopic = new Map<string, GraphNode>();
  for (const node of [...graph.root.children].sort((a, b) => a.priority - b.priority)) {
    const topics = node.options.sourceTopics;
    if (topics === undefined) continue;
    for (const topic of topics) {
      const first = byTopic.get(topic);
      if (first === undefined) {
        byTopic.set(topic, node);
        continue;
      }
      if (first === node || !graph.root.children.has(node)) continue;
      if (first.options.sourceTopics!.join() !== topics.join())
        throw new TopologyError(
          `topic ${topic} is read together with other topics by another stream`,
          'read the same topics in both, or each topic once',
        );
      checkReads(topic, first, node);
      for (const child of node.children) {
        child.parents.delete(node);
        child.parents.add(first);
        first.children.add(child);
      }
      graph.root.children.delete(node);
      graph.renameSource(node.name, first.name);
    }
  }
}

/** One source reads for both, so what the second asks for must be what the first does. */
function checkReads(topic: string, first: GraphNode, second: GraphNode): void {
  for (const [what, value] of Object.entries(second.options.reads ?? {})) {
    const other = first.options.reads?.[what];
    if (isDeepStrictEqual(value, other)) continue;
    throw new TopologyError(
      `topic ${topic} is read by ${first.name} and by ${second.name} with another ${what}`,
      'read the topic once and use the stream twice, or give both the same',
    );
  }
}

function joinSelves(graph: Graph): void {
  const seen = new Set<GraphNode>();
  const visit = (node: GraphNode): void => {
    if (seen.has(node)) return;
    seen.add(node);
    const { selfJoin } = node.options;
    if (selfJoin !== undefined && node.parents.size === 1)
      for (const parent of selfJoin.parents) parent.children.delete(selfJoin);
    for (const child of node.children) visit(child);
  };
  visit(graph.root);
}

/** Records without a key go through a repartition only where a left or outer join below wants them. */
function findNullKeys(graph: Graph): void {
  const seen = new Set<GraphNode>();
  const visit = (node: GraphNode): void => {
    if (seen.has(node)) return;
    for (const child of node.children) {
      visit(child);
      if (child.options.wantsNullKeys === true || child.keepsNullKeys) node.keepsNullKeys = true;
    }
    seen.add(node);
  };
  visit(graph.root);
}
