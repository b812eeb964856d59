import type { SubTopology } from './topology.ts';

/**
 * Which of a sub-topology's sources goes first when the next records of several have the same time, by source name:
 * the lower number. A source that fills a store goes before one whose records look that store up, so that a stream's
 * record meets the row that its table got at the same time; ksqlDB's documentation of stream-table joins expects it,
 * and Kafka Streams leaves it open. Sources that look each other's stores up (both sides of a join of two tables, or of
 * two streams) stay in the order in which they were added.
 */
export function sourceOrder({ nodes, stores }: SubTopology): ReadonlyMap<string, number> {
  const reached = new Map<string, Set<string>>();
  for (const { kind, name } of nodes) if (kind === 'source') reached.set(name, new Set());
  for (const [source, names] of reached)
    for (const node of nodes)
      if (node.kind !== 'source' && node.parents.some((parent) => parent === source || names.has(parent)))
        names.add(node.name);

  const sources = [...reached.keys()];
  const before = new Map(sources.map((source) => [source, new Set<string>()]));
  for (const { processors } of stores) {
    // The store was added with the processor that fills it; readers were connected later.
    const [owner, ...readers] = processors;
    if (owner === undefined) continue;
    for (const [filler, fills] of reached)
      for (const [reader, names] of reached)
        if (fills.has(owner) && !names.has(owner) && readers.some((name) => names.has(name)))
          before.get(reader)!.add(filler);
  }
  for (const via of sources)
    for (const of of before.values()) if (of.has(via)) for (const each of before.get(via)!) of.add(each);

  // The sources before one are among those before the next, so their number gives the order.
  const count = (source: string): number =>
    [...before.get(source)!].filter((other) => other !== source && !before.get(other)!.has(source)).length;
  return new Map(sources.map((source) => [source, count(source)]));
}
