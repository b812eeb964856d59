import type { Clock } from '../../common/clock.ts';
import { eventLoop } from '../../common/event-loop.ts';
import type { TaskState } from '../../state/store.ts';
import type { PersistedNumber, Processor } from '../topology/processor.ts';
import { AsyncTurn } from './async-turn.ts';
import { Chunk } from './chunk.ts';
import type { CurrentRecord } from './current-record.ts';
import type { InputQueue } from './input-queue.ts';
import type { TaskInternals } from './node-context.ts';
import type { PartitionGroup } from './partition-group.ts';
import { Prefetch } from './prefetch.ts';
import type { Punctuations } from './punctuations.ts';
import type { RecordFailures } from './record-failures.ts';
import { Redo } from './redo.ts';
import type { TaskSource } from './task-source.ts';

/** The task of a turn, as the turn sees it. */
export interface TurnedTask {
  readonly state: TaskState;
  readonly paused: boolean;
  commitNeeded: boolean;
  recordsProcessed: number;
}

/** Takes a task forward: chooses the next record and brings it to the operators, fires punctuations, flushes. */
export class TaskTurn {
  readonly redo: Redo;
  readonly #task: TurnedTask;
  readonly #group: PartitionGroup;
  readonly #clock: Clock;
  readonly #record: CurrentRecord;
  readonly #failures: RecordFailures;
  readonly #streamTime: PersistedNumber;
  readonly #streamPunctuations: Punctuations;
  readonly #wallPunctuations: Punctuations;
  readonly #processors: readonly Processor[];
  readonly #prefetch: Prefetch;
  /** Null without asynchronous operators. */
  readonly #async: AsyncTurn | null;
  readonly #process = (source: TaskSource): void => this.#processHead(source);
  readonly #fire = (nowMs: number): void => this.#fireWallClock(nowMs);

  constructor(
    task: TurnedTask,
    internals: TaskInternals,
    group: PartitionGroup,
    processors: readonly Processor[],
  ) {
    const { options, record, failures, numbers } = internals;
    const { state, output, clock, subTopology } = options;
    const calls = processors.flatMap((each) => each.calls ?? []);
    this.redo = new Redo({ state, output, failures, numbers, calls, repeatable: subTopology.repeatable });
    this.#task = task;
    this.#group = group;
    this.#clock = clock;
    this.#record = record;
    this.#failures = failures;
    this.#streamTime = internals.streamTime;
    this.#streamPunctuations = internals.streamPunctuations;
    this.#wallPunctuations = internals.wallPunctuations;
    this.#processors = processors;
    this.#prefetch = new Prefetch(processors);
    this.#async = calls.length === 0 ? null : new AsyncTurn(calls, this.redo, clock);
  }

  /** Whether there are operators that wait for the outside: only `processChunk` drives those. */
  get isAsynchronous(): boolean {
    return this.#async !== null;
  }

  /** See `AsyncTurn`. */
  get awaits(): boolean {
    return this.#async?.awaits === true;
  }

  /** See `AsyncTurn`. */
  get isBlocked(): boolean {
    return this.#async?.isBlocked === true;
  }

  /** When the next wall-clock punctuation is due. */
  get nextPunctuationMs(): number {
    return this.#wallPunctuations.dueMs;
  }

