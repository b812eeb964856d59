import { must } from '../../common/assert.ts';
import type { Clock } from '../../common/clock.ts';
import { LogError, type LogWriter, type OffsetToCommit, type TopicPartition } from '../../log/log.ts';
import { encodeMetadata } from './offset-metadata.ts';
import type { Task } from '../task/task.ts';

/** Output that is worth a request of its own before the commit. */
const FLUSH_BYTES = 1024 * 1024;
/** Output that is worth a commit of its own, where nothing may be sent without one. */
const COMMIT_BYTES = 8 * 1024 * 1024;
const PENDING_BYTES_MAX = 32 * 1024 * 1024;
/** When it is looked whether what is on its way has arrived, so that the next may go. */
const FLUSHING_WAIT_MS = 1;

/**
 * Brings output, changelogs and input offsets of all tasks of an instance to the log: operators forward what they held
 * back, changelogs are drained, and then everything goes in one step.
 */
export class Committer {
  readonly #clock: Clock;
  readonly #writer: LogWriter;
  readonly #changelogName: (store: string) => string;
  readonly #commitsOffsets: boolean;
  readonly #partitionsOf: (topic: string) => number | undefined;
  /** The next offset of each changelog that a task writes, by store. */
  readonly #changelogPositions = new Map<Task, Map<string, number>>();
  #flushing: Promise<void> | null = null;
  #lastFlushMs = -Infinity;
  /** The error of a flush that was not awaited; the next turn throws it. */
  #flushError: unknown = null;

  /** `partitionsOf`: how many a topic has, which is committed with its offsets; undefined where nobody needs to know. */
  constructor(
    clock: Clock,
    writer: LogWriter,
    changelogName: (store: string) => string,
    commitsOffsets: boolean,
    partitionsOf: (topic: string) => number | undefined,
  ) {
    this.#clock = clock;
    this.#writer = writer;
    this.#changelogName = changelogName;
    this.#commitsOffsets = commitsOffsets;
    this.#partitionsOf = partitionsOf;
  }

  /** `positions`: the next changelog offset of each store that has a changelog. */
  addTask(task: Task, positions: Map<string, number>): void {
    this.#changelogPositions.set(task, positions);
  }

  changelogPositions(task: Task): ReadonlyMap<string, number> {
    return must(this.#changelogPositions.get(task));
  }

  throwFlushError(): void {
    if (this.#flushError !== null) throw this.#flushError;
  }

  /**
   * After a turn of which `idle` says whether it had nothing to do: sends output early where that is allowed, and waits
   * when too much is on its way. Returns whether a commit should follow for the sake of the output.
   */
  async send(idle: boolean): Promise<boolean> {
    const { pendingBytes } = this.#writer;
    const flushes = this.#mayFlush;
    const worth = (bytes: number): boolean => pendingBytes > 0 && (idle || pendingBytes >= bytes);
    if (flushes && (worth(FLUSH_BYTES) || this.dueInMs <= 0)) this.#flushSoon();
    if (this.#writer.pendingBytes > PENDING_BYTES_MAX || (idle && this.#flushing !== null))
      await this.#flushing;
    return !flushes && worth(COMMIT_BYTES);
  }

  /** In how many milliseconds what has gathered is to go without more; Infinity when that is with the next commit. */
  get dueInMs(): number {
    if (!this.#mayFlush || this.#writer.unsentBytes === 0) return Infinity;
    const due = this.#lastFlushMs + this.#writer.lingerMs - this.#clock.monotonic();
    return Math.max(due, this.#flushing === null ? 0 : FLUSHING_WAIT_MS);
  }

  /**
   * Output that others see before its input is committed would come twice after a crash: where the log can do both in one
   * step, sending early means committing early. In a transaction it leaves the commit less to do.
   */
  get #mayFlush(): boolean {
    return !this.#writer.atomicCommit || this.#writer.flushStaysHidden;
  }

  /** Returns whether anything was committed. */
  async commit(tasks: readonly Task[]): Promise<boolean> {
    const writer = this.#writer;
    await this.settle();
    this.throwFlushError();
    const offsets: OffsetToCommit[] = [];
    const changed: Task[] = [];
    for (const task of tasks) {
      await task.turn.flush();
      if (!task.commitNeeded && !task.commitRequested) continue;
      changed.push(task);
      this.#drainChangelogs(task);
      const numbers = task.persistedNumbers();
      task.inputs.forEach((input, i) => {
        const metadata = encodeMetadata(i === 0 ? numbers : null, this.#partitionsOf(input.topic));
        offsets.push({ topic: input.topic, partition: input.partition, offset: input.position, metadata });
      });
    }
    if (!this.#commitsOffsets) offsets.length = 0;
    const anything = offsets.length > 0 || writer.pendingBytes > 0;
    if (anything) await writer.commit(offsets);
    for (const task of changed) {
      // Nothing was read since.
      for (const input of task.inputs) input.committed = input.position;
      task.commitNeeded = false;
      task.commitRequested = false;
      const positions = must(this.#changelogPositions.get(task));
      for (const name of positions.keys()) {
        const end = writer.endOffset(this.#changelog(name, task.partition));
        if (end >= 0) positions.set(name, end);
      }
    }
    return anything;
  }

  /** Waits for a flush that is under way. */
  async settle(): Promise<void> {
    if (this.#flushing !== null) await this.#flushing;
  }

  #flushSoon(): void {
    if (this.#flushing !== null) return;
    this.#lastFlushMs = this.#clock.monotonic();
    this.#flushing = this.#writer
      .flush()
      .catch((error: unknown) => {
        this.#flushError ??= error;
      })
      .finally(() => {
        this.#flushing = null;
      });
  }

  #changelog(store: string, partition: number): TopicPartition {
    return { topic: this.#changelogName(store), partition };
  }

  #drainChangelogs(task: Task): void {
    const positions = must(this.#changelogPositions.get(task));
    for (const [name, store] of task.stores) {
      if (!positions.has(name)) {
        task.state.drainChangelog(store, () => undefined);
        continue;
      }
      const appender = this.#writer.appender(this.#changelog(name, task.partition));
      task.state.drainChangelog(store, (key, keyStart, keyEnd, value, valueStart, valueEnd, timestamp) => {
        try {
          appender.append(Math.max(0, timestamp), key, keyStart, keyEnd, value, valueStart, valueEnd, null);
        } catch (error) {
          throw rowError(error, name, key.subarray(keyStart, keyEnd), valueEnd - valueStart);
        }
      });
    }
  }
}

/** The error of a row that the changelog does not take, with key, store and size. */
function rowError(error: unknown, store: string, key: Uint8Array, sizeBytes: number): unknown {
  if (!(error instanceof LogError) || !error.refusesRecord) return error;
  const text = JSON.stringify(Buffer.from(key.subarray(0, 100)).toString('utf8'));
  const why =
    error.kind === 'record-too-large'
      ? `has ${sizeBytes} bytes, which its changelog cannot take: keep less in a row, raise max.request.size and the topic's max.message.bytes, or leave the changelog out (logging: false)`
      : `is refused by its changelog: ${error.message}`;
  return new LogError(error.kind, `the row of key ${text} in store ${store} ${why}`, error.partition);
}
