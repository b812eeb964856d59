import { LogError } from '../log.ts';
import type { CommittedOffset, TopicPartition } from '../log.ts';
import { Coordinator } from './coordinator.ts';
import type { GroupCommitter, GroupMemberId } from '../membership.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { ProtocolRequest } from './kafkajs-parts.ts';
import { GROUP_ID_NOT_FOUND, isRetriable, NONE } from './protocol-error.ts';
import {
  offsetCommitRequest,
  offsetDeleteRequest,
  offsetFetchRequest,
  stableOffsetFetchRequest,
} from './requests.ts';
import type { PartitionCode } from './protocol-request.ts';
import { failureOf } from './retry.ts';

const TIMEOUT_MS = 60_000;
const NO_MEMBER: GroupMemberId = { id: '', generation: -1 };
const METADATA_BYTES_MAX = 4096;

/** Reads and commits a consumer group's offsets at its coordinator. */
export class GroupOffsets {
  readonly #cluster: KafkaCluster;
  readonly #group: string;
  readonly #coordinator: Coordinator;

  constructor(cluster: KafkaCluster, group: string) {
    this.#cluster = cluster;
    this.#group = group;
    this.#coordinator = new Coordinator(cluster, 'group', group);
  }

  /**
   * Of all partitions, or of those named: only of the latter it is certain that nothing is missing that a transaction
   * commits for the first time just now.
   */
  async fetch(partitions: readonly TopicPartition[] | null = null): Promise<readonly CommittedOffset[]> {
    if (partitions?.length === 0) return [];
    const doing = `reading the committed offsets of group ${this.#group}`;
    const { stableOffsets } = await this.#cluster.retry(doing, TIMEOUT_MS, () => this.#cluster.features());
    const request = stableOffsets
      ? stableOffsetFetchRequest(this.#group, partitions)
      : offsetFetchRequest(this.#group, partitions);
    const { offsets } = await this.#send(doing, request, ({ code, offsets: found }) => {
      check(code, doing);
      checkAll(found, doing);
    });
    return offsets
      .filter(({ offset }) => offset >= 0)
      .map(({ topic, partition, offset, metadata }) => ({ topic, partition, offset, metadata }))
      .sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
  }

  /** Throws `fenced` when the group has members, and does not know `member`: they alone may commit then. */
  async commit(offsets: readonly CommittedOffset[], committer?: GroupCommitter): Promise<void> {
    if (offsets.length === 0) return;
    const member = (await committer?.member()) ?? NO_MEMBER;
    const doing = `committing offsets of group ${this.#group}`;
    checkMetadata(offsets, doing);
    const request = offsetCommitRequest(this.#group, member, offsets);
    await this.#send(doing, request, (codes) => checkAll(codes, doing));
  }

  async delete(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    const doing = `removing committed offsets of group ${this.#group}`;
    await this.#send(doing, offsetDeleteRequest(this.#group, partitions), ({ code, partitions: codes }) => {
      if (code === GROUP_ID_NOT_FOUND) return;
      check(code, doing);
      checkAll(codes, doing);
    });
  }

  #send<T>(doing: string, request: ProtocolRequest<T>, checked: (response: T) => void): Promise<T> {
    return this.#cluster.retry(doing, TIMEOUT_MS, () => this.#coordinator.send(request, checked));
  }
}

/** Throws what an error code means. */
function check(code: number, doing: string, detail?: string | null): void {
  if (code !== NONE) throw failureOf(code, doing, undefined, detail);
}

function checkAll(codes: readonly PartitionCode[], doing: string): void {
  const worst = worstOf(codes);
  if (worst !== undefined) throw failureOf(worst.code, doing, worst);
}

/** The failure of an answer that has one of each partition: a final one says more than one that may pass. */
export function worstOf(codes: readonly PartitionCode[]): PartitionCode | undefined {
  const failures = codes.filter(({ code }) => code !== NONE);
  return failures.find(({ code }) => !isRetriable(code)) ?? failures[0];
}

/** Throws `record-too-large` when a partition has more to remember than Kafka takes. */
export function checkMetadata(offsets: readonly CommittedOffset[], doing: string): void {
  for (const { metadata, topic, partition } of offsets)
    if (Buffer.byteLength(metadata) > METADATA_BYTES_MAX)
      throw new LogError('record-too-large', `${doing} failed: the metadata is longer than 4096 bytes`, {
        topic,
        partition,
      });
}
