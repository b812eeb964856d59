import type { Row } from '../types/value.ts';
import type { RowBatch } from './result.ts';
import { type RowBudget, rowBytes } from './row-budget.ts';

/** Rows are handed over in batches of about this size, so that room is made while the client takes the rest. */
const BATCH_BYTES = 64 * 1024;

interface Waiting {
  readonly rows: Row[];
  readonly tombstones: boolean[];
  hasTombstone: boolean;
  bytes: number;
}

/**
 * Rows on their way from a query to its client. The query pushes without waiting and is told when to pause; the
 * client pulls. What waits here, with the batch that the client was given last, is bounded by `budget` and what one
 * record adds.
 */
export class RowQueue {
  readonly #budget: RowBudget;
  readonly #onFull: () => void;
  readonly #onDrained: () => void;
  #batches: Waiting[] = [];
  /** Bytes of the batch handed over last, which count until the client asks for the next. */
  #takenBytes = 0;
  /** Bytes of all batches, that one included. */
  #bytes = 0;
  #full = false;
  #ended = false;
  #error: unknown = null;
  #wake: (() => void) | null = null;

  constructor(budget: RowBudget, onFull: () => void, onDrained: () => void) {
    this.#budget = budget;
    this.#onFull = onFull;
    this.#onDrained = onDrained;
  }

  push(row: Row, tombstone: boolean): void {
    if (this.#ended) return;
    let batch = this.#batches.at(-1);
    if (batch === undefined || batch.bytes >= BATCH_BYTES) {
      batch = { rows: [], tombstones: [], hasTombstone: false, bytes: 0 };
      this.#batches.push(batch);
    }
    const bytes = rowBytes(row);
    batch.rows.push(row);
    batch.tombstones.push(tombstone);
    batch.hasTombstone ||= tombstone;
    batch.bytes += bytes;
    this.#add(bytes);
    if (!this.#full && this.#bytes >= this.#budget.clientBytes) {
      this.#full = true;
      this.#onFull();
    }
    this.#notify();
  }

  /** Queued rows can still be pulled; then `next` gives null, or rejects with `error`. */
  end(error: unknown = null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#notify();
  }

  /** Nobody pulls any more. */
  clear(): void {
    this.#batches = [];
    this.#add(-this.#bytes);
    this.#takenBytes = 0;
  }

  async next(): Promise<RowBatch | null> {
    this.#add(-this.#takenBytes);
    this.#takenBytes = 0;
    if (this.#full && this.#bytes <= this.#budget.clientBytes / 2) {
      this.#full = false;
      this.#onDrained();
    }
    while (this.#batches.length === 0) {
      if (this.#ended) {
        if (this.#error !== null) throw this.#error;
        return null;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const { rows, tombstones, hasTombstone, bytes } = this.#batches.shift()!;
    this.#takenBytes = bytes;
    return hasTombstone ? { rows, tombstones } : { rows };
  }

  #add(bytes: number): void {
    this.#bytes += bytes;
    this.#budget.usedBytes += bytes;
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
