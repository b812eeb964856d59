import { readFileSync } from 'node:fs';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';

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
  #onDisk = false;

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

  /** Creates the directory and the lock file. A file whose process is gone is taken over. */
  async writeFile(): Promise<void> {
    if (this.#onDisk) return;
    await mkdir(this.#directory, { recursive: true });
    const path = join(this.#directory, 'lock');
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        const file = await open(path, 'wx');
        await file.writeFile(`${process.pid} ${startOf(process.pid)}\n`);
        await file.close();
        this.#onDisk = true;
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const [pid = '', start = ''] = (await readFile(path, 'utf8').catch(() => '')).trim().split(' ');
      // A file of this very process was left by a worker that died: live openers of this thread are in `held`, and
      // RocksDB itself refuses a second opener in another thread.
      if (Number(pid) !== process.pid && isAlive(Number(pid), start))
        throw new StateError(
          `the state in ${this.#directory} is in use by process ${pid}`,
          'stop that process, or use another data directory',
        );
      await rm(path, { force: true });
    }
    throw new StateError(
      `the state in ${this.#directory} cannot be locked`,
      'another process is opening it: try again',
    );
  }

  async release(): Promise<void> {
    held.delete(this.#directory);
    if (this.#onDisk) await rm(join(this.#directory, 'lock'), { force: true });
    this.#onDisk = false;
  }
}

/** When a process started, as the kernel counts it; '-' where that cannot be read. Tells a reused pid apart. */
function startOf(pid: number): string {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return status.slice(status.lastIndexOf(')') + 2).split(' ')[19] ?? '-';
  } catch {
    return '-';
  }
}

function isAlive(pid: number, start: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return start === '-' || startOf(pid) === start;
}
