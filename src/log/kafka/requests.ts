import type { ProtocolRequest } from './kafkajs-connections.ts';
import { ProtocolReader } from './protocol-reader.ts';
import { ProtocolWriter } from './protocol-writer.ts';

/**
 * The requests of Kafka's protocol that the log makes (https://kafka.apache.org/protocol#protocol_messages), each in the
 * newest version before the compact encodings, which brokers from 2.3 to 4.1 accept. They encode and decode and know
 * nothing of retries; error codes are handed on as numbers.
 */

/** `encode` is called for every attempt; a response always begins with, or lacks, the throttle time as told. */
export function protocolRequest<T>(
  api: { readonly key: number; readonly version: number; readonly name: string },
  write: (body: ProtocolWriter) => void,
  read: (body: ProtocolReader) => T,
  options: {
    readonly throttled?: 'first' | 'unread';
    readonly timeoutMs?: number;
    readonly sizeHint?: number;
  } = {},
): ProtocolRequest<T> {
  return {
    request: {
      apiKey: api.key,
      apiVersion: api.version,
      apiName: api.name,
      encode() {
        const writer = new ProtocolWriter(options.sizeHint ?? 512);
        write(writer);
        const body = writer.buffer.subarray(0, writer.length);
        return { buf: body, buffer: body };
      },
    },
    response: {
      decode(payload) {
        const reader = new ProtocolReader(payload);
        const clientSideThrottleTime = options.throttled === 'unread' ? 0 : reader.int32();
        return { clientSideThrottleTime, body: read(reader) };
      },
      parse: (decoded) => decoded.body,
    },
    ...(options.timeoutMs === undefined ? {} : { requestTimeout: options.timeoutMs }),
    logResponseError: false,
  };
}

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

/** Items under the names of their topics, as most requests want them; order is kept within a topic. */
function writeByTopic<T extends { readonly topic: string }>(
  w: ProtocolWriter,
  items: readonly T[],
  write: (item: T) => void,
): void {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(item.topic);
    if (group === undefined) groups.set(item.topic, [item]);
    else group.push(item);
  }
  w.array([...groups], ([topic, group]) => w.string(topic).array(group, write));
}

/** What most responses are: something of each partition, under the names of the topics. */
function readByTopic<T>(r: ProtocolReader, read: (topic: string) => T): T[] {
  return r
    .array(() => {
      const topic = r.string();
      return r.array(() => read(topic));
    })
    .flat();
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
        .int32(1)
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

export function produceRequest(
  batches: readonly ProducePartition[],
  timeoutMs: number,
): ProtocolRequest<readonly ProducedPartition[]> {
  let sizeHint = 256;
  for (const { topic, bytes } of batches) sizeHint += bytes.length + topic.length * 3 + 32;
  return protocolRequest(
    { key: 0, version: 7, name: 'Produce' },
    (w) => {
      w.string(null).int16(-1).int32(timeoutMs); // no transaction, all in-sync replicas
      writeByTopic(w, batches, ({ partition, bytes }) => {
        w.int32(partition).int32(bytes.length);
        w.writeBytes(bytes);
      });
    },
    // The throttle time comes last in this response; a producer with one request a partition gains little by it.
    (r) =>
      readByTopic(r, (topic): ProducedPartition => {
        const produced = { topic, partition: r.int32(), code: r.int16(), baseOffset: r.int64() };
        r.int64(); // append time
        r.int64(); // log start
        return produced;
      }),
    { throttled: 'unread', timeoutMs: timeoutMs + 10_000, sizeHint },
  );
}

export interface ProducerIdentity {
  readonly producerId: number;
  readonly epoch: number;
}

/** For an idempotent producer without transactions. Any broker answers. */
export function initProducerIdRequest(): ProtocolRequest<ProducerIdentity & { readonly code: number }> {
  return protocolRequest(
    { key: 22, version: 1, name: 'InitProducerId' },
    (w) => void w.string(null).int32(60_000),
    (r) => ({ code: r.int16(), producerId: r.int64(), epoch: r.int16() }),
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

/** The coordinator of a consumer group. Any broker answers. */
export function findCoordinatorRequest(group: string): ProtocolRequest<Coordinator> {
  return protocolRequest(
    { key: 10, version: 1, name: 'FindCoordinator' },
    (w) => void w.string(group).int8(0),
    (r) => ({
      code: r.int16(),
      message: r.nullableString(),
      nodeId: r.int32(),
      host: r.string(),
      port: r.int32(),
    }),
  );
}

export interface PartitionCode {
  readonly topic: string;
  readonly partition: number;
  readonly code: number;
}

function readPartitionCodes(r: ProtocolReader): PartitionCode[] {
  return readByTopic(r, (topic) => ({ topic, partition: r.int32(), code: r.int16() }));
}

/** A simple consumer's commit: no generation and no member, so the group must have no members. */
export function offsetCommitRequest(
  group: string,
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
      w.string(group).int32(-1).string('');
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

/** All that a group has committed. To its coordinator. */
export function offsetFetchRequest(group: string): ProtocolRequest<FetchedOffsets> {
  return protocolRequest(
    { key: 9, version: 4, name: 'OffsetFetch' },
    (w) => void w.string(group).int32(-1),
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
