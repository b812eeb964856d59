import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StateError } from './directory-lock.ts';

/** State on disk that is not what was written: only wiping it helps. */
export class DamagedStateError extends StateError {
  constructor(message: string, cause?: unknown) {
    super(
      message,
      'restore the directory from a backup, or delete it: stores with a changelog are rebuilt from it',
      cause,
    );
  }
}

/** Errors about the system and not about the files: waiting, or an administrator, helps. */
const OF_THE_SYSTEM =
  /No space left|quota exceeded|Permission denied|Operation not permitted|Read-only file system|Too many open files|Cannot allocate memory|Resource temporarily unavailable|lock hold by|file lock/i;

/**
 * The error that a failed call of RocksDB means for the state at `path`: damage, unless the system is the reason. RocksDB
 * tells its errors apart by their text only, and reports whatever fails a checksum, ends early or is missing.
 */
export function stateErrorOf(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const { message } = error;
  if (OF_THE_SYSTEM.test(message))
    return new StateError(`the state database at ${path} cannot be used: ${message}`, 'see the cause', error);
  return new DamagedStateError(`the state database at ${path} is damaged: ${message}`, error);
}

/**
 * A file beside the database that says that it is damaged, or half deleted. Damage may show only where it is read, long
 * after the database was opened: without the mark, a task would open, fail and open again for ever.
 */
export class DamageMark {
  readonly #path: string;

  constructor(directory: string) {
    this.#path = join(directory, 'damaged');
  }

  /** Null when nothing is marked. */
  get reason(): string | null {
    try {
      return readFileSync(this.#path, 'utf8').trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  set(reason: string): void {
    writeFileSync(this.#path, `${reason}\n`);
  }

  clear(): void {
    rmSync(this.#path, { force: true });
  }
}
