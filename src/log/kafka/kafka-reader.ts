import { assert, must } from '../../common/assert.ts';
import { nextTurn, sleep } from '../../common/clock.ts';
import { DEFAULT_GATHER_MS, LogError } from '../log.ts';
import type { LogReader, ReaderOptions, TopicPartition } from '../log.ts';
import { decodeBatches } from '../record-batch-codec.ts';
import type { RecordBatch } from '../record-batch.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { errorOf, INVALID_TOPIC_EXCEPTION, isRetriable, NONE } from './protocol-error.ts';
import { fetchRequest } from './requests.ts';
import type { Fetched, FetchedPartition } from './requests.ts';
import { backoffMs, UNKNOWN_TOPIC_PATIENCE_MS, unknownTopic } from './retry.ts';
import { Signal } from './signal.ts';

/** How long a broker holds a fetch when there is nothing. A partition assigned meanwhile waits as long. */
const FETCH_WAIT_MS = 200;
/** The same where nothing comes and no partition is left out of the fetch: Kafka's own `fetch.max.wait.ms`. */
const IDLE_FETCH_WAIT_MS = 500;
/** What is enough to be answered before the time for which a broker gathers is over. */
const GATHERED_BYTES = 64 << 10;
const BUFFER_BYTES_MAX = 32 << 20;
const FETCH_BYTES_MAX = 16 << 20;
const PARTITION_BYTES_MIN = 64 << 10;
const PARTITION_BYTES_MAX = 4 << 20;

/** One fetched stretch of a partition: what it holds, and where the next begins. */
interface Stretch {
  readonly batches: readonly RecordBatch[];
  readonly nextOffset: number;
  readonly sizeBytes: number;
}

/** A partition from `assign` to the next `assign` or `unassign`; a fetch that answers for an older one is dropped. */
interface Assignment {
  readonly topic: string;
  readonly partition: number;
  position: number;
  fetchOffset: number;
  endOffset: number;
  paused: boolean;
  /** The node that leads it, or -1: then the leaders' loop looks for one. */
  leader: number;
  stretches: Stretch[];
  bufferedBytes: number;
  /** Fetches and look-ups that failed since the last that did not. */
  failures: number;
  unknownSinceMs: number | undefined;
  /** The next `poll` throws it, once; then the partition is tried again. */
  error: LogError | undefined;
}

/**
 * Reads with a long poll a broker in the background, up to the buffer's size ahead of `poll`, over connections of its
 * own. One partition's error is its own: the others are fetched and polled on.
 */
export class KafkaReader implements LogReader {
  readonly #cluster: KafkaCluster;
  readonly #onClose: (reader: KafkaReader) => void;
  readonly #bufferBytesMax: number;
  readonly #readCommitted: boolean;
  readonly #gatherMs: number;
  readonly #assignments = new Map<string, Assignment>();
  /** By node: what to notify when there may be something to fetch from it. */
  readonly #fetchers = new Map<number, Signal>();
  readonly #arrived = new Signal();
  readonly #leaderless = new Signal();
  readonly #loops: Promise<void>[] = [];
  #bufferedBytes = 0;
  #turn = 0;
  #closed = false;
  #polling = false;

  constructor(cluster: KafkaCluster, options: ReaderOptions, onClose: (reader: KafkaReader) => void) {
    this.#cluster = cluster;
    this.#onClose = onClose;
    this.#bufferBytesMax = options.bufferBytesMax ?? BUFFER_BYTES_MAX;
    this.#readCommitted = options.readCommitted ?? true;
    this.#gatherMs = options.gatherMs ?? DEFAULT_GATHER_MS;
    this.#loops.push(this.#findLeaders());
  }

