import { join } from 'node:path';
import { type LockFile, LockFileError, takeLockFile } from '../../common/lock-file.ts';
import { LogError } from '../log.ts';
import type { Segment } from './segment.ts';

/** Takes `directory` for this log. Throws `LogError` `unavailable`. */
export async function lockDirectory(directory: string): Promise<LockFile> {
  let taken: Awaited<ReturnType<typeof takeLockFile>>;
  try {
    taken = await takeLockFile(join(directory, 'lock'));
  } catch (error) {
    throw unusable(directory, error);
  }
  if ('owner' in taken) throw inUse(directory, taken.owner);
  return taken;
}

/**
 * Locks the newest file of the journal with the lock of its directory: so a second process is kept out also when
 * somebody removed the file `lock` under the first. Throws `LogError` `unavailable`.
 */
export function lockSegment(lock: LockFile, directory: string, { fd, path }: Segment): void {
  let locked: boolean;
  try {
    locked = lock.alsoLock(fd, path);
  } catch (error) {
    throw unusable(directory, error);
  }
  if (!locked) throw inUse(directory, 'a process whose lock file was removed');
}

function inUse(directory: string, owner: string): LogError {
  return new LogError(
    'unavailable',
    `the data directory ${directory} is in use by ${owner}: stop that process or choose another directory`,
  );
}

function unusable(directory: string, error: unknown): unknown {
  if (!(error instanceof LockFileError)) return error;
  return new LogError('unavailable', `the data directory ${directory} cannot be used: ${error.message}`);
}
