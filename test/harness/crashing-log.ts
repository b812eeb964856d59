import type { Log, LogWriter } from '../../src/log/log.ts';

/** Where in a commit the process dies. */
export type CrashPoint = 'before-commit' | 'after-commit';

export class Crash extends Error {
  override readonly name = 'Crash';
}

/**
 * A log whose writers die with their process: at the next commit, before or after it took effect; whatever they are
 * asked then fails. Readers and the log itself live on, as a broker does.
 */
export class CrashingLog implements Log {
  readonly #log: Log;
  #point: CrashPoint | null = null;
  #dead = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** The next commit is the last thing that this process does. */
  crashAt(point: CrashPoint): void {
    this.#point = point;
  }

  get crashed(): boolean {
    return this.#dead;
  }

  get admin(): Log['admin'] {
    return this.#log.admin;
  }

  openReader(options?: Parameters<Log['openReader']>[0]): ReturnType<Log['openReader']> {
    return this.#log.openReader(options);
  }

  async openWriter(options?: Parameters<Log['openWriter']>[0]): Promise<LogWriter> {
    const writer = await this.#log.openWriter(options);
    const alive = (): void => {
      if (this.#dead) throw new Crash('the process is gone');
    };
    const die = (point: CrashPoint): void => {
      if (this.#point !== point) return;
      this.#dead = true;
      throw new Crash(`crashed ${point}`);
    };
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
      async flush() {
        alive();
        await writer.flush();
      },
      async commit(offsets) {
        alive();
        die('before-commit');
        await writer.commit(offsets);
        die('after-commit');
      },
      isPending: (partition) => writer.isPending(partition),
      endOffset: (partition) => writer.endOffset(partition),
      close: () => writer.close(),
    };
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}
