import { addRepartition } from '../operations/repartition.ts';
import { filterStream } from '../processors/filter.ts';
import { type Graph, GraphNode, type RepartitionOptions } from './graph.ts';

/** A sink, a topic and a source that bring records of one key together. Its name is the source's. */
export function repartitionNode(graph: Graph, options: RepartitionOptions): GraphNode {
  const { prefix } = options;
  const topic = prefix.endsWith('-repartition') ? prefix : `${prefix}-repartition`;
  let sinkName = graph.newName('KSTREAM-SINK-');
  let filterName = graph.newName('KSTREAM-FILTER-');
  let sourceName = graph.newName('KSTREAM-SOURCE-');
  if (!/^KSTREAM.*-[0-9]{10}$/.test(prefix)) {
    sinkName = `${topic}-sink`;
    filterName = `${topic}-filter`;
    sourceName = `${topic}-source`;
  }
  const node: GraphNode = new GraphNode({
    name: sourceName,
    ...(options.mergeable === true && { repartition: options }),
    write(topology, parents) {
      const key = graph.keysOf(options.keySerde, topic);
      const value = graph.valuesOf(options.valueSerde, topic);
      const { partitioner, partitions, window } = options;
      const keep = node.keepsNullKeys;
      topology.addProcessor({
        name: filterName,
        parents,
        open: filterStream((_value, each) => keep || each.present),
      });
      addRepartition(topology, {
        topic,
        partitions,
        sink: sinkName,
        source: sourceName,
        parents: [filterName],
        key,
        value,
        window,
        partitioner,
      });
    },
  });
  return node;
}
