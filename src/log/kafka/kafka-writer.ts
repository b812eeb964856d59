import { onAbort } from '../../common/abort.ts';
import { assert, must } from '../../common/assert.ts';
import { sleep } from '../../common/clock.ts';
import { DEFAULT_LINGER_MS, LogError } from '../log.ts';
import type { LogWriter, OffsetToCommit, TopicPartition, WriterOptions } from '../log.ts';
import { openCompressor } from '../codecs.ts';
import type { Compressor } from '../codecs.ts';
import { restampBatch } from '../batch-head.ts';
import { sequenceAfter, SlabAppender } from '../slab-appender.ts';
import type { SealedBatch } from '../slab-appender.ts';
import { GroupOffsets } from './group-offsets.ts';
import { KafkaAdmin } from './kafka-admin.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { KafkaTransaction } from './kafka-transaction.ts';
import type { ProtocolRequest } from './kafkajs-parts.ts';
import {
  CLUSTER_AUTHORIZATION_FAILED,
  describeCode,
  DUPLICATE_SEQUENCE_NUMBER,
  errorOf,
  INVALID_PRODUCER_EPOCH,
  INVALID_PRODUCER_ID_MAPPING,
  isRetriable,
  NONE,
  OUT_OF_ORDER_SEQUENCE_NUMBER,
  UNKNOWN_PRODUCER_ID,
} from './protocol-error.ts';
import { isRefusal, takeApart } from './refused-batch.ts';
import { LATEST_TIMESTAMP, listOffsetsRequest, produceRequest } from './requests.ts';
import type { ProducedPartition, ProducePartition } from './requests.ts';
import { backoffMs, failureOf, RetriableError, UNKNOWN_TOPIC_PATIENCE_MS, unknownTopic } from './retry.ts';
import { initProducerIdRequest, produceInTransactionRequest } from './transaction-requests.ts';
import type { ProducerIdentity } from './transaction-requests.ts';

/** How long a batch is tried before the flush fails: Kafka's own `delivery.timeout.ms`. */
const DELIVERY_TIMEOUT_MS = 120_000;
const PRODUCE_TIMEOUT_MS = 30_000;
const REQUEST_BYTES_MAX = 8 << 20;
const CLOSE_WAIT_MS = 5_000;
const READABLE_TIMEOUT_MS = 60_000;
const INIT_TIMEOUT_MS = 60_000;

/** Errors after which a producer id is worth nothing: the partition goes on with a new one. */
const IDENTITY_LOST: ReadonlySet<number> = new Set([
  OUT_OF_ORDER_SEQUENCE_NUMBER,
  INVALID_PRODUCER_EPOCH,
  INVALID_PRODUCER_ID_MAPPING,
  UNKNOWN_PRODUCER_ID,
]);

/** One `flush`: resolves when all of its batches are acknowledged. */
class Flush {
  readonly done: Promise<void>;
  #unacknowledged: number;
  #resolve!: () => void;
  reject!: (error: Error) => void;

  constructor(batches: number) {
    this.#unacknowledged = batches;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.reject = reject;
    });
    this.done.catch(() => {});
  }

  /** A batch was cut into that many. */
  cut(batches: number): void {
    this.#unacknowledged += batches - 1;
  }

  acknowledge(): void {
    if (--this.#unacknowledged === 0) this.#resolve();
  }
}

interface QueuedBatch {
  readonly batch: SealedBatch;
  readonly flush: Flush;
}

/** The batches under way to one partition, in order; at most the first is in a request. */
interface Outbox {
  readonly topic: string;
  readonly partition: number;
  readonly appender: SlabAppender;
  queue: QueuedBatch[];
  inFlight: boolean;
  /** Waits for its next attempt. */
  resting: boolean;
  failures: number;
  failingSinceMs: number | undefined;
  unknownSinceMs: number | undefined;
  /** Whom the batches are stamped with: null without idempotence, undefined until a new one is there. */
  producer: ProducerIdentity | null | undefined;
  /** The sequence number of the next batch to be taken from the appender. */
  sequence: number;
  endOffset: number;
}

