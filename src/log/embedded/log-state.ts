import { must } from '../../common/assert.ts';
import { LogError } from '../log.ts';
import type { CommittedOffset, TopicPartition } from '../log.ts';
import { PartitionLog } from './partition-log.ts';
import type { Retention } from './partition-log.ts';
import type { Segment } from './segment.ts';
import { loadBatch } from './stored-batch.ts';
import type { StoredBatch } from './stored-batch.ts';
import type { Change, CommittedRow, Configs, Operation, StateSnapshot } from './change.ts';

export interface Topic {
  readonly id: number;
  readonly name: string;
  readonly configs: Configs;
  readonly retention: Retention;
  readonly compacted: boolean;
  /** Milliseconds that a tombstone stays after it was compacted first. */
  readonly deleteRetentionMs: number;
  readonly minCompactionLagMs: number;
  readonly partitions: readonly PartitionLog[];
}

/** Kafka's own. */
const DELETE_RETENTION_MS = 24 * 60 * 60 * 1000;

/** Topics, batches and committed offsets: what the journal says, in memory. */
export class LogState {
  readonly topics = new Map<string, Topic>();
  nextTopicId = 1;
  /** Called with each batch that `apply` adds at the end of its partition. */
  onStored: (batch: StoredBatch) => void = () => {};
  readonly #byId = new Map<number, Topic>();
  readonly #groups = new Map<string, Map<string, CommittedOffset>>();
  readonly #retentionBytes: number;

  /** `retentionBytes` holds for topics without a `retention.bytes` of their own. */
  constructor(retentionBytes: number) {
    this.#retentionBytes = retentionBytes;
  }

  topic(name: string): Topic {
    const topic = this.topics.get(name);
    if (topic === undefined) throw new LogError('unknown-topic', `topic ${name} does not exist`);
    return topic;
  }

  topicById(id: number): Topic | undefined {
    return this.#byId.get(id);
  }

  /** Throws `LogError` `unknown-topic`, also for a partition that the topic does not have. */
  partition(at: TopicPartition): PartitionLog {
    const topic = this.topics.get(at.topic);
    if (topic === undefined) throw new LogError('unknown-topic', `topic ${at.topic} does not exist`, at);
    const partition = topic.partitions[at.partition];
    if (partition !== undefined) return partition;
    throw new LogError('unknown-topic', `topic ${at.topic} has no partition ${at.partition}`, at);
  }

  committed(group: string): CommittedOffset[] {
    return [...(this.#groups.get(group)?.values() ?? [])];
  }

  /** Throws `LogError` `invalid-topic` when a setting that is heeded here cannot be read. */
  checkConfigs(name: string, configs: Configs): void {
    this.#retentionOf(name, configs);
    numberOf(name, configs, 'delete.retention.ms');
    numberOf(name, configs, 'min.compaction.lag.ms');
  }

  /** Takes in one change. The batches lie behind each other in `segment` from `position`, if there is one. */
  apply(change: Change, segment: Segment | null, position: number): void {
    const touched = new Set<PartitionLog>();
    let next = 0;
    for (const operation of change.operations) {
      switch (operation.op) {
        case 'create': {
          const offsets = Array.from({ length: operation.partitions }, () => [0, 0] as const);
          this.#add(operation.id, operation.name, operation.configs, offsets);
          this.nextTopicId = Math.max(this.nextTopicId, operation.id + 1);
          break;
        }
        case 'delete':
          this.#remove(operation.id);
          break;
        case 'append': {
          const partition = this.#byId.get(operation.id)?.partitions[operation.partition];
          const batch = {
            baseOffset: operation.base,
            lastOffset: operation.last,
            maxTimestamp: operation.max,
            sizeBytes: operation.size,
            bytes: change.batches[next++] ?? null,
            segment,
            position,
          };
          position += operation.size;
          if (partition === undefined) break;
          if (partition.add(batch)) this.onStored(batch);
          // What was written once more is old: it is read from the file when someone is that far behind.
          else if (segment !== null) batch.bytes = null;
          touched.add(partition);
          break;
        }
        case 'trim':
          this.#byId.get(operation.id)?.partitions[operation.partition]?.trim(operation.start);
          break;
        case 'offsets':
          this.#setOffsets(operation.group, operation.offsets);
          break;
        case 'state':
          this.#restore(operation.state);
          break;
      }
    }
    // Only now: a reader that wakes must find the whole change.
    for (const partition of touched) partition.notify();
  }

  /** The change that writes the batches of `segment` once more. Throws `LogError` `corrupt` when one of them is damaged. */
  contentOf(segment: Segment): Change {
    const operations: Operation[] = [];
    const batches: Buffer[] = [];
    for (const { id, partitions } of this.topics.values())
      for (const [partition, log] of partitions.entries())
        for (let i = 0; i < log.batchCount; i++) {
          const stored = log.at(i)!;
          if (stored.segment !== segment) continue;
          const { baseOffset: base, lastOffset: last, maxTimestamp: max, sizeBytes: size } = stored;
          operations.push({ op: 'append', id, partition, base, last, max, size });
          batches.push(loadBatch(log, stored));
        }
    return { operations, batches };
  }

  snapshot(): StateSnapshot {
    return {
      nextTopicId: this.nextTopicId,
      topics: [...this.topics.values()].map(({ id, name, configs, partitions }) => ({
        id,
        name,
        configs,
        partitions: partitions.map(({ start, next: end }) => [start, end] as const),
      })),
      groups: [...this.#groups].map(([group, offsets]) => ({
        group,
        offsets: [...offsets.values()].map((o) => [o.topic, o.partition, o.offset, o.metadata] as const),
      })),
    };
  }

