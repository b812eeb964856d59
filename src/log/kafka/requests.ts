import type { GroupMemberId } from '../membership.ts';
import type { TopicPartition } from '../log.ts';
import type { ProtocolRequest } from './kafkajs-parts.ts';
import { protocolRequest, readByTopic, readPartitionCodes, writeByTopic } from './protocol-request.ts';
import type { PartitionCode } from './protocol-request.ts';

/**
 * The requests of Kafka's protocol that the log makes (https://kafka.apache.org/protocol#protocol_messages), each in the
 * newest version before the compact encodings, which brokers from 2.3 to 4.1 accept. They encode and decode and know
 * nothing of retries; error codes are handed on as numbers.
 */

export interface PartitionMetadata {
  readonly code: number;
  readonly partition: number;
  /** -1 while there is none. */
  readonly leader: number;
  readonly replicas: number;
}

export interface TopicMetadata {
  readonly code: number;
  readonly name: string;
  /** Undefined where the broker does not tell. */
  readonly id?: string | undefined;
  readonly partitions: readonly PartitionMetadata[];
}

export interface Metadata {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly controllerId: number;
  readonly topics: readonly TopicMetadata[];
}

/** `topics` null asks for all of them. Never creates a topic. */
export function metadataRequest(topics: readonly string[] | null): ProtocolRequest<Metadata> {
  return protocolRequest(
    { key: 3, version: 5, name: 'Metadata' },
    (w) => {
      if (topics === null) w.int32(-1);
      else w.array(topics, (topic) => w.string(topic));
      w.boolean(false);
    },
    (r) => {
      const brokers = r.array(() => {
        const broker = { nodeId: r.int32(), host: r.string(), port: r.int32() };
        r.nullableString(); // rack
        return broker;
      });
      r.nullableString(); // cluster id
      const controllerId = r.int32();
      const topicsRead = r.array(() => {
        const code = r.int16();
        const name = r.string();
        r.boolean(); // internal
        const partitions = r.array(() => {
          const partition = { code: r.int16(), partition: r.int32(), leader: r.int32() };
          const replicas = r.array(() => r.int32()).length;
          r.array(() => r.int32()); // in sync
          r.array(() => r.int32()); // offline
          return { ...partition, replicas };
        });
        partitions.sort((a, b) => a.partition - b.partition);
        return { code, name, partitions };
      });
      return { brokers, controllerId, topics: topicsRead };
    },
  );
}

const NO_ID = '0'.repeat(32);

/** The same with ids of topics (KIP-516), from Kafka 2.8 on. */
export function metadataWithIdsRequest(topics: readonly string[] | null): ProtocolRequest<Metadata> {
  return protocolRequest(
    { key: 3, version: 10, name: 'Metadata' },
    (w) => {
      w.compactArray(topics, (topic) => {
        w.writeBytes(Buffer.alloc(16));
        w.compactString(topic).tags();
      });
      w.boolean(false).boolean(false).boolean(false).tags();
    },
    (r) => {
      const skip = (): number => r.compactArray(() => r.int32()).length;
      const brokers = r.compactArray(() => {
        const broker = { nodeId: r.int32(), host: r.compactString(), port: r.int32() };
        r.compactNullableString(); // rack
        r.tags();
        return broker;
      });
      r.compactNullableString(); // cluster id
      const controllerId = r.int32();
      const topicsRead = r.compactArray(() => {
        const code = r.int16();
        const name = r.compactString();
        const id = r.buffer.toString('hex', r.at, (r.at += 16));
        r.boolean(); // internal
        const partitions = r.compactArray(() => {
          const partition = { code: r.int16(), partition: r.int32(), leader: r.int32() };
          r.int32(); // leader epoch
          const replicas = skip();
          skip(); // in sync
          skip(); // offline
          r.tags();
          return { ...partition, replicas };
        });
        r.int32(); // what may be done with it
        r.tags();
        partitions.sort((a, b) => a.partition - b.partition);
        return { code, name, id: id === NO_ID ? undefined : id, partitions };
      });
      return { brokers, controllerId, topics: topicsRead };
    },
    { flexible: true },
  );
}

