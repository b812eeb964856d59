import type { Header, RecordBatch } from '../../log/record-batch.ts';
import { readHeaders } from '../../log/record-batch-codec.ts';
import type { RecordContext } from '../topology/processor.ts';

/** Shared by all records without headers, so nobody may add to it. */
const NO_HEADERS: readonly Header[] = Object.freeze([]);

/** The record in flight, read from its batch when asked. */
export class CurrentRecord implements RecordContext {
  batch: RecordBatch | null = null;
  index = 0;
  #replaced: readonly Header[] | null = null;

  get topic(): string {
    return this.batch === null ? '' : this.batch.topic;
  }

  get partition(): number {
    return this.batch === null ? -1 : this.batch.partition;
  }

  get offset(): number {
    return this.batch === null ? -1 : this.batch.offsets[this.index]!;
  }

  headers(): readonly Header[] {
    if (this.#replaced !== null) return this.#replaced;
    const { batch, index } = this;
    // The count comes first: most records have none, and sinks ask for each.
    if (batch === null || batch.buffer[batch.headersStart[index]!] === 0) return NO_HEADERS;
    return Object.freeze(readHeaders(batch, index));
  }

  replaceHeaders(headers: readonly Header[] | null): readonly Header[] | null {
    const before = this.#replaced;
    this.#replaced = headers;
    return before;
  }

  /** Returns a function that makes the present record the current one again. */
  keep(): () => void {
    const { batch, index } = this;
    const replaced = this.#replaced;
    return () => {
      this.batch = batch;
      this.index = index;
      this.#replaced = replaced;
    };
  }

  clear(): void {
    this.batch = null;
  }
}
