import type { ProcessorContext } from '../topology/processor.ts';
import type { RecordKey } from '../topology/record-key.ts';
import { timeOf } from '../topology/record-time.ts';

/**
 * The turn of a user's processor: a record, a punctuation, or none. What it forwards and puts without a time has the time
 * of its turn; without a turn it may do neither.
 */
export class UserTurn {
  readonly #context: ProcessorContext;
  /** Its time; -1 out of turn. */
  time = -1;
  /** The record's key; null in a punctuation. */
  key: RecordKey | null = null;

  constructor(context: ProcessorContext) {
    this.#context = context;
  }

  /** Runs `action` as the turn of a record, or of a punctuation (`key` null). */
  run<T>(key: RecordKey | null, timestamp: number, action: () => T): T {
    const keyBefore = this.key;
    const timeBefore = this.time;
    this.key = key;
    this.time = timestamp;
    try {
      return action();
    } finally {
      this.key = keyBefore;
      this.time = timeBefore;
    }
  }

  /** The time of what is forwarded: as given, or the turn's. */
  timeToForward(given: number | undefined): number {
    if (this.time < 0)
      throw new Error(
        `${this.#name} forwards outside of process() and of punctuations: what waits belongs into processAsync()`,
      );
    return given === undefined ? this.time : timeOf(given, `${this.#name} forwards a record with`);
  }

  /** The time of what is put into a store: as given, or the turn's. */
  timeToPut(given: number | null | undefined, store: string): number {
    if (given === undefined && this.time >= 0) return this.time;
    return timeOf(given, `${this.#name} puts a row into store ${store} with`);
  }

  get #name(): string {
    return this.#context.nodeName;
  }
}
