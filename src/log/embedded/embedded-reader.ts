import { assert, must } from '../../common/assert.ts';
import { keepAlive, nextTurn } from '../../common/clock.ts';
import type { Clock } from '../../common/clock.ts';
import { LogError } from '../log.ts';
import type { LogReader, ReaderOptions, TopicPartition } from '../log.ts';
import type { RecordBatch } from '../record-batch.ts';
import type { LogState } from './log-state.ts';
import type { PartitionLog } from './partition-log.ts';
import { readExactly } from './segment.ts';
import type { Segment } from './segment.ts';
import { decodeStored } from './stored-batch.ts';
import type { StoredBatch } from './stored-batch.ts';

const BUFFER_BYTES_MAX = 4 * 1024 * 1024;
/** Small batches are read from files together with what lies behind them. */
const WINDOW_BYTES = 256 * 1024;

interface Assignment {
  readonly at: TopicPartition;
  position: number;
  paused: boolean;
  /** Null until the first poll after `assign`. */
  log: PartitionLog | null;
  window: { readonly segment: Segment; readonly start: number; readonly bytes: Buffer } | null;
}

/** Reads the batches where they lie. There is nothing to prefetch; waiting is by notification. */
export class EmbeddedReader implements LogReader {
  readonly #state: LogState;
  readonly #clock: Clock;
  readonly #bufferBytesMax: number;
  readonly #onClose: (reader: EmbeddedReader) => void;
  readonly #assignments = new Map<string, Assignment>();
  readonly #wake = (): void => this.#woken?.();
  #woken: (() => void) | null = null;
  #polling = false;
  #closed = false;
  /** The assignment that is served first: moves on with each poll, so that none starves. */
  #turn = 0;

  constructor(
    state: LogState,
    clock: Clock,
    options: ReaderOptions,
    onClose: (reader: EmbeddedReader) => void,
  ) {
    this.#state = state;
    this.#clock = clock;
    this.#bufferBytesMax = options.bufferBytesMax ?? BUFFER_BYTES_MAX;
    this.#onClose = onClose;
  }

