import { LogError } from '../log.ts';
import type { CommittedOffset, TopicPartition } from '../log.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { ProtocolRequest } from './kafkajs-connections.ts';
import { GROUP_ID_NOT_FOUND, NONE } from './protocol-error.ts';
import {
  findCoordinatorRequest,
  offsetCommitRequest,
  offsetDeleteRequest,
  offsetFetchRequest,
} from './requests.ts';
import type { PartitionCode } from './requests.ts';
import { failureOf, RetriableError } from './retry.ts';

const TIMEOUT_MS = 60_000;
const METADATA_BYTES_MAX = 4096;

/** Reads and commits a consumer group's offsets at its coordinator, which is looked up once, and again when it has moved. */
export class GroupOffsets {
  readonly #cluster: KafkaCluster;
  readonly #group: string;
  #coordinator: number | undefined;

  constructor(cluster: KafkaCluster, group: string) {
    this.#cluster = cluster;
    this.#group = group;
  }

  async fetch(): Promise<readonly CommittedOffset[]> {
    const doing = `reading the committed offsets of group ${this.#group}`;
    const { offsets } = await this.#send(
      doing,
      offsetFetchRequest(this.#group),
      ({ code, offsets: found }) => {
        check(code, doing);
        checkAll(found, doing);
      },
    );
    return offsets
      .filter(({ offset }) => offset >= 0)
      .map(({ topic, partition, offset, metadata }) => ({ topic, partition, offset, metadata }))
      .sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
  }

  /** Throws `fenced` when the group has members: they alone may commit then. */
  async commit(offsets: readonly CommittedOffset[]): Promise<void> {
    if (offsets.length === 0) return;
    const doing = `committing offsets of group ${this.#group}`;
    for (const { metadata, topic, partition } of offsets)
      if (Buffer.byteLength(metadata) > METADATA_BYTES_MAX)
        throw new LogError('record-too-large', `${doing} failed: the metadata is longer than 4096 bytes`, {
          topic,
          partition,
        });
    await this.#send(doing, offsetCommitRequest(this.#group, offsets), (codes) => checkAll(codes, doing));
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
    return this.#cluster.retry(doing, TIMEOUT_MS, async () => {
      try {
        this.#coordinator ??= await this.#findCoordinator();
        const response = await this.#cluster.send(this.#coordinator, request);
        checked(response);
        return response;
      } catch (error) {
        // It may have moved: a look-up is cheap beside the pause that follows.
        this.#coordinator = undefined;
        throw error;
      }
    });
  }

  async #findCoordinator(): Promise<number> {
    const found = await this.#cluster.sendToAny(findCoordinatorRequest(this.#group));
    check(found.code, `looking up the coordinator of group ${this.#group}`, found.message);
    // The coordinator may be a broker that has joined since.
    await this.#cluster.refresh([]);
    if (found.nodeId < 0) throw new RetriableError(`group ${this.#group} has no coordinator yet`);
    return found.nodeId;
  }
}

function check(code: number, doing: string, detail?: string | null): void {
  if (code !== NONE) throw failureOf(code, doing, undefined, detail);
}

function checkAll(codes: readonly PartitionCode[], doing: string): void {
  // A final failure says more than one that may pass.
  const failures = codes
    .filter(({ code }) => code !== NONE)
    .map(({ code, topic, partition }) => failureOf(code, doing, { topic, partition }));
  const worst = failures.find((failure) => !(failure instanceof RetriableError)) ?? failures[0];
  if (worst !== undefined) throw worst;
}
