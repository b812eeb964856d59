import { assert } from '../../common/assert.ts';
import { LogError } from '../log.ts';
import type { LogWriter, OffsetToCommit, TopicPartition, WriterOptions } from '../log.ts';
import { writeInt64 } from '../record-batch-header.ts';
import type { RecordAppender } from '../record-appender.ts';
import { SlabAppender } from '../slab-appender.ts';
import type { SealedBatch } from '../slab-appender.ts';
import type { Compressor } from '../codecs.ts';
import type { LogState } from './log-state.ts';
import type { Change, Operation } from './change.ts';

/** Makes a change take effect; `build` runs when all changes before it have. */
export type CommitChange = (build: () => Change) => Promise<void>;

interface Output {
  readonly at: TopicPartition;
  readonly appender: SlabAppender;
  end: number;
}

/**
 * Gathers records and commits them in one change. When a flush or commit rejects, nothing of it was stored,
 * and what was gathered for it is gone.
 */
export class EmbeddedWriter implements LogWriter {
  readonly #state: LogState;
  readonly #commitChange: CommitChange;
  readonly #options: WriterOptions;
  readonly #compressor: Compressor | null;
  readonly #outputs = new Map<string, Output>();
  #inFlightBytes = 0;
  #closed = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    state: LogState,
    commitChange: CommitChange,
    options: WriterOptions,
    compressor: Compressor | null,
  ) {
    this.#state = state;
    this.#commitChange = commitChange;
    this.#options = options;
    this.#compressor = compressor;
  }

  appender(partition: TopicPartition): RecordAppender {
    const key = `${partition.topic}/${partition.partition}`;
    let output = this.#outputs.get(key);
    if (output === undefined) {
      const at = { topic: partition.topic, partition: partition.partition };
      const { requestBytesMax } = this.#options;
      const appender = new SlabAppender(at, {
        compressor: this.#compressor,
        ...(requestBytesMax === undefined ? {} : { recordBytesMax: requestBytesMax }),
      });
      this.#outputs.set(key, (output = { at, appender, end: -1 }));
    }
    return output.appender;
  }

  readonly atomicCommit = true;
  /** What is flushed is in the log. */
  readonly flushStaysHidden = false;
  /** What it sends before a commit others would see before its input is committed. */
  readonly lingerMs = Infinity;

  readable(): Promise<void> {
    return Promise.resolve();
  }

  get pendingBytes(): number {
    return this.#inFlightBytes + this.unsentBytes;
  }

  get unsentBytes(): number {
    let bytes = 0;
    for (const { appender } of this.#outputs.values()) bytes += appender.pendingBytes;
    return bytes;
  }

  isPending(partition: TopicPartition): boolean {
    const output = this.#outputs.get(`${partition.topic}/${partition.partition}`);
    return output !== undefined && (this.#inFlightBytes > 0 || output.appender.pendingBytes > 0);
  }

  flush(): Promise<void> {
    return this.#send([]);
  }

  commit(offsets: readonly OffsetToCommit[]): Promise<void> {
    assert(
      offsets.length === 0 || this.#options.group !== undefined,
      'a writer without a group commits no offsets',
    );
    return this.#send(offsets);
  }

  endOffset(partition: TopicPartition): number {
    return this.#outputs.get(`${partition.topic}/${partition.partition}`)?.end ?? -1;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
  }

  async #send(offsets: readonly OffsetToCommit[]): Promise<void> {
    if (this.#closed) throw new LogError('closed', 'the writer is closed');
    const taken: { output: Output; batches: SealedBatch[] }[] = [];
    let takenBytes = 0;
    for (const output of this.#outputs.values()) {
      if (output.appender.pendingRecords === 0) continue;
      const batches = output.appender.take();
      for (const { bytes } of batches) takenBytes += bytes.length;
      taken.push({ output, batches });
    }
    if (taken.length === 0 && offsets.length === 0) {
      await this.#last;
      return;
    }

    const ends: number[] = [];
    const result = this.#commitChange(() => {
      const operations: Operation[] = [];
      const stored: Buffer[] = [];
      for (const { output, batches } of taken) {
        const { topicId: id, partition, next } = this.#state.partition(output.at);
        let base = next;
        for (const { bytes, recordCount, maxTimestamp: max } of batches) {
          writeInt64(bytes, 0, base);
          operations.push({
            op: 'append',
            id,
            partition,
            base,
            last: base + recordCount - 1,
            max,
            size: bytes.length,
          });
          stored.push(bytes);
          base += recordCount;
        }
        ends.push(base);
      }
      if (offsets.length > 0) {
        for (const offset of offsets) this.#state.partition(offset);
        const rows = offsets.map((o) => [o.topic, o.partition, o.offset, o.metadata] as const);
        operations.push({ op: 'offsets', group: this.#options.group!, offsets: rows });
      }
      return { operations, batches: stored };
    });
    this.#last = result.catch(() => {});
    this.#inFlightBytes += takenBytes;
    try {
      await result;
    } finally {
      this.#inFlightBytes -= takenBytes;
    }
    taken.forEach(({ output }, i) => (output.end = ends[i]!));
  }
}
