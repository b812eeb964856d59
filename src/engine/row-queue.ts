import type { Row } from '../types/value.ts';
import type { RowBatch } from './result.ts';

/**
 * Rows on their way from a query to its client. The query pushes without waiting and is told when to pause; the
 * client pulls. At most `rowsMax` rows and what one chunk adds wait here.
 */
export class RowQueue {
  readonly #rowsMax: number;
  readonly #onFull: () => void;
  readonly #onDrained: () => void;
  #rows: Row[] = [];
  #tombstones: boolean[] = [];
  #hasTombstone = false;
  #full = false;
  #ended = false;
  #error: unknown = null;
  #wake: (() => void) | null = null;

  constructor(rowsMax: number, onFull: () => void, onDrained: () => void) {
    this.#rowsMax = rowsMax;
    this.#onFull = onFull;
    this.#onDrained = onDrained;
  }

  push(row: Row, tombstone: boolean): void {
    if (this.#ended) return;
    this.#rows.push(row);
    this.#tombstones.push(tombstone);
    this.#hasTombstone ||= tombstone;
    if (!this.#full && this.#rows.length >= this.#rowsMax) {
      this.#full = true;
      this.#onFull();
    }
    this.#notify();
  }

  /** What is queued can still be pulled; then `next` gives null, or rejects with `error`. */
  end(error: unknown = null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#notify();
  }

  async next(): Promise<RowBatch | null> {
    while (this.#rows.length === 0) {
      if (this.#ended) {
        if (this.#error !== null) throw this.#error;
        return null;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const rows = this.#rows;
    const tombstones = this.#tombstones;
    const batch = this.#hasTombstone ? { rows, tombstones } : { rows };
    this.#rows = [];
    this.#tombstones = [];
    this.#hasTombstone = false;
    if (this.#full) {
      this.#full = false;
      this.#onDrained();
    }
    return batch;
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
