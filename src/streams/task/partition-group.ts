import { must } from '../../common/assert.ts';
import type { Clock } from '../../common/clock.ts';
import { DataError } from '../../common/error.ts';
import type { TopicPartition } from '../../log/log.ts';
import type { SkipReason } from '../topology/processor.ts';
import { shown } from '../topology/record-time.ts';
import type { InputQueue, Horizon } from './input-queue.ts';
import type { SourceHead, TaskSource } from './task-source.ts';

export interface PartitionGroupOptions {
  readonly clock: Clock;
  /** -1: never wait for an empty input; 0: wait while it is known to lag; above: and that long after. */
  readonly maxIdleMs: number;
  /** How far the log is ahead of what was fetched of an input partition: -1 unknown. */
  readonly lagOf: (topic: string, partition: number) => number;
  /** How far what is written to an input by this process has come; null where it writes nothing to it. */
  readonly horizonOf?: (input: TopicPartition) => Horizon | null;
}

/**
 * The input partitions of one task: chooses whose record is next , which takes decoding its head
 * where the time lies in the value.
 */
export class PartitionGroup {
  /** Among sources whose next records have the same time, the first one goes. */
  readonly sources: TaskSource[] = [];
  readonly #options: PartitionGroupOptions;
  /** By the name of a source node: see `sourceOrder`. */
  readonly #orderOf: (source: string) => number;
  #idleSince = -1;
  /**
   * The source whose head was decoded last, since the choice began. Values may be borrowed, from one scratch row for all
   * sources and tasks that read with the same serde: this one is still there, as nothing else was decoded or processed.
   */
  #decoded: TaskSource | null = null;

  constructor(options: PartitionGroupOptions, orderOf: (source: string) => number) {
    this.#options = options;
    this.#orderOf = orderOf;
  }

  add(source: TaskSource): void {
    source.horizon = this.#options.horizonOf?.(source.queue) ?? null;
    this.sources.push(source);
    this.sources.sort((a, b) => this.#orderOf(a.node.name) - this.#orderOf(b.node.name));
  }

  /** The input whose next record is oldest; null when there is none or one is awaited that might be older. */
  choose(): TaskSource | null {
    this.#decoded = null;
    const { sources } = this;
    if (sources.length === 1) return sources[0]!.queue.isEmpty ? null : sources[0]!;
    let best: TaskSource | null = null;
    let bestTimestamp = Infinity;
    let horizon = Infinity;
    for (const source of sources) {
      if (source.queue.isEmpty) {
        horizon = Math.min(horizon, this.#horizon(source));
        continue;
      }
      const timestamp = this.timeOf(source);
      if (timestamp < bestTimestamp) {
        best = source;
        bestTimestamp = timestamp;
      }
    }
    if (bestTimestamp > horizon) return null;
    const { maxIdleMs, clock } = this.#options;
    if (maxIdleMs > 0 && best !== null && sources.some((source) => source.queue.isEmpty)) {
      if (this.#idleSince < 0) this.#idleSince = clock.now();
      if (clock.now() - this.#idleSince < maxIdleMs) return null;
    } else {
      this.#idleSince = -1;
    }
    return best;
  }

  /** Chooses an input, whatever the others hold. */
  take(input: InputQueue): TaskSource {
    this.#decoded = null;
    const source = this.sources.find((each) => each.queue === input);
    return must(source, 'the input must be one of this task');
  }

  /**
   * Decodes the next record of a source and asks for its time, once a record: the choice between inputs and the
   * processing share the answer. Only a value that other records may have overwritten since is decoded again.
   */
  readHead(source: TaskSource): void {
    const { head, node } = source;
    const batch = source.queue.batch!;
    const i = source.queue.index;
    const holds = node.value.borrowed !== true || this.#decoded === source;
    if (head.known && (head.failure !== null || holds)) return;
    const start = batch.valueStart[i]!;
    this.#decoded = source;
    head.value = null;
    try {
      if (start >= 0) head.value = node.value.deserialize(batch.buffer, start, batch.valueEnd[i]!);
    } catch (error) {
      failHead(head, 'deserialization', error);
      return;
    }
    if (head.known) return;
    source.setKey(batch, i);
    try {
      const time = batch.timestamps[i]!;
      const extracted: unknown = source.extractor(
        head.value,
        source.key,
        time,
        source.time.value,
        this.#options.clock,
      );
      // A time that is none would be chosen, compared and stored as NaN.
      if (!Number.isSafeInteger(extracted))
        throw new DataError(
          `the timestamp extractor gave ${shown(extracted)}, which is no time in whole milliseconds`,
        );
      head.timestamp = extracted as number;
      head.known = true;
    } catch (error) {
      failHead(head, 'timestamp', error);
    }
  }

  /** The time of the record that is next. Only when there is one. */
  timeOf(source: TaskSource): number {
    const { head } = source;
    if (head.known) return head.timestamp;
    if (source.recordTime) {
      const timestamp = source.queue.headTimestamp();
      if (timestamp >= 0) return timestamp;
    }
    this.readHead(source);
    return head.timestamp;
  }

  /** The time of the earliest record that is queued, or may come: `ofEmpty` says it of an input that is empty. */
  earliest(ofEmpty: (input: InputQueue) => number): number {
    let earliest = Infinity;
    for (const source of this.sources) {
      const time = source.queue.isEmpty ? ofEmpty(source.queue) : this.timeOf(source);
      if (time < earliest) earliest = time;
    }
    return earliest;
  }

  /** The earliest time of a record that may still come into an input that is empty. */
  #horizon({ queue, horizon }: TaskSource): number {
    if (this.#lagging(queue)) return -Infinity;
    return horizon === null || this.#options.maxIdleMs < 0 ? Infinity : horizon();
  }

  /** KIP-695: an input that is empty here but not in the log may hold an older record. */
  #lagging(queue: InputQueue): boolean {
    return this.#options.maxIdleMs >= 0 && this.#options.lagOf(queue.topic, queue.partition) !== 0;
  }
}

function failHead(head: SourceHead, failure: SkipReason, error: unknown): void {
  head.known = true;
  head.failure = failure;
  head.error = error;
  // It goes first: what cannot be read must not wait for others.
  head.timestamp = -1;
}