  /**
   * Processes queued records until `deadlineMs` (monotonic), `recordsMax`, an input is needed that has not come, or the
   * task is paused. Returns how many. Rejects with whatever an operator threw that is not the data's.
   */
  async processChunk(recordsMax: number, deadlineMs: number): Promise<number> {
    if (this.#task.paused) return 0;
    await this.prepare(recordsMax);
    const chunk = new Chunk(recordsMax, deadlineMs);
    if (this.#async !== null) await this.#async.processChunk(chunk, (one) => this.run(one));
    else while (!this.run(chunk)) await this.redo.load();
    return chunk.done;
  }

  /** Before `run`: loads what can be known to be needed for so many of the queued records. */
  async prepare(recordsMax: number): Promise<void> {
    await this.redo.ready();
    const { state } = this.#task;
    if (!state.resident && this.#prefetch.want(this.#group.sources, recordsMax, state))
      await this.redo.load();
  }

  /**
   * Processes queued records while none is later than `latestMs`. Returns false when state has to be loaded before it
   * can go on, true when it ended as `processChunk` does.
   */
  run(chunk: Chunk, latestMs = Infinity): boolean {
    if (this.redo.isLoading) return false;
    const task = this.#task;
    const group = this.#group;
    const guarded = !task.state.resident;
    chunk.nextMs = -1;
    while (chunk.done < chunk.recordsMax && !task.paused) {
      const source = group.choose();
      if (source === null) return true;
      if (latestMs < Infinity) {
        const time = group.timeOf(source);
        if (time > latestMs) {
          chunk.nextMs = time;
          return true;
        }
      }
      if (!guarded) this.#processHead(source);
      else if (!this.redo.attempt(this.#process, source)) return false;
      task.recordsProcessed++;
      source.advance();
      chunk.done++;
      if (((chunk.done & 127) === 0 || eventLoop.held) && this.#clock.monotonic() >= chunk.deadlineMs)
        return true;
    }
    return true;
  }

  /** Processes the next record of one input, whatever the others hold: for drivers that choose the order. */
  async processOne(input: InputQueue): Promise<void> {
    await this.redo.until(() => this.redo.attempt(this.#process, this.#group.take(input)));
    this.#task.recordsProcessed++;
    this.#group.take(input).advance();
    await this.#async?.deliverAll();
  }

  /** Fires wall-clock punctuations. Done when this returns, unless they need state that must be loaded. */
  async punctuate(nowMs: number): Promise<void> {
    if (nowMs >= this.#wallPunctuations.dueMs)
      await this.redo.until(() => this.redo.attempt(this.#fire, nowMs));
  }

  /** Before a commit: forwards what operators held back. */
  async flush(): Promise<void> {
    await this.redo.ready();
    await this.#async?.deliverAll();
    for (const processor of this.#processors) {
      if (processor.flush === undefined) continue;
      this.#record.clear();
      await this.redo.until(() => this.redo.attempt(flushed, processor));
    }
  }

  #fireWallClock(nowMs: number): void {
    this.#record.clear();
    if (this.#wallPunctuations.fire(nowMs)) this.#task.commitNeeded = true;
  }

  #processHead(source: TaskSource): void {
    const batch = source.queue.batch!;
    const i = source.queue.index;
    const { key, node } = source;
    this.#record.batch = batch;
    this.#record.index = i;
    this.#task.commitNeeded = true;
    source.setKey(batch, i);
    let value: unknown;
    let timestamp: number;
    if (source.recordTime && batch.timestamps[i]! >= 0) {
      timestamp = batch.timestamps[i]!;
      const valueStart = batch.valueStart[i]!;
      if (valueStart < 0) value = null;
      else
        try {
          value = node.value.deserialize(batch.buffer, valueStart, batch.valueEnd[i]!);
        } catch (error) {
          return this.#failures.failed(node.name, 'deserialization', error);
        }
    } else {
      const { head } = source;
      this.#group.readHead(source);
      if (head.failure !== null) return this.#failures.failed(node.name, head.failure, head.error);
      timestamp = head.timestamp;
      value = head.value;
      if (timestamp < 0) {
        const detail = `the record has no usable timestamp (${timestamp})`;
        return this.#failures.skip(node.name, 'timestamp', detail, null);
      }
    }
    const streamTime = this.#streamTime;
    if (timestamp > streamTime.value) streamTime.value = timestamp;
    if (timestamp > source.time.value) source.time.value = timestamp;
    const { children } = source;
    for (let c = 0; c < children.length; c++) children[c]!.receive(key, value, undefined, timestamp);
    if (streamTime.value >= this.#streamPunctuations.dueMs) {
      this.#record.clear();
      this.#streamPunctuations.fire(streamTime.value);
    }
    return undefined;
  }
}

function flushed(processor: Processor): void {
  processor.flush!();
}
