import { join } from 'node:path';
import { type LockFile, LockFileError, takeLockFile } from '../../common/lock-file.ts';
import { LogError } from '../log.ts';

/** Takes `directory` for this log. Throws `LogError` `unavailable`. */
export async function lockDirectory(directory: string): Promise<LockFile> {
  try {
    const taken = await takeLockFile(join(directory, 'lock'));
    if (!('owner' in taken)) return taken;
    throw new LogError(
      'unavailable',
      `the data directory ${directory} is in use by ${taken.owner}: ` +
        'stop that process or choose another directory',
    );
  } catch (error) {
    if (!(error instanceof LockFileError)) throw error;
    throw new LogError('unavailable', `the data directory ${directory} cannot be used: ${error.message}`);
  }
}