/**
 * Writes with acks from all in-sync replicas, over connections of its own. Batches of a partition go one request at a time,
 * stamped with a producer id and sequence numbers, so that a repeated request does not append twice. When a batch fails for
 * good, every flush that is not done fails, and what it had not sent is dropped: the owner starts over from its committed
 * offsets. A writer of transactions is of no use then, since what it has sent is undone.
 */
export class KafkaWriter implements LogWriter {
  readonly #cluster: KafkaCluster;
  readonly #options: WriterOptions;
  readonly #group: GroupOffsets | undefined;
  readonly #transaction: KafkaTransaction | null;
  readonly #onClose: (writer: KafkaWriter) => void;
  readonly #outboxes = new Map<string, Outbox>();
  readonly #flushes = new Set<Flush>();
  /** Settles when every flush so far has. */
  #flushed: Promise<unknown> = Promise.resolve();
  #committed: Promise<void> = Promise.resolve();
  #producer: ProducerIdentity | null;
  readonly #compressor: Compressor | null;
  #queuedBytes = 0;
  #closed = false;
  #committing = false;
  /** Why a writer of transactions is of no more use. */
  #broken: Error | null = null;

  /** Closes the cluster when it is closed itself. */
  static async open(
    cluster: KafkaCluster,
    options: WriterOptions,
    onClose: (writer: KafkaWriter) => void,
  ): Promise<KafkaWriter> {
    const { transactionalId, transactionTimeoutMs: timeoutMs, group } = options;
    try {
      const compressor = await openCompressor(options.compression);
      await options.member?.ready();
      const transaction =
        transactionalId === undefined
          ? null
          : await KafkaTransaction.open(cluster, { transactionalId, timeoutMs, group });
      const producer = transaction?.producer ?? (await initProducer(cluster));
      return new KafkaWriter(cluster, options, onClose, producer, compressor, transaction);
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  private constructor(
    cluster: KafkaCluster,
    options: WriterOptions,
    onClose: (writer: KafkaWriter) => void,
    producer: ProducerIdentity | null,
    compressor: Compressor | null,
    transaction: KafkaTransaction | null,
  ) {
    this.#cluster = cluster;
    this.#options = options;
    this.#group = options.group === undefined ? undefined : new GroupOffsets(cluster, options.group);
    this.#onClose = onClose;
    this.#producer = producer;
    this.#compressor = compressor;
    this.#transaction = transaction;
  }

  appender(partition: TopicPartition): SlabAppender {
    return this.#outbox(partition).appender;
  }

  get atomicCommit(): boolean {
    return this.#transaction !== null;
  }

  get flushStaysHidden(): boolean {
    return this.#transaction !== null;
  }

  get lingerMs(): number {
    return this.#options.lingerMs ?? DEFAULT_LINGER_MS;
  }

  get pendingBytes(): number {
    return this.#queuedBytes + this.unsentBytes;
  }

  get unsentBytes(): number {
    let bytes = 0;
    for (const { appender } of this.#outboxes.values()) bytes += appender.pendingBytes;
    return bytes;
  }

  isPending(partition: TopicPartition): boolean {
    const outbox = this.#outboxes.get(keyOf(partition));
    return outbox !== undefined && (outbox.queue.length > 0 || outbox.appender.pendingBytes > 0);
  }

  endOffset(partition: TopicPartition): number {
    return this.#outboxes.get(keyOf(partition))?.endOffset ?? -1;
  }

  flush(): Promise<void> {
    if (this.#closed) return Promise.reject(new LogError('closed', 'the writer is closed'));
    if (this.#broken !== null) return Promise.reject(this.#broken);
    // What is sent now would belong to the transaction that ends.
    assert(this.#transaction === null || !this.#committing, 'nothing is flushed while a transaction ends');
    const taken: [Outbox, SealedBatch[]][] = [];
    let count = 0;
    for (const outbox of this.#outboxes.values()) {
      this.#limit(outbox);
      if (outbox.appender.pendingRecords === 0) continue;
      const batches = this.#takeFrom(outbox);
      count += batches.length;
      taken.push([outbox, batches]);
    }
    const earlier = this.#flushed;
    if (count === 0) return earlier as Promise<void>;
    const flush = new Flush(count);
    this.#flushes.add(flush);
    for (const [outbox, batches] of taken)
      for (const batch of batches) {
        outbox.queue.push({ batch, flush });
        this.#queuedBytes += batch.bytes.length;
      }
    const settled = (): void => void this.#flushes.delete(flush);
    flush.done.then(settled, settled);
    const both = Promise.all([earlier, flush.done]).then(() => {});
    // A failed flush was told to its caller; later ones answer for themselves.
    this.#flushed = both.catch(() => {});
    this.#pump();
    return both;
  }

  commit(offsets: readonly OffsetToCommit[]): Promise<void> {
    const group = this.#group;
    assert(offsets.length === 0 || group !== undefined, 'a writer without a group commits no offsets');
    const flushed = this.flush();
    const earlier = this.#committed;
    const committed = (async () => {
      await Promise.all([earlier, flushed]);
      await (this.#transaction === null
        ? group?.commit(offsets, this.#options.member)
        : this.#endTransaction(offsets));
    })();
    this.#committed = committed.catch(() => {});
    return committed;
  }

  async #endTransaction(offsets: readonly OffsetToCommit[]): Promise<void> {
    const transaction = must(this.#transaction);
    this.#committing = true;
    try {
      await transaction.commit(offsets);
    } catch (error) {
      this.#fail(error as Error);
      throw error;
    } finally {
      this.#committing = false;
    }
    const { producer } = transaction;
    if (producer.epoch === this.#producer?.epoch && producer.producerId === this.#producer.producerId) return;
    // Sequence numbers begin anew with each epoch.
    this.#producer = producer;
    for (const outbox of this.#outboxes.values()) {
      outbox.producer = producer;
      outbox.sequence = 0;
    }
  }

  async readable(): Promise<void> {
    if (this.#transaction === null) return;
    const admin = new KafkaAdmin(this.#cluster);
    const topics = new Set([...this.#outboxes.values()].map(({ topic }) => topic));
    for (const topic of topics)
      await this.#cluster.retry(
        `waiting for what was committed to ${topic}`,
        READABLE_TIMEOUT_MS,
        async () => {
          for (const [partition, { end }] of (await admin.offsets(topic)).entries())
            if (end < this.endOffset({ topic, partition }))
              throw new RetriableError(`a transaction is open in partition ${partition}`);
        },
      );
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { clock, signal } = this.#cluster;
    const waited = new AbortController();
    const unsubscribe = onAbort(signal, () => waited.abort());
    await Promise.race([
      Promise.all([this.#flushed, this.#committed]),
      sleep(clock, CLOSE_WAIT_MS, waited.signal),
    ]);
    unsubscribe();
    waited.abort();
    this.#fail(new LogError('closed', 'the writer was closed before the records were acknowledged'));
    await this.#transaction?.abort();
    await this.#cluster.close();
    this.#onClose(this);
  }

  #outbox(partition: TopicPartition): Outbox {
    const key = keyOf(partition);
    let outbox = this.#outboxes.get(key);
    if (outbox === undefined) {
      const { requestBytesMax } = this.#options;
      outbox = {
        topic: partition.topic,
        partition: partition.partition,
        appender: new SlabAppender(partition, {
          compressor: this.#compressor,
          ...(requestBytesMax === undefined ? {} : { recordBytesMax: requestBytesMax }),
        }),
        queue: [],
        inFlight: false,
        resting: false,
        failures: 0,
        failingSinceMs: undefined,
        unknownSinceMs: undefined,
        producer: this.#producer,
        sequence: 0,
        endOffset: -1,
      };
      this.#limit(outbox);
      this.#outboxes.set(key, outbox);
    }
    return outbox;
  }

  /** What is known of its topic holds for its appender: by the time of now, and for as long as it is true. */
  #limit({ topic, appender }: Outbox): void {
    const { limits, clock } = this.#cluster;
    const known = limits.of(topic, clock.now());
    if (known === null) return;
    appender.limit(known);
    limits.refresh(this.#cluster, topic);
  }

  #takeFrom(outbox: Outbox): SealedBatch[] {
    const { producer } = outbox;
    // Without an identity the batches are stamped when there is one.
    if (producer === null || producer === undefined) return outbox.appender.take();
    const { producerId, epoch } = producer;
    const batches = outbox.appender.take({
      producerId,
      producerEpoch: epoch,
      sequence: outbox.sequence,
      isTransactional: this.#transaction !== null,
    });
    for (const { recordCount } of batches) outbox.sequence = sequenceAfter(outbox.sequence, recordCount);
    return batches;
  }

  /** Sends the first batch of every outbox that has one and waits for nothing, a request a leader. */
  #pump(): void {
    const ready = new Map<number, Outbox[]>();
    const stuck: Outbox[] = [];
    const joining = new Map<string, Outbox>();
    for (const [key, outbox] of this.#outboxes) {
      if (outbox.queue.length === 0 || outbox.inFlight || outbox.resting) continue;
      if (this.#transaction?.hasJoined(key) === false) {
        joining.set(key, outbox);
        continue;
      }
      const leader = this.#cluster.leaderOf(outbox.topic, outbox.partition);
      if (leader < 0 || outbox.producer === undefined) {
        stuck.push(outbox);
        continue;
      }
      const others = ready.get(leader);
      if (others === undefined) ready.set(leader, [outbox]);
      else others.push(outbox);
    }
    if (stuck.length > 0) this.#rest(stuck);
    if (joining.size > 0) void this.#join(joining);
    for (const [leader, outboxes] of ready) {
      let request: Outbox[] = [];
      let bytes = 0;
      for (const outbox of outboxes) {
        const size = outbox.queue[0]!.batch.bytes.length;
        if (bytes + size > REQUEST_BYTES_MAX && request.length > 0) {
          void this.#send(leader, request);
          request = [];
          bytes = 0;
        }
        request.push(outbox);
        bytes += size;
      }
      void this.#send(leader, request);
    }
  }

  /** Never rejects: what goes wrong is told to the flushes. */
  async #join(outboxes: ReadonlyMap<string, Outbox>): Promise<void> {
    for (const outbox of outboxes.values()) outbox.inFlight = true;
    try {
      await must(this.#transaction).join(outboxes);
    } catch (error) {
      this.#fail(error as Error);
    }
    for (const outbox of outboxes.values()) outbox.inFlight = false;
    this.#pump();
  }

  #request(batches: readonly ProducePartition[]): ProtocolRequest<readonly ProducedPartition[]> {
    const transaction = this.#transaction;
    if (transaction === null) return produceRequest(batches, PRODUCE_TIMEOUT_MS);
    transaction.begin();
    return transaction.version === 1
      ? produceRequest(batches, PRODUCE_TIMEOUT_MS, transaction.transactionalId)
      : produceInTransactionRequest(transaction.transactionalId, batches, PRODUCE_TIMEOUT_MS);
  }

  /** Never rejects: what goes wrong is told to the flushes. */
  async #send(leader: number, outboxes: readonly Outbox[]): Promise<void> {
    const sent = new Map(outboxes.map((outbox) => [keyOf(outbox), outbox]));
    const heads = new Map(outboxes.map((outbox) => [outbox, outbox.queue[0]!]));
    const batches = outboxes.map((outbox) => {
      return { topic: outbox.topic, partition: outbox.partition, bytes: heads.get(outbox)!.batch.bytes };
    });
    for (const outbox of outboxes) outbox.inFlight = true;
    const failed: Outbox[] = [];
    try {
      for (const produced of await this.#cluster.send(leader, this.#request(batches))) {
        const outbox = sent.get(keyOf(produced));
        if (outbox === undefined) continue;
        sent.delete(keyOf(outbox));
        const { code } = produced;
        // Another partition's failure may have dropped what this response is about.
        if (outbox.queue[0] !== heads.get(outbox)) continue;
        if (code === NONE || code === DUPLICATE_SEQUENCE_NUMBER)
          await this.#acknowledge(outbox, produced.baseOffset);
        else if (isRefusal(code)) void this.#takeApart(outbox, code);
        else if (this.#transaction !== null && !isRetriable(code))
          this.#fail(await this.#transaction.refused(code, doing(outbox), outbox));
        else if (IDENTITY_LOST.has(code) && outbox.producer) {
          const { topic, partition } = outbox;
          this.#cluster.logger.warn(
            { topic, partition, cause: describeCode(code) },
            'writing on with a new producer id',
          );
          outbox.producer = undefined;
          failed.push(outbox);
        } else if (isRetriable(code)) failed.push(outbox);
        else this.#fail(errorOf(code, doing(outbox), outbox));
      }
      // A partition that the response does not mention counts as not written.
      failed.push(...sent.values());
    } catch (error) {
      const final =
        error instanceof RetriableError
          ? (this.#transaction?.unanswered(`writing to broker ${leader}`, error) ?? null)
          : (error as Error);
      if (final === null) failed.push(...sent.values());
      else this.#fail(final);
      if (!this.#closed)
        this.#cluster.logger.warn({ node: leader, error: (error as Error).message }, 'a write failed');
    }
    for (const outbox of outboxes) outbox.inFlight = false;
    if (failed.length > 0) this.#rest(failed);
    this.#pump();
  }

  /** A batch was refused for what is in it: it is sent as others that the topic takes. Never rejects. */
  async #takeApart(outbox: Outbox, code: number): Promise<void> {
    outbox.resting = true;
    const head = outbox.queue[0]!;
    const { batch, flush } = head;
    try {
      const parts = await takeApart(this.#cluster, batch, outbox, code, this.#compressor);
      for (const other of this.#outboxes.values()) if (other.topic === outbox.topic) this.#limit(other);
      if (outbox.queue[0] === head) {
        outbox.queue.splice(0, 1, ...parts.map((part) => ({ batch: part, flush })));
        flush.cut(parts.length);
        for (const { bytes } of parts) this.#queuedBytes += bytes.length;
        this.#queuedBytes -= batch.bytes.length;
        outbox.appender.release(batch);
      }
    } catch (error) {
      if (!this.#closed) this.#fail(error as Error);
    }
    outbox.resting = false;
    this.#pump();
  }

  async #acknowledge(outbox: Outbox, baseOffset: number): Promise<void> {
    const { batch, flush } = outbox.queue.shift()!;
    outbox.failures = 0;
    outbox.failingSinceMs = undefined;
    this.#queuedBytes -= batch.bytes.length;
    // A duplicate so old that the broker forgot its offset: the partition's end is the nearest that can be said.
    outbox.endOffset = baseOffset < 0 ? await this.#endOf(outbox) : baseOffset + batch.recordCount;
    outbox.appender.release(batch);
    flush.acknowledge();
  }

  async #endOf({ topic, partition, endOffset }: Outbox): Promise<number> {
    try {
      const leader = this.#cluster.leaderOf(topic, partition);
      const [end] = await this.#cluster.send(
        leader,
        listOffsetsRequest(topic, [partition], LATEST_TIMESTAMP, false),
      );
      return end !== undefined && end.code === NONE ? end.offset : endOffset;
    } catch {
      return endOffset;
    }
  }

  /** Lets `outboxes` rest for a moment, then has their leaders looked up and tries again. */
  #rest(outboxes: readonly Outbox[]): void {
    let failures = 0;
    for (const outbox of outboxes) {
      outbox.resting = true;
      failures = Math.max(failures, outbox.failures++);
    }
    void this.#recover(outboxes, failures);
  }

  async #recover(outboxes: readonly Outbox[], failures: number): Promise<void> {
    const { clock, signal } = this.#cluster;
    if (failures > 0) await sleep(clock, backoffMs(failures), signal);
    try {
      await this.#cluster.refresh([...new Set(outboxes.map(({ topic }) => topic))]);
      for (const outbox of outboxes) if (outbox.producer === undefined) await this.#renew(outbox);
    } catch (error) {
      if (!(error instanceof RetriableError)) this.#fail(error as Error);
    }
    const nowMs = clock.monotonic();
    for (const outbox of outboxes) {
      outbox.resting = false;
      if (outbox.queue.length > 0) this.#judge(outbox, nowMs);
    }
    if (!signal.aborted) this.#pump();
  }

  /** Gives a partition up that has failed for too long, or that is not there. */
  #judge(outbox: Outbox, nowMs: number): void {
    const { topic, partition } = outbox;
    outbox.failingSinceMs ??= nowMs;
    const metadata = this.#cluster.topic(topic);
    if (metadata?.partitions[partition] !== undefined) outbox.unknownSinceMs = undefined;
    else if (metadata !== undefined) {
      const { code } = metadata;
      outbox.unknownSinceMs ??= nowMs;
      if (code !== NONE && !isRetriable(code))
        return this.#fail(errorOf(code, `writing to topic ${topic}`, outbox));
      if (nowMs - outbox.unknownSinceMs >= UNKNOWN_TOPIC_PATIENCE_MS)
        return this.#fail(unknownTopic(topic, code === NONE ? partition : undefined));
    }
    if (nowMs - outbox.failingSinceMs < DELIVERY_TIMEOUT_MS) return;
    const text = `writing to ${topic}-${partition} was given up after ${DELIVERY_TIMEOUT_MS} ms`;
    this.#fail(new LogError('unavailable', text, { topic, partition }));
  }

  async #renew(outbox: Outbox): Promise<void> {
    const producer = await initProducer(this.#cluster);
    outbox.producer = producer;
    outbox.sequence = 0;
    for (const { batch } of outbox.queue) {
      const { producerId, epoch: producerEpoch } = producer ?? { producerId: -1, epoch: -1 };
      const sequence = producer === null ? -1 : outbox.sequence;
      restampBatch(batch.bytes, { producerId, producerEpoch, sequence });
      outbox.sequence = sequenceAfter(outbox.sequence, batch.recordCount);
    }
  }

  #fail(error: Error): void {
    if (this.#transaction !== null) this.#broken ??= error;
    for (const outbox of this.#outboxes.values()) {
      if (outbox.queue.length === 0) continue;
      for (const { batch } of outbox.queue) this.#queuedBytes -= batch.bytes.length;
      outbox.queue = [];
      outbox.failures = 0;
      outbox.failingSinceMs = undefined;
      outbox.unknownSinceMs = undefined;
      // Which of its batches were appended is not known, so its sequence numbers are of no more use.
      if (outbox.producer !== null) outbox.producer = undefined;
    }
    for (const flush of this.#flushes) flush.reject(error);
  }
}

/** Null when the cluster does not allow idempotent writes to us: then a repeated request may append twice. */
function initProducer(cluster: KafkaCluster): Promise<ProducerIdentity | null> {
  const doing = 'asking for a producer id';
  return cluster.retry(doing, INIT_TIMEOUT_MS, async () => {
    const { code, producerId, epoch } = await cluster.sendToAny(initProducerIdRequest());
    if (code === CLUSTER_AUTHORIZATION_FAILED) {
      cluster.logger.warn(
        {},
        'the cluster allows no idempotent writes: records may be written twice after a failure',
      );
      return null;
    }
    if (code !== NONE) throw failureOf(code, doing);
    return { producerId, epoch };
  });
}

function doing({ topic, partition }: TopicPartition): string {
  return `writing to ${topic}-${partition}`;
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition}/${topic}`;
}