export interface FetchPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly code: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly aborted: readonly { readonly producerId: number; readonly firstOffset: number }[];
  /** The record batches, the last of which may be cut short, are `buffer[start, end)`. */
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

export interface Fetched {
  readonly code: number;
  readonly partitions: readonly FetchedPartition[];
}

export function fetchRequest(
  positions: readonly FetchPosition[],
  options: {
    readonly maxWaitMs: number;
    /** Of all partitions together: it is answered when there are so many, or after `maxWaitMs` with what there is. */
    readonly bytesMin: number;
    readonly bytesMax: number;
    readonly partitionBytesMax: number;
    readonly readCommitted: boolean;
  },
): ProtocolRequest<Fetched> {
  return protocolRequest(
    { key: 1, version: 11, name: 'Fetch' },
    (w) => {
      w.int32(-1)
        .int32(options.maxWaitMs)
        .int32(options.bytesMin)
        .int32(options.bytesMax)
        .int8(options.readCommitted ? 1 : 0);
      w.int32(0).int32(-1); // no fetch session
      writeByTopic(w, positions, (item) => {
        w.int32(item.partition).int32(-1).int64(item.offset).int64(-1).int32(options.partitionBytesMax);
      });
      w.int32(0).string(''); // nothing forgotten, no rack
    },
    (r) => {
      const code = r.int16();
      r.int32(); // session
      const partitions = readByTopic(r, (topic): FetchedPartition => {
        const partition = { topic, partition: r.int32(), code: r.int16() };
        const highWatermark = r.int64();
        const lastStableOffset = r.int64();
        r.int64(); // log start
        const aborted = r.array(() => ({ producerId: r.int64(), firstOffset: r.int64() }));
        r.int32(); // preferred replica
        const size = Math.max(0, r.int32());
        const start = r.at;
        r.at += size;
        return { ...partition, highWatermark, lastStableOffset, aborted, buffer: r.buffer, start, end: r.at };
      });
      return { code, partitions };
    },
    { timeoutMs: options.maxWaitMs + 30_000 },
  );
}

export interface ProducePartition {
  readonly topic: string;
  readonly partition: number;
  /** Exactly one record batch: brokers refuse more in one request for a partition. */
  readonly bytes: Buffer;
}

export interface ProducedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly code: number;
  /** -1 when the broker does not know (duplicates, errors). */
  readonly baseOffset: number;
}

/** To the partitions' leader. `transactionalId`: of a transaction in version 1, which the partitions have joined. */
export function produceRequest(
  batches: readonly ProducePartition[],
  timeoutMs: number,
  transactionalId: string | null = null,
): ProtocolRequest<readonly ProducedPartition[]> {
  let sizeHint = 256;
  for (const { topic, bytes } of batches) sizeHint += bytes.length + topic.length * 3 + 32;
  return protocolRequest(
    { key: 0, version: 7, name: 'Produce' },
    (w) => {
      w.string(transactionalId).int16(-1).int32(timeoutMs); // all in-sync replicas
      writeByTopic(w, batches, ({ partition, bytes }) => {
        w.int32(partition).int32(bytes.length);
        w.writeBytes(bytes);
      });
    },
    (r) =>
      readByTopic(r, (topic): ProducedPartition => {
        const produced = { topic, partition: r.int32(), code: r.int16(), baseOffset: r.int64() };
        r.int64(); // append time
        r.int64(); // log start
        return produced;
      }),
    { throttled: 'last', timeoutMs: timeoutMs + 10_000, sizeHint },
  );
}

export const EARLIEST_TIMESTAMP = -2;
export const LATEST_TIMESTAMP = -1;

export interface ListedOffset {
  readonly topic: string;
  readonly partition: number;
  readonly code: number;
  /** -1 when no record has such a timestamp. */
  readonly offset: number;
}

