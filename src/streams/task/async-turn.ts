import type { Clock } from '../../common/clock.ts';
import type { AsyncCalls } from '../topology/async-calls.ts';
import { Chunk } from './chunk.ts';
import type { Redo } from './redo.ts';

/** Begins, awaits and delivers the calls of a task's asynchronous operators, between its records. */
export class AsyncTurn {
  /** In topological order. */
  readonly #calls: readonly AsyncCalls[];
  readonly #redo: Redo;
  readonly #clock: Clock;

  constructor(calls: readonly AsyncCalls[], redo: Redo, clock: Clock) {
    this.#calls = calls;
    this.#redo = redo;
    this.#clock = clock;
    for (const each of calls) each.clock = clock;
  }

  /** Calls are on their way. */
  get awaits(): boolean {
    return this.#calls.some((calls) => !calls.isEmpty);
  }

  /** Nothing can be processed until a call comes back. */
  get isBlocked(): boolean {
    return this.#calls.some((calls) => calls.isFull && !calls.isHeadSettled);
  }

  /** Delivers what has come back, and lets `run` process record by record while more calls may be made. */
  async processChunk(chunk: Chunk, run: (one: Chunk) => boolean): Promise<void> {
    chunk.done += await this.#deliver();
    const one = new Chunk(1, Infinity);
    while (chunk.done < chunk.recordsMax && !this.#calls.some((calls) => calls.isFull)) {
      one.done = 0;
      while (!run(one)) await this.#redo.load();
      if (one.done === 0) return;
      chunk.done++;
      this.#start();
      if (this.#clock.monotonic() >= chunk.deadlineMs) return;
    }
  }

  /** Waits for every call. */
  async deliverAll(): Promise<void> {
    this.#start();
    while (this.awaits) {
      for (const calls of this.#calls) {
        await calls.headSettled();
        await this.#deliver();
      }
    }
  }

  #start(): void {
    for (const calls of this.#calls) calls.start();
  }

  /** Forwards what has come back, as far as order allows. Returns how many calls. */
  async #deliver(): Promise<number> {
    let delivered = 0;
    for (const calls of this.#calls)
      while (calls.isHeadSettled) {
        await this.#redo.until(() => this.#redo.attempt(deliverHead, calls));
        calls.delivered();
        this.#start();
        delivered++;
      }
    return delivered;
  }
}

function deliverHead(calls: AsyncCalls): void {
  calls.deliver();
}
