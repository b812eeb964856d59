import type { LogReader } from '../../log/log.ts';
import type { RecordBatch } from '../../log/record-batch.ts';
import type { InputQueue } from '../task/input-queue.ts';

/** The input partitions of all tasks of an instance, between the reader and the tasks. */
export class InputBuffers {
  readonly #reader: LogReader;
  readonly #bytesMax: number;
  /** By `topic-partition` of the log. */
  readonly #inputs = new Map<string, InputQueue>();

  constructor(reader: LogReader, bytesMax: number) {
    this.#reader = reader;
    this.#bytesMax = bytesMax;
  }

  /** Starts reading an input where it begins. */
  add(input: InputQueue): void {
    const { topic, partition, position: offset } = input;
    this.#inputs.set(`${topic}-${partition}`, input);
    this.#reader.assign({ topic, partition, offset });
  }

  /** Queues what the reader gave, and steps over offsets that hold no records. */
  push(batches: readonly RecordBatch[]): void {
    for (const batch of batches) this.#inputs.get(`${batch.topic}-${batch.partition}`)?.push(batch);
    for (const input of this.#inputs.values()) if (input.isEmpty) input.skipTo(this.#reader.position(input));
  }

  /** Whether the log is known to hold more than was fetched. */
  get behind(): boolean {
    for (const input of this.#inputs.values())
      if (this.#reader.position(input) < this.#reader.endOffset(input)) return true;
    return false;
  }

  /** Pauses partitions of which much is queued, so that one input cannot fill the memory. */
  throttle(): void {
    const limit = this.#bytesMax / Math.max(1, this.#inputs.size);
    for (const input of this.#inputs.values()) {
      if (!input.paused && input.bufferedBytes > limit) {
        this.#reader.pause(input);
        input.paused = true;
      } else if (input.paused && input.bufferedBytes <= limit / 2) {
        this.#reader.resume(input);
        input.paused = false;
      }
    }
  }

  /** The offset up to which an input is processed, gaps behind the last record included. */
  position(input: InputQueue): number {
    return input.isEmpty ? Math.max(input.position, this.#reader.position(input)) : input.position;
  }

  /** How far the log is known to be ahead of what was fetched: -1 while it is not known. */
  lagOf(topic: string, partition: number): number {
    const end = this.#reader.endOffset({ topic, partition });
    return end < 0 ? -1 : Math.max(0, end - this.#reader.position({ topic, partition }));
  }
}
