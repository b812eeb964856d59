import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { takeLockFile } from '../common/lock-file.ts';

/** State that cannot be opened, read or written. `message` is one sentence; `hint` says what to do. */
export class StateError extends Error {
  override readonly name = 'StateError';
  readonly hint: string;

  constructor(message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.hint = hint;
  }
}

/** Directories that this thread has open. */
const held = new Set<string>();

/** One opener a directory: a set within the thread, and a file naming the process for all others. */
export class DirectoryLock {
  readonly #directory: string;
  #giveBack: (() => void) | null = null;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Takes the lock within this thread; `writeFile` takes it on disk. Throws `StateError` when it is held. */
  static acquire(directory: string): DirectoryLock {
    const path = resolve(directory);
    if (held.has(path))
      throw new StateError(`the state in ${path} is already open`, 'close it before opening it again');
    held.add(path);
    return new DirectoryLock(path);
  }

  /** Creates the directory and the lock file. Throws `StateError` when another process has it. */
  async writeFile(): Promise<void> {
    if (this.#giveBack !== null) return;
    await mkdir(this.#directory, { recursive: true });
    // A file of this very process was left by a worker that died: live openers of this thread are in `held`, and
    // RocksDB itself refuses a second opener in another thread.
    const taken = takeLockFile(join(this.#directory, 'lock'), { ownCounts: false });
    if (typeof taken !== 'function')
      throw new StateError(
        `the state in ${this.#directory} is in use by process ${taken.owner}`,
        'stop that process, or use another data directory',
      );
    this.#giveBack = taken;
  }

  release(): Promise<void> {
    held.delete(this.#directory);
    this.#giveBack?.();
    this.#giveBack = null;
    return Promise.resolve();
  }
}