/** To the partitions' leader. With `readCommitted` the latest offset is the last stable one. */
export function listOffsetsRequest(
  topic: string,
  partitions: readonly number[],
  timestampMs: number,
  readCommitted: boolean,
): ProtocolRequest<readonly ListedOffset[]> {
  return protocolRequest(
    { key: 2, version: 3, name: 'ListOffsets' },
    (w) => {
      w.int32(-1)
        .int8(readCommitted ? 1 : 0)
        .int32(1)
        .string(topic);
      w.array(partitions, (partition) => void w.int32(partition).int64(timestampMs));
    },
    (r) =>
      readByTopic(r, (name) => {
        const partition = { topic: name, partition: r.int32(), code: r.int16() };
        r.int64(); // timestamp
        return { ...partition, offset: r.int64() };
      }),
  );
}

/** To the partition's leader. Resolves to its error code. */
export function deleteRecordsRequest(
  topic: string,
  partition: number,
  offset: number,
): ProtocolRequest<number> {
  return protocolRequest(
    { key: 21, version: 1, name: 'DeleteRecords' },
    (w) => void w.int32(1).string(topic).int32(1).int32(partition).int64(offset).int32(30_000),
    (r) =>
      readByTopic(r, () => {
        r.int32(); // partition
        r.int64(); // low watermark
        return r.int16();
      })[0] ?? 0,
    { timeoutMs: 40_000 },
  );
}

export interface TopicResult {
  readonly code: number;
  readonly message: string | null;
}

/** To the controller. */
export function createTopicRequest(
  name: string,
  partitions: number,
  replicas: number,
  configs: Readonly<Record<string, string>>,
): ProtocolRequest<TopicResult> {
  return protocolRequest(
    { key: 19, version: 4, name: 'CreateTopics' },
    (w) => {
      w.int32(1).string(name).int32(partitions).int16(replicas).int32(0);
      w.array(Object.entries(configs), ([key, value]) => void w.string(key).string(value));
      w.int32(30_000).boolean(false);
    },
    (r) =>
      r.array(() => {
        r.string();
        return { code: r.int16(), message: r.nullableString() };
      })[0] ?? { code: -1, message: null },
    { timeoutMs: 40_000 },
  );
}

/** To the controller. */
export function deleteTopicRequest(name: string): ProtocolRequest<TopicResult> {
  return protocolRequest(
    { key: 20, version: 3, name: 'DeleteTopics' },
    (w) => void w.int32(1).string(name).int32(30_000),
    (r) =>
      r.array(() => {
        r.string();
        return { code: r.int16(), message: null };
      })[0] ?? { code: -1, message: null },
    { timeoutMs: 40_000 },
  );
}

export interface DescribedConfigs extends TopicResult {
  readonly configs: Readonly<Record<string, string>>;
}

export function describeTopicConfigsRequest(name: string): ProtocolRequest<DescribedConfigs> {
  return protocolRequest(
    { key: 32, version: 2, name: 'DescribeConfigs' },
    (w) => void w.int32(1).int8(2).string(name).int32(-1).boolean(false),
    (r) =>
      r.array(() => {
        const code = r.int16();
        const message = r.nullableString();
        r.int8(); // kind of resource
        r.string();
        const configs: Record<string, string> = {};
        r.array(() => {
          const key = r.string();
          const value = r.nullableString();
          r.boolean(); // read only
          r.int8(); // where it was set
          r.boolean(); // sensitive
          r.array(() => {
            r.string();
            r.nullableString();
            r.int8();
          });
          if (value !== null) configs[key] = value;
        });
        return { code, message, configs };
      })[0] ?? { code: -1, message: null, configs: {} },
  );
}

