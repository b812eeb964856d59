import type {
  CommittedOffset,
  LogAdmin,
  NewTopic,
  PartitionOffsets,
  TopicDescription,
  TopicPartition,
} from '../log.ts';
import { GroupOffsets } from './group-offsets.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import {
  INVALID_TOPIC_EXCEPTION,
  isRetriable,
  NONE,
  TOPIC_ALREADY_EXISTS,
  UNKNOWN_TOPIC_OR_PARTITION,
} from './protocol-error.ts';
import {
  createTopicRequest,
  deleteRecordsRequest,
  deleteTopicRequest,
  describeTopicConfigsRequest,
  EARLIEST_TIMESTAMP,
  LATEST_TIMESTAMP,
  listOffsetsRequest,
} from './requests.ts';
import { failureOf, RetriableError, unknownTopic } from './retry.ts';

const TIMEOUT_MS = 60_000;

/** Topics, offsets and groups of a Kafka cluster. Every call asks the brokers; nothing is cached but leaders. */
export class KafkaAdmin implements LogAdmin {
  readonly #cluster: KafkaCluster;

  constructor(cluster: KafkaCluster) {
    this.#cluster = cluster;
  }

  async createTopic(topic: NewTopic): Promise<boolean> {
    const { name } = topic;
    const doing = `creating topic ${name}`;
    const request = createTopicRequest(name, topic.partitions, topic.replicas ?? -1, topic.configs ?? {});
    const created = await this.#cluster.retry(doing, TIMEOUT_MS, async () => {
      const { code, message } = await this.#cluster.sendToController(request);
      if (code === TOPIC_ALREADY_EXISTS) return false;
      if (code !== NONE) throw failureOf(code, doing, undefined, message);
      return true;
    });
    // The controller answers before the brokers know: the next write could meet an unknown topic.
    if (created) await this.#partitionsOf(name, 10_000);
    return created;
  }

  async deleteTopic(name: string): Promise<boolean> {
    const doing = `deleting topic ${name}`;
    const deleted = await this.#cluster.retry(doing, TIMEOUT_MS, async () => {
      const { code } = await this.#cluster.sendToController(deleteTopicRequest(name));
      if (code === UNKNOWN_TOPIC_OR_PARTITION) return false;
      if (code !== NONE) throw failureOf(code, doing);
      return true;
    });
    if (deleted)
      await this.#cluster.retry(doing, TIMEOUT_MS, async () => {
        if ((await this.describeTopic(name)) !== undefined)
          throw new RetriableError(`topic ${name} is still there`);
      });
    return deleted;
  }

  async listTopics(): Promise<readonly string[]> {
    const { topics } = await this.#cluster.retry('listing topics', TIMEOUT_MS, () =>
      this.#cluster.refresh(null),
    );
    return topics
      .filter(({ code }) => code !== UNKNOWN_TOPIC_OR_PARTITION)
      .map(({ name }) => name)
      .sort();
  }

  describeTopic(name: string): Promise<TopicDescription | undefined> {
    const doing = `describing topic ${name}`;
    return this.#cluster.retry(doing, TIMEOUT_MS, async () => {
      const { topics } = await this.#cluster.refresh([name]);
      const topic = topics.find((other) => other.name === name);
      if (topic === undefined || topic.code === UNKNOWN_TOPIC_OR_PARTITION) return undefined;
      // A topic whose leaders are being elected is described all the same; a name that cannot be is not there.
      if (topic.code === INVALID_TOPIC_EXCEPTION) return undefined;
      if (topic.code !== NONE && !isRetriable(topic.code)) throw failureOf(topic.code, doing);
      if (topic.partitions.length === 0) throw new RetriableError(`topic ${name} has no partitions yet`);
      const { id, partitions } = topic;
      return { name, id, partitions: partitions.length, replicas: partitions[0]!.replicas };
    });
  }

  topicConfigs(name: string): Promise<Readonly<Record<string, string>>> {
    const doing = `reading the settings of topic ${name}`;
    return this.#cluster.retry(doing, TIMEOUT_MS, async () => {
      const { code, message, configs } = await this.#cluster.sendToAny(describeTopicConfigsRequest(name));
      if (code === UNKNOWN_TOPIC_OR_PARTITION) throw unknownTopic(name);
      if (code !== NONE) throw failureOf(code, doing, undefined, message);
      return configs;
    });
  }

  async offsets(topic: string): Promise<readonly PartitionOffsets[]> {
    const [starts, ends] = await Promise.all([
      this.#listOffsets(topic, EARLIEST_TIMESTAMP),
      this.#listOffsets(topic, LATEST_TIMESTAMP),
    ]);
    return starts.map((start, partition) => ({ start, end: ends[partition]! }));
  }

  async offsetsForTime(topic: string, timestampMs: number): Promise<readonly number[]> {
    // Times before the epoch would read as the special values of the request.
    const found = await this.#listOffsets(topic, Math.max(0, timestampMs));
    if (!found.includes(-1)) return found;
    const ends = await this.#listOffsets(topic, LATEST_TIMESTAMP);
    return found.map((offset, partition) => (offset < 0 ? ends[partition]! : offset));
  }

  async deleteRecords(position: TopicPartition & { readonly offset: number }): Promise<void> {
    const { topic, partition, offset } = position;
    const doing = `deleting records of ${topic}-${partition} below offset ${offset}`;
    await this.#cluster.retry(doing, TIMEOUT_MS, async () => {
      const { partitions } = await this.#cluster.loadTopic(topic);
      const found = partitions.find((other) => other.partition === partition);
      if (found === undefined) throw unknownTopic(topic, partition);
      const code = await this.#cluster.send(found.leader, deleteRecordsRequest(topic, partition, offset));
      if (code !== NONE) throw failureOf(code, doing, position);
    });
  }

  committed(group: string, partitions?: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    return new GroupOffsets(this.#cluster, group).fetch(partitions);
  }

  async alterCommitted(
    group: string,
    offsets: readonly (TopicPartition & { readonly offset: number | null })[],
  ): Promise<void> {
    const groupOffsets = new GroupOffsets(this.#cluster, group);
    const set: CommittedOffset[] = [];
    for (const { topic, partition, offset } of offsets)
      if (offset !== null) set.push({ topic, partition, offset, metadata: '' });
    await groupOffsets.commit(set);
    await groupOffsets.delete(offsets.filter(({ offset }) => offset === null));
  }

  async #partitionsOf(topic: string, patienceMs: number): Promise<void> {
    await this.#cluster.retry(`waiting for topic ${topic}`, patienceMs, async () => {
      try {
        await this.#cluster.loadTopic(topic);
      } catch (error) {
        // It was created: that a broker does not know it yet is no reason to give up early.
        throw error instanceof RetriableError ? new RetriableError(error.message) : error;
      }
    });
  }

  /** By partition number; -1 where no record has such a timestamp. Ends are last stable offsets. */
  #listOffsets(topic: string, timestampMs: number): Promise<readonly number[]> {
    const doing = `looking up offsets of topic ${topic}`;
    return this.#cluster.retry(doing, TIMEOUT_MS, async () => {
      const { partitions } = await this.#cluster.loadTopic(topic);
      const byLeader = new Map<number, number[]>();
      for (const { partition, leader } of partitions)
        byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition]);
      const offsets: number[] = partitions.map(() => -1);
      await Promise.all(
        [...byLeader].map(async ([leader, numbers]) => {
          const request = listOffsetsRequest(topic, numbers, timestampMs, true);
          for (const { partition, code, offset } of await this.#cluster.send(leader, request)) {
            if (code !== NONE) throw failureOf(code, doing, { topic, partition });
            offsets[partition] = offset;
          }
        }),
      );
      return offsets;
    });
  }
}