  assign(position: TopicPartition & { readonly offset: number }): void {
    const { topic, partition, offset } = position;
    assert(Number.isSafeInteger(offset) && offset >= 0, `offset ${offset} is not one`);
    if (this.#closed) throw new LogError('closed', 'the reader is closed');
    const before = this.#drop(position);
    this.#assignments.set(keyOf(position), {
      topic,
      partition,
      position: offset,
      fetchOffset: offset,
      endOffset: before?.endOffset ?? -1,
      paused: before?.paused ?? false,
      leader: before?.leader ?? -1,
      stretches: [],
      bufferedBytes: 0,
      failures: 0,
      unknownSinceMs: undefined,
      error: undefined,
    });
    this.#wakeAll();
  }

  unassign(partition: TopicPartition): void {
    this.#drop(partition);
  }

  pause(partition: TopicPartition): void {
    this.#assigned(partition).paused = true;
  }

  resume(partition: TopicPartition): void {
    this.#assigned(partition).paused = false;
    this.#arrived.notify();
    this.#wakeAll();
  }

  position(partition: TopicPartition): number {
    return this.#assigned(partition).position;
  }

  endOffset(partition: TopicPartition): number {
    return this.#assigned(partition).endOffset;
  }

  async poll(maxWaitMs: number): Promise<readonly RecordBatch[]> {
    if (this.#closed) throw new LogError('closed', 'the reader is closed');
    assert(!this.#polling, 'a reader is polled by one caller at a time');
    this.#polling = true;
    try {
      const { clock } = this.#cluster;
      const deadline = clock.monotonic() + maxWaitMs;
      // A caller that always finds something must not keep sockets from their turn.
      await nextTurn();
      while (!this.#closed) {
        const batches = this.#takeBuffered();
        const leftMs = deadline - clock.monotonic();
        if (batches.length > 0 || leftMs <= 0) return batches;
        await this.#arrived.wait(clock, leftMs);
      }
      return [];
    } finally {
      this.#polling = false;
    }
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#onClose(this);
      this.#arrived.notify();
      this.#wakeAll();
      await this.#cluster.close();
      this.#assignments.clear();
    }
    await Promise.all(this.#loops);
  }

  #assigned(partition: TopicPartition): Assignment {
    return must(
      this.#assignments.get(keyOf(partition)),
      `${partition.topic}-${partition.partition} is not assigned to this reader`,
    );
  }

  #drop(partition: TopicPartition): Assignment | undefined {
    const key = keyOf(partition);
    const assignment = this.#assignments.get(key);
    if (assignment === undefined) return undefined;
    this.#bufferedBytes -= assignment.bufferedBytes;
    this.#assignments.delete(key);
    return assignment;
  }

  #wakeAll(): void {
    for (const signal of this.#fetchers.values()) signal.notify();
    this.#leaderless.notify();
  }

  /** Everything buffered of partitions that are not paused; errors first, one a call. */
  #takeBuffered(): RecordBatch[] {
    const batches: RecordBatch[] = [];
    for (const assignment of this.#assignments.values()) {
      const { error } = assignment;
      // Batches that came before the error are handed out first.
      if (error === undefined || assignment.paused || assignment.stretches.length > 0) continue;
      assignment.error = undefined;
      assignment.unknownSinceMs = undefined;
      this.#wakeAll();
      throw error;
    }
    let taken = false;
    for (const assignment of this.#assignments.values()) {
      if (assignment.paused || assignment.stretches.length === 0) continue;
      for (const stretch of assignment.stretches) {
        for (const batch of stretch.batches) batches.push(batch);
        assignment.position = stretch.nextOffset;
      }
      this.#bufferedBytes -= assignment.bufferedBytes;
      assignment.bufferedBytes = 0;
      assignment.stretches = [];
      taken = true;
    }
    if (taken) this.#wakeAll();
    return batches;
  }

  /** Looks for the leaders of partitions that have none, and starts the loops that fetch from them. */
  async #findLeaders(): Promise<void> {
    const { clock, logger, signal } = this.#cluster;
    while (!this.#closed) {
      const lost = [...this.#assignments.values()].filter(
        ({ leader, error, paused }) => leader < 0 && error === undefined && !paused,
      );
      if (lost.length === 0) {
        await this.#leaderless.wait();
        continue;
      }
      const failures = Math.min(...lost.map((assignment) => assignment.failures));
      if (failures > 0) await sleep(clock, backoffMs(failures), signal);
      if (this.#closed) return;
      try {
        await this.#cluster.refresh([...new Set(lost.map(({ topic }) => topic))]);
        for (const assignment of lost) this.#settleLeader(assignment);
      } catch (error) {
        for (const assignment of lost) {
          assignment.failures++;
          if (error instanceof LogError && error.kind !== 'closed') this.#fail(assignment, error);
        }
        if (!this.#closed)
          logger.warn({ error: (error as Error).message }, 'looking for partition leaders failed');
      }
    }
  }

  #settleLeader(assignment: Assignment): void {
    const { topic, partition } = assignment;
    const metadata = this.#cluster.topic(topic);
    const leader = this.#cluster.leaderOf(topic, partition);
    if (leader >= 0) {
      assignment.leader = leader;
      assignment.unknownSinceMs = undefined;
      let wake = this.#fetchers.get(leader);
      if (wake === undefined) {
        wake = new Signal();
        this.#fetchers.set(leader, wake);
        this.#loops.push(this.#fetchFrom(leader, wake));
      }
      wake.notify();
      return;
    }
    assignment.failures++;
    const code = metadata?.code ?? NONE;
    if (code === INVALID_TOPIC_EXCEPTION) return this.#fail(assignment, unknownTopic(topic));
    if (code !== NONE && !isRetriable(code))
      return this.#fail(assignment, errorOf(code, `reading topic ${topic}`, { topic, partition }));
    // The topic is not there, or has no such partition.
    const missing = metadata === undefined || metadata.partitions[partition] === undefined;
    const nowMs = this.#cluster.clock.monotonic();
    if (!missing) assignment.unknownSinceMs = undefined;
    else if (assignment.unknownSinceMs === undefined) assignment.unknownSinceMs = nowMs;
    else if (nowMs - assignment.unknownSinceMs >= UNKNOWN_TOPIC_PATIENCE_MS)
      this.#fail(
        assignment,
        metadata?.partitions.length ? unknownTopic(topic, partition) : unknownTopic(topic),
      );
  }

  #fail(assignment: Assignment, error: LogError): void {
    if (this.#assignments.get(keyOf(assignment)) !== assignment) return;
    assignment.error = error;
    this.#arrived.notify();
  }

  async #fetchFrom(node: number, wake: Signal): Promise<void> {
    let idle = false;
    /** A fetch is answered as soon as there is one record: a trickle would cost a request and a turn for every few. */
    let trickles = false;
    while (!this.#closed) {
      const wanted = this.#wantedFrom(node);
      if (wanted.length === 0) {
        await wake.wait();
        continue;
      }
      const share = Math.floor(this.#bufferBytesMax / this.#assignments.size);
      const request = fetchRequest(
        wanted.map(({ topic, partition, fetchOffset }) => ({ topic, partition, offset: fetchOffset })),
        {
          maxWaitMs: trickles
            ? this.#gatheringMs()
            : idle && this.#isWhole(node, wanted.length)
              ? IDLE_FETCH_WAIT_MS
              : FETCH_WAIT_MS,
          bytesMin: trickles ? GATHERED_BYTES : 1,
          bytesMax: Math.min(
            FETCH_BYTES_MAX,
            Math.max(PARTITION_BYTES_MIN, this.#bufferBytesMax - this.#bufferedBytes),
          ),
          partitionBytesMax: Math.min(PARTITION_BYTES_MAX, Math.max(PARTITION_BYTES_MIN, share)),
          readCommitted: this.#readCommitted,
        },
      );
      let fetched: Fetched;
      try {
        fetched = await this.#cluster.send(node, request);
      } catch (error) {
        if (this.#closed) return;
        this.#cluster.logger.warn({ node, error: (error as Error).message }, 'a fetch failed');
        for (const assignment of wanted) {
          this.#loseLeader(assignment);
          if (error instanceof LogError) this.#fail(assignment, error);
        }
        continue;
      }
      const byKey = new Map(wanted.map((assignment) => [keyOf(assignment), assignment]));
      let any = false;
      let bytes = 0;
      for (const part of fetched.partitions) {
        const assignment = byKey.get(keyOf(part));
        bytes += part.end - part.start;
        if (assignment === undefined || this.#assignments.get(keyOf(part)) !== assignment) continue;
        this.#take(assignment, part);
        any = true;
      }
      idle = bytes === 0;
      trickles = this.#gatherMs > 0 && !idle && bytes < GATHERED_BYTES && !wanted.some(isBehind);
      // An error of the whole response (a session, which we have none of): as if the connection had failed.
      if (fetched.code !== NONE || (!any && fetched.partitions.length === 0))
        for (const assignment of wanted) this.#loseLeader(assignment);
    }
  }

  /** Until a time that is the same for all readers of the process: what comes together is one turn of the event loop. */
  #gatheringMs(): number {
    const ms = this.#gatherMs;
    const left = ms - (this.#cluster.clock.monotonic() % ms);
    return Math.round(left < ms / 2 ? left + ms : left);
  }

  /** Whether a fetch of so many partitions leaves none out that may want to join it while it waits. */
  #isWhole(node: number, wanted: number): boolean {
    let others = 0;
    for (const { leader } of this.#assignments.values()) if (leader >= 0 && leader !== node) others++;
    return wanted + others === this.#assignments.size;
  }

  /** Partitions whose buffers have room, beginning with another one each time: brokers fill responses in that order. */
  #wantedFrom(node: number): Assignment[] {
    const wanted: Assignment[] = [];
    const full = this.#bufferedBytes >= this.#bufferBytesMax;
    const share = this.#bufferBytesMax / this.#assignments.size;
    for (const assignment of this.#assignments.values()) {
      if (assignment.leader !== node || assignment.paused || assignment.error !== undefined) continue;
      // Paused partitions may hold the whole buffer: one that has nothing is fetched all the same.
      if (assignment.stretches.length > 0 && (full || assignment.bufferedBytes >= share)) continue;
      wanted.push(assignment);
    }
    if (wanted.length < 2) return wanted;
    const first = this.#turn++ % wanted.length;
    return [...wanted.slice(first), ...wanted.slice(0, first)];
  }

  #loseLeader(assignment: Assignment): void {
    assignment.leader = -1;
    assignment.failures++;
    this.#leaderless.notify();
  }

  #take(assignment: Assignment, part: FetchedPartition): void {
    const { topic, partition, fetchOffset } = assignment;
    if (part.code !== NONE) {
      if (isRetriable(part.code)) {
        this.#cluster.logger.debug({ topic, partition, code: part.code }, 'looking for another leader');
        this.#loseLeader(assignment);
        return;
      }
      const doing = `reading ${topic}-${partition} at offset ${fetchOffset}`;
      this.#fail(assignment, errorOf(part.code, doing, { topic, partition, offset: fetchOffset }));
      return;
    }
    assignment.failures = 0;
    assignment.endOffset = this.#readCommitted ? part.lastStableOffset : part.highWatermark;
    const sizeBytes = part.end - part.start;
    if (sizeBytes === 0) return;
    try {
      const aborted = this.#readCommitted ? part.aborted : null;
      const decoded = decodeBatches(topic, partition, part.buffer, part.start, part.end, fetchOffset, {
        aborted,
      });
      if (decoded.nextOffset === fetchOffset) return;
      assignment.fetchOffset = decoded.nextOffset;
      assignment.stretches.push({ ...decoded, sizeBytes });
      assignment.bufferedBytes += sizeBytes;
      this.#bufferedBytes += sizeBytes;
      this.#arrived.notify();
    } catch (error) {
      const at = { topic, partition, offset: fetchOffset };
      this.#fail(
        assignment,
        error instanceof LogError ? error : new LogError('corrupt', (error as Error).message, at),
      );
    }
  }
}

/** Whether the broker is known to hold more than was fetched. */
function isBehind({ fetchOffset, endOffset }: Assignment): boolean {
  return fetchOffset < endOffset;
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition}/${topic}`;
}
