import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import { DirectoryLock, StateError } from '../../state/directory-lock.ts';

/**
 * The state directory: a folder for each application, in it one for each task (`<sub-topology>_<partition>`), each with a
 * lock of its own while it is open.
 */

/** Takes all locks of an application's state. Throws `StateError` when any of it is open, here or elsewhere. */
export async function lockState(stateDirectory: string, applicationId: string): Promise<LockedState> {
  const directory = join(stateDirectory, applicationId);
  const locks: DirectoryLock[] = [];
  const tasks = await foldersIn(directory);
  try {
    const own = DirectoryLock.acquire(directory);
    locks.push(own);
    if (await exists(directory)) await own.takeFile();
    for (const name of tasks) {
      const lock = DirectoryLock.acquire(join(directory, name));
      locks.push(lock);
      await lock.takeFile();
    }
  } catch (error) {
    for (const lock of locks) lock.release();
    throw error;
  }
  return new LockedState(directory, tasks.length, locks);
}

/** Local state that nobody else can open, until it is deleted or released. */
export class LockedState {
  readonly directory: string;
  /** How many tasks have state. */
  readonly tasks: number;
  readonly #locks: readonly DirectoryLock[];

  constructor(directory: string, tasks: number, locks: readonly DirectoryLock[]) {
    this.directory = directory;
    this.tasks = tasks;
    this.#locks = locks;
  }

  async delete(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
    this.release();
  }

  release(): void {
    for (const lock of this.#locks) lock.release();
  }
}

export interface CleanTasksOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ids of tasks that are to keep their state. */
  readonly keep: ReadonlySet<string>;
  /** How long a folder must have been left alone. */
  readonly idleMs: number;
}

/**
 * Deletes the state of tasks that are gone: not to be kept, open nowhere, and untouched for a while. A task that comes
 * back after all is restored from its changelogs. Not for applications whose tasks are spread over threads: what another
 * thread of this process has open is not seen. Returns which.
 */
export async function cleanTasks(
  stateDirectory: string,
  applicationId: string,
  { clock, logger, keep, idleMs }: CleanTasksOptions,
): Promise<string[]> {
  const application = join(stateDirectory, applicationId);
  const deleted: string[] = [];
  for (const task of await foldersIn(application)) {
    const directory = join(application, task);
    if (keep.has(task) || !/^\d+_\d+$/.test(task)) continue;
    if (clock.now() - (await lastChange(directory)) < idleMs) continue;
    try {
      const lock = DirectoryLock.acquire(directory);
      try {
        await lock.takeFile();
        await rm(directory, { recursive: true, force: true });
      } finally {
        lock.release();
      }
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      continue;
    }
    logger.info({ applicationId, task }, 'the state of a task that is gone was deleted');
    deleted.push(task);
  }
  return deleted;
}

async function lastChange(directory: string): Promise<number> {
  let last = 0;
  for (const name of ['.', ...(await foldersIn(directory))])
    last = Math.max(last, (await stat(join(directory, name)).catch(() => ({ mtimeMs: 0 }))).mtimeMs);
  return last;
}

async function exists(directory: string): Promise<boolean> {
  return (await stat(directory).catch(() => null)) !== null;
}

async function foldersIn(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