export interface Coordinator {
  readonly code: number;
  readonly message: string | null;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

/** What has a coordinator: a consumer group by its name, a transactional id. */
export type CoordinatorKind = 'group' | 'transaction';

/** Any broker answers. */
export function findCoordinatorRequest(kind: CoordinatorKind, key: string): ProtocolRequest<Coordinator> {
  return protocolRequest(
    { key: 10, version: 1, name: 'FindCoordinator' },
    (w) => void w.string(key).int8(kind === 'group' ? 0 : 1),
    (r) => ({
      code: r.int16(),
      message: r.nullableString(),
      nodeId: r.int32(),
      host: r.string(),
      port: r.int32(),
    }),
  );
}

/** As a member, or as a simple consumer, which has no generation and no id: then the group must have no members. */
export function offsetCommitRequest(
  group: string,
  { id, generation }: GroupMemberId,
  offsets: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
    readonly metadata: string;
  }[],
): ProtocolRequest<readonly PartitionCode[]> {
  return protocolRequest(
    { key: 8, version: 5, name: 'OffsetCommit' },
    (w) => {
      w.string(group).int32(generation).string(id);
      writeByTopic(w, offsets, (item) => {
        w.int32(item.partition).int64(item.offset).string(item.metadata);
      });
    },
    readPartitionCodes,
  );
}

export interface FetchedOffsets {
  readonly code: number;
  readonly offsets: readonly (PartitionCode & { readonly offset: number; readonly metadata: string })[];
}

/** What a group has committed, of all partitions with null. To its coordinator. */
export function offsetFetchRequest(
  group: string,
  partitions: readonly TopicPartition[] | null,
): ProtocolRequest<FetchedOffsets> {
  return protocolRequest(
    { key: 9, version: 4, name: 'OffsetFetch' },
    (w) => {
      w.string(group);
      if (partitions === null) w.int32(-1);
      else writeByTopic(w, partitions, ({ partition }) => void w.int32(partition));
    },
    (r) => {
      const offsets = readByTopic(r, (topic) => ({
        topic,
        partition: r.int32(),
        offset: r.int64(),
        metadata: r.string(),
        code: r.int16(),
      }));
      return { code: r.int16(), offsets };
    },
  );
}

/** The same, with code 88 for partitions of which a transaction has not ended yet (KIP-447). */
export function stableOffsetFetchRequest(
  group: string,
  partitions: readonly TopicPartition[] | null,
): ProtocolRequest<FetchedOffsets> {
  return protocolRequest(
    { key: 9, version: 7, name: 'OffsetFetch' },
    (w) => {
      const topics = new Map<string, number[]>();
      for (const { topic, partition } of partitions ?? [])
        topics.set(topic, [...(topics.get(topic) ?? []), partition]);
      w.compactString(group);
      w.compactArray(partitions === null ? null : [...topics], ([topic, numbers]) => {
        w.compactString(topic);
        w.compactArray(numbers, (partition) => w.int32(partition)).tags();
      });
      w.boolean(true).tags();
    },
    (r) => {
      const read = (topic: string): FetchedOffsets['offsets'][number] => {
        const partition = r.int32();
        const offset = r.int64();
        r.int32(); // leader epoch
        return { topic, partition, offset, metadata: r.compactString(), code: r.int16() };
      };
      const offsets = readByTopic(r, read, true);
      return { code: r.int16(), offsets };
    },
    { flexible: true },
  );
}

/** Forgets committed offsets. To the group's coordinator. */
export function offsetDeleteRequest(
  group: string,
  partitions: readonly { readonly topic: string; readonly partition: number }[],
): ProtocolRequest<{ readonly code: number; readonly partitions: readonly PartitionCode[] }> {
  return protocolRequest(
    { key: 47, version: 0, name: 'OffsetDelete' },
    (w) => {
      w.string(group);
      writeByTopic(w, partitions, (item) => void w.int32(item.partition));
    },
    (r) => {
      const code = r.int16();
      r.int32(); // throttle time, which comes second here
      return { code, partitions: readPartitionCodes(r) };
    },
    { throttled: 'unread' },
  );
}
