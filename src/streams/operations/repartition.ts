import type { Serde } from '../topology/serde.ts';
import type { SinkNode, Topology } from '../topology/topology.ts';

export interface RepartitionOptions extends Pick<SinkNode, 'parents' | 'window' | 'partitioner' | 'value'> {
  /** Without the application id. */
  readonly topic: string;
  /** Absent: the greatest partition count of the sources that feed it. */
  readonly partitions?: number | undefined;
  /** The node that writes the topic, and the one that reads it, whose rows are where their keys belong. */
  readonly sink: string;
  readonly source: string;
  readonly key: Serde;
  /** Whether the key was made with that serde right above, so that its bytes go as they are. */
  readonly keyIsWritten?: boolean;
}

/** Brings records of one key together, in a topic of the topology's own. */
export function addRepartition(topology: Topology, options: RepartitionOptions): void {
  const { topic, partitions = null, sink, source, parents, key, value, window, partitioner } = options;
  const sinkKey = options.keyIsWritten === true ? null : key;
  topology.addRepartitionTopic({ name: topic, partitions });
  topology.addSink({ name: sink, topic, parents, key: sinkKey, value, window, partitioner, headers: true });
  topology.addSource({ name: source, topics: [topic], key, value, window });
}