  assign(position: TopicPartition & { readonly offset: number }): void {
    const { topic, partition, offset } = position;
    this.unassign(position);
    this.#assignments.set(keyOf(position), {
      at: { topic, partition },
      position: offset,
      paused: false,
      log: null,
      window: null,
    });
    this.#wake();
  }

  unassign(partition: TopicPartition): void {
    const key = keyOf(partition);
    this.#assignments.get(key)?.log?.listeners.delete(this.#wake);
    this.#assignments.delete(key);
  }

  pause(partition: TopicPartition): void {
    this.#assigned(partition).paused = true;
  }

  resume(partition: TopicPartition): void {
    this.#assigned(partition).paused = false;
    this.#wake();
  }

  position(partition: TopicPartition): number {
    return this.#assigned(partition).position;
  }

  endOffset(partition: TopicPartition): number {
    return this.#assigned(partition).log?.next ?? -1;
  }

  async poll(maxWaitMs: number): Promise<readonly RecordBatch[]> {
    if (this.#closed) throw new LogError('closed', 'the reader is closed');
    assert(!this.#polling, 'a reader is polled by one caller at a time');
    this.#polling = true;
    try {
      const deadline = this.#clock.monotonic() + maxWaitMs;
      // A caller that always finds something must not keep timers and sockets from their turn.
      await nextTurn();
      while (!this.#closed) {
        const batches = this.#collect();
        const left = deadline - this.#clock.monotonic();
        if (batches.length > 0 || left <= 0) return batches;
        await this.#wait(left);
      }
      return [];
    } finally {
      this.#polling = false;
    }
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    for (const { at } of this.#assignments.values()) this.unassign(at);
    this.#wake();
    this.#onClose(this);
    return Promise.resolve();
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#woken = null;
        cancel();
        letGo();
        resolve();
      };
      const cancel = this.#clock.setTimer(ms, done);
      // The process stays alive while somebody waits for records, as it does with a socket to a broker.
      const letGo = keepAlive();
      this.#woken = done;
    });
  }

  #collect(): RecordBatch[] {
    const batches: RecordBatch[] = [];
    const assignments = [...this.#assignments.values()].filter(({ paused }) => !paused);
    if (assignments.length === 0) return batches;
    this.#turn = (this.#turn + 1) % assignments.length;
    let budget = this.#bufferBytesMax;
    const share = budget / assignments.length;
    for (let i = 0; i < assignments.length && budget > 0; i++) {
      const assignment = assignments[(this.#turn + i) % assignments.length]!;
      budget -= this.#read(assignment, share, batches);
    }
    return batches;
  }

  /** Reads up to `bytesMax`, but one batch at least if there is one. Returns the bytes read. */
  #read(assignment: Assignment, bytesMax: number, into: RecordBatch[]): number {
    const log = this.#logOf(assignment);
    const { at } = assignment;
    if (assignment.position < log.start || assignment.position > log.next)
      throw new LogError(
        'offset-out-of-range',
        `offset ${assignment.position} of ${at.topic}-${at.partition} cannot be read: it has ${log.start} to ${log.next}`,
        { ...at, offset: assignment.position },
      );
    let read = 0;
    for (let i = log.indexOf(assignment.position); read < bytesMax; i++) {
      const stored = log.at(i);
      // Waiting for what no batch has would be waiting for ever.
      if ((stored?.baseOffset ?? log.next) > assignment.position) throw holeError(assignment, stored);
      if (stored === undefined) break;
      const bytes = bytesOf(stored, assignment, this.#windowBytes);
      const decoded = decodeStored(at, stored, bytes, assignment.position);
      for (const batch of decoded.batches) into.push(batch);
      assignment.position = decoded.nextOffset;
      read += stored.sizeBytes;
    }
    return read;
  }

  /** Every assignment keeps its window, and all of them together no more than may be buffered. */
  get #windowBytes(): number {
    return Math.min(WINDOW_BYTES, Math.floor(this.#bufferBytesMax / this.#assignments.size));
  }

  #logOf(assignment: Assignment): PartitionLog {
    if (assignment.log?.deleted === true) {
      assignment.log.listeners.delete(this.#wake);
      assignment.log = null;
    }
    if (assignment.log === null) {
      assignment.log = this.#state.partition(assignment.at);
      assignment.log.listeners.add(this.#wake);
    }
    return assignment.log;
  }

  #assigned(partition: TopicPartition): Assignment {
    return must(
      this.#assignments.get(keyOf(partition)),
      `${partition.topic}-${partition.partition} is not assigned to this reader`,
    );
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

function holeError({ at, position }: Assignment, next: StoredBatch | undefined): LogError {
  const until = next === undefined ? 'and nothing is behind it' : `and the next one is ${next.baseOffset}`;
  return new LogError(
    'corrupt',
    `offset ${position} of ${at.topic}-${at.partition} is in no batch of the log, ${until}`,
    { ...at, offset: position },
  );
}

function bytesOf(stored: StoredBatch, assignment: Assignment, windowBytes: number): Buffer {
  if (stored.bytes !== null) return stored.bytes;
  const { segment, position, sizeBytes } = stored;
  assert(segment !== null, 'a batch is in memory or in a file');
  if (sizeBytes > windowBytes / 2) return readExactly(segment, position, sizeBytes);
  let { window } = assignment;
  const end = position + sizeBytes;
  if (
    window === null ||
    window.segment !== segment ||
    position < window.start ||
    end > window.start + window.bytes.length
  ) {
    const bytes = readExactly(segment, position, Math.min(windowBytes, segment.sizeBytes - position));
    window = { segment, start: position, bytes };
    assignment.window = window;
  }
  return window.bytes.subarray(position - window.start, end - window.start);
}
