import type { Log, LogWriter } from '../../../src/log/log.ts';

/** When a commit goes wrong: nothing has happened, or everything has, and who asked does not know. */
export type Point = 'before' | 'after';

/**
 * A log whose users fail: commits of queries go wrong, or the process is dead from some commit on, and nothing it asks
 * for happens any more. What is below lives on, and is not closed with it.
 */
export class DisturbedLog implements Log {
  readonly #log: Log;
  #failing = 0;
  #dying = 0;
  #point: Point = 'before';
  #dead = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** The next commits of queries fail. */
  failCommits(count: number, point: Point): void {
    this.#failing = count;
    this.#point = point;
  }

  /** The process dies at the so many-th commit of a query. */
  dieAtCommit(count: number, point: Point): void {
    this.#dying = count;
    this.#point = point;
  }

  die(): void {
    this.#dead = true;
  }

  get admin(): Log['admin'] {
    return this.#log.admin;
  }

  openReader(options?: Parameters<Log['openReader']>[0]): ReturnType<Log['openReader']> {
    return this.#log.openReader(options);
  }

  async openWriter(options?: Parameters<Log['openWriter']>[0]): Promise<LogWriter> {
    this.#alive();
    const writer = await this.#log.openWriter(options);
    return {
      appender: (partition) => writer.appender(partition),
      atomicCommit: writer.atomicCommit,
      flushStaysHidden: writer.flushStaysHidden,
      lingerMs: writer.lingerMs,
      readable: () => writer.readable(),
      get pendingBytes() {
        return writer.pendingBytes;
      },
      get unsentBytes() {
        return writer.unsentBytes;
      },
      flush: async () => {
        this.#alive();
        await writer.flush();
      },
      commit: async (offsets) => {
        this.#alive();
        this.#disturb('before');
        await writer.commit(offsets);
        this.#disturb('after');
      },
      isPending: (partition) => writer.isPending(partition),
      endOffset: (partition) => writer.endOffset(partition),
      close: () => writer.close(),
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #alive(): void {
    if (this.#dead) throw new Error('the process is dead');
  }

  #disturb(point: Point): void {
    if (point !== this.#point) return;
    if (this.#dying > 0 && --this.#dying === 0) {
      this.#dead = true;
      this.#alive();
    }
    if (this.#failing === 0) return;
    this.#failing--;
    throw new Error(`a commit failed ${point} it took effect`);
  }
}
