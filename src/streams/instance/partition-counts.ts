import { type CommittedOffset, LogError } from '../../log/log.ts';
import type { StoreNode, Topology } from '../topology/topology.ts';
import { decodePartitions } from './offset-metadata.ts';

/** By the topology's name of a topic that it reads: its partitions. */
export type PartitionCounts = ReadonlyMap<string, number>;

/** What is to be done where topics have other partitions than the state was begun with; no restart mends that. */
const MENDED_BY =
  'copy it into a new topic, where every key has one partition again, and begin anew from there under another id';

/**
 * Throws `LogError` `partition-count` when topics have other partition counts than `before`, and what was begun with
 * those cannot be gone on with: a topic that has grown moves keys to other partitions than their state is in, and one
 * that has shrunk was deleted and made anew, so that its offsets are another topic's. Where there is no state, the
 * partitions that were added are simply read.
 */
export function checkPartitionCounts(
  topology: Topology,
  before: PartitionCounts,
  now: PartitionCounts,
): void {
  const check = (topic: string, stores: readonly StoreNode[]): void => {
    const was = before.get(topic);
    const is = now.get(topic);
    if (was === undefined || is === undefined || is === was) return;
    if (is < was)
      throw new LogError(
        'partition-count',
        `topic ${topic} has ${is} partitions and had ${was}: it was deleted and made anew, and the committed offsets ` +
          'are those of the old one; begin anew under another id, or reset the application',
      );
    const names = stores.map(({ options }) => options.name).join(', ');
    if (names !== '') throw new LogError('partition-count', grown(topic, was, is, `the state of ${names}`));
  };
  for (const sub of topology.subTopologies())
    for (const node of sub.nodes)
      if (node.kind === 'source') for (const topic of node.topics) check(topic, sub.stores);
  for (const { source } of topology.globalStores) for (const topic of source.topics) check(topic, []);
}

function grown(topic: string, was: number, is: number, state: string): string {
  return (
    `topic ${topic} has ${is} partitions now and had ${was} when ${state} was begun: ` +
    `records of a key come in another partition than its state is in; ${MENDED_BY}`
  );
}

/** The error where an internal topic has another number of partitions than the tasks, whose number `cause` has decided. */
export function internalCountError(
  name: string,
  was: number,
  is: number,
  cause: string | undefined,
): LogError {
  const text =
    cause !== undefined && is > was
      ? grown(cause, was, is, name)
      : `internal topic ${name} has ${was} partitions where ${is} are needed; reset the application or give it another id`;
  return new LogError('partition-count', text);
}

/**
 * How many partitions each topic had when offsets of it were last committed; topics of which nothing is committed are
 * left out, and so are those whose offsets do not say (older releases).
 */
export function committedCounts(committed: Iterable<CommittedOffset>): PartitionCounts {
  const counts = new Map<string, number>();
  for (const { topic, metadata } of committed) {
    const count = decodePartitions(metadata);
    // Where they differ, the topic has grown since an idle partition was committed, and the others were read on.
    if (count !== undefined) counts.set(topic, Math.max(counts.get(topic) ?? 0, count));
  }
  return counts;
}
