import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type LockFile, LockFileError, takeLockFile } from '../common/lock-file.ts';

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

/**
 * One opener a directory: a set within the thread, which holds before there is a directory, and a lock file for all
 * others.
 */
export class DirectoryLock {
  readonly #directory: string;
  #file: LockFile | null = null;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Takes the lock within this thread; `takeFile` takes it on disk. Throws `StateError` when it is held. */
  static acquire(directory: string): DirectoryLock {
    const path = resolve(directory);
    if (held.has(path))
      throw new StateError(`the state in ${path} is already open`, 'close it before opening it again');
    held.add(path);
    return new DirectoryLock(path);
  }

  /**
   * Creates the directory and locks the file in it, if that is not done yet. Throws `StateError` when another opener
   * has it, or when the directory was removed, replaced or moved since.
   */
  async takeFile(): Promise<void> {
    if (this.#file !== null) {
      if (this.#file.isInPlace()) return;
      throw new StateError(
        `the state directory ${this.#directory} was removed or replaced while it was open`,
        'leave the data directory alone while it is in use',
      );
    }
    await mkdir(this.#directory, { recursive: true });
    const taken = await this.#take();
    if ('owner' in taken)
      throw new StateError(
        `the state in ${this.#directory} is in use by ${taken.owner}`,
        'stop that process, or use another data directory',
      );
    this.#file = taken;
  }

  async #take(): ReturnType<typeof takeLockFile> {
    try {
      return await takeLockFile(join(this.#directory, 'lock'));
    } catch (error) {
      if (!(error instanceof LockFileError)) throw error;
      throw new StateError(
        `the state in ${this.#directory} cannot be locked: ${error.message}`,
        'use a directory that can be written, on a file system with locks',
        error,
      );
    }
  }

  release(): void {
    held.delete(this.#directory);
    this.#file?.release();
    this.#file = null;
  }
}