  #add(id: number, name: string, configs: Configs, offsets: readonly (readonly [number, number])[]): void {
    const topic: Topic = {
      id,
      name,
      configs,
      retention: this.#retentionOf(name, configs),
      compacted: isCompacted(configs),
      deleteRetentionMs: numberOf(name, configs, 'delete.retention.ms') ?? DELETE_RETENTION_MS,
      minCompactionLagMs: numberOf(name, configs, 'min.compaction.lag.ms') ?? 0,
      partitions: offsets.map(
        ([start, next], partition) => new PartitionLog(id, name, partition, start, next),
      ),
    };
    // Only where what deleted the one before was lost.
    const before = this.topics.get(name);
    if (before !== undefined) this.#remove(before.id);
    this.topics.set(name, topic);
    this.#byId.set(id, topic);
  }

  #remove(id: number): void {
    const topic = this.#byId.get(id);
    if (topic === undefined) return;
    this.#byId.delete(id);
    this.topics.delete(topic.name);
    for (const [group, offsets] of this.#groups) {
      for (const [key, { topic: name }] of offsets) if (name === topic.name) offsets.delete(key);
      if (offsets.size === 0) this.#groups.delete(group);
    }
    for (const partition of topic.partitions) partition.delete();
  }

  #setOffsets(group: string, rows: readonly CommittedRow[]): void {
    let offsets = this.#groups.get(group);
    if (offsets === undefined) this.#groups.set(group, (offsets = new Map<string, CommittedOffset>()));
    for (const [topic, partition, offset, metadata] of rows) {
      const key = `${topic}/${partition}`;
      if (offset === null) offsets.delete(key);
      else offsets.set(key, { topic, partition, offset, metadata });
    }
    if (offsets.size === 0) this.#groups.delete(group);
  }

  /** A snapshot says what there is. Batches that are here already stay, as far as it still knows them. */
  #restore(state: StateSnapshot): void {
    const ids = new Set(state.topics.map(({ id }) => id));
    for (const id of this.#byId.keys()) if (!ids.has(id)) this.#remove(id);
    for (const { id, name, configs, partitions } of state.topics) {
      if (!this.#byId.has(id)) this.#add(id, name, configs, partitions);
      const topic = must(this.#byId.get(id));
      partitions.forEach(([start, next], partition) => {
        const log = must(topic.partitions[partition]);
        log.trim(start);
        log.next = Math.max(log.next, next);
      });
    }
    this.nextTopicId = state.nextTopicId;
    this.#groups.clear();
    for (const { group, offsets } of state.groups) this.#setOffsets(group, offsets);
  }

  #retentionOf(name: string, configs: Configs): Retention {
    const policy = configs['cleanup.policy'] ?? 'delete';
    const bytes = numberOf(name, configs, 'retention.bytes');
    const ms = numberOf(name, configs, 'retention.ms');
    if (!policy.includes('delete')) return { ms: Infinity, bytes: Infinity };
    // A bound that the user did not ask for must not thin out a compacted topic.
    const otherwise = isCompacted(configs) ? Infinity : this.#retentionBytes;
    return { ms: ms ?? Infinity, bytes: bytes ?? otherwise };
  }
}

function isCompacted(configs: Configs): boolean {
  return (configs['cleanup.policy'] ?? '').includes('compact');
}

function numberOf(topic: string, configs: Configs, name: string): number | undefined {
  const text = configs[name];
  if (text === undefined) return undefined;
  if (!/^-?\d+$/.test(text.trim()))
    throw new LogError(
      'invalid-topic',
      `${name} of topic ${topic} must be a whole number, not ${JSON.stringify(text)}`,
    );
  const value = Number(text);
  return value < 0 ? Infinity : value;
}
