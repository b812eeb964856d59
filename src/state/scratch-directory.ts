import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type LockFile, takeLockFile } from '../common/lock-file.ts';
import { StateError } from './directory-lock.ts';

const PREFIX = 'millrace-scratch-';
const LOCK_SUFFIX = '.lock';

/**
 * A folder of this process for state that has no directory of its own and does not fit in memory: it means nothing to
 * the next process. It is made when it is first needed and goes when nobody uses it. A lock beside it, which its owner
 * holds for as long as it lives, tells those that were left behind by a process that was killed.
 */
export class ScratchDirectory {
  readonly #parent: string;
  #path: Promise<string> | null = null;
  #lock: LockFile | null = null;
  #users = 0;
  #next = 0;

  /** `parent` is shared with others, such as the system's directory for temporary files. */
  constructor(parent: string) {
    this.#parent = parent;
  }

  /** The path of a new folder, which does not exist yet; `release` removes it. Throws `StateError`. */
  async acquire(): Promise<string> {
    this.#users++;
    try {
      this.#path ??= this.#made();
      return join(await this.#path, String(this.#next++));
    } catch (error) {
      this.#users--;
      this.#path = null;
      throw new StateError(
        `state does not fit in memory, and ${this.#parent} cannot be written to: ${(error as Error).message}`,
        'give a data directory, or more memory',
        error,
      );
    }
  }

  async release(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true });
    if (--this.#users > 0 || this.#path === null) return;
    const root = await this.#path;
    if (this.#users > 0) return;
    this.#path = null;
    await rm(root, { recursive: true, force: true });
    await rm(root + LOCK_SUFFIX, { force: true });
    this.#lock?.release();
    this.#lock = null;
  }

  async #made(): Promise<string> {
    await removeStale(this.#parent);
    for (;;) {
      const path = join(this.#parent, PREFIX + randomUUID());
      const taken = await takeLockFile(path + LOCK_SUFFIX);
      // Whoever cleans up may have come between.
      if ('owner' in taken) continue;
      this.#lock = taken;
      await mkdir(path, { mode: 0o700 });
      return path;
    }
  }
}

/** Removes the folders of processes that are gone. What cannot be removed stays: it may be another user's. */
async function removeStale(parent: string): Promise<void> {
  const names = await readdir(parent);
  for (const name of names) {
    if (!name.startsWith(PREFIX) || !name.endsWith(LOCK_SUFFIX)) continue;
    const lockPath = join(parent, name);
    try {
      const taken = await takeLockFile(lockPath);
      if ('owner' in taken) continue;
      try {
        await rm(lockPath.slice(0, -LOCK_SUFFIX.length), { recursive: true, force: true });
        await rm(lockPath, { force: true });
      } finally {
        taken.release();
      }
    } catch {
      continue;
    }
  }
}
