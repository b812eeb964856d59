import { join } from 'node:path';
import { takeLockFile } from '../../common/lock-file.ts';
import { LogError } from '../log.ts';

/** Takes `directory` for this process. Returns what gives it back. Throws `LogError` `unavailable`. */
export function lockDirectory(directory: string): () => void {
  const taken = takeLockFile(join(directory, 'lock'), { ownCounts: true });
  if (typeof taken === 'function') return taken;
  throw new LogError(
    'unavailable',
    `the data directory ${directory} is in use by process ${taken.owner}: ` +
      `stop that process or choose another directory`,
  );
}
