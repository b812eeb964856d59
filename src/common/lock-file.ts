import { messageOf } from './error.ts';
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * A lock of the kernel's on a file: of the open file, not of the process, so it holds between processes, threads and
 * containers alike, whatever path leads to the file, and goes with its owner, however that ends. The file's text names
 * the owner for messages and means nothing else. The file stays when the lock is given back: a file that comes and goes
 * can be two files to two openers.
 */
export interface LockFile {
  /** Whether the file is still where it was taken; not when its directory was removed, replaced or moved. */
  isInPlace(): boolean;
  /**
   * Locks another file too, open for writing, until its descriptor is closed; false when somebody else has it. For what
   * is to stay guarded also when the lock's own file was removed. Throws `LockFileError`.
   */
  alsoLock(descriptor: number, path: string): boolean;
  release(): void;
}

/** The file cannot be locked here at all. `message` is one sentence that names it. */
export class LockFileError extends Error {
  override readonly name = 'LockFileError';

  constructor(message: string, cause: unknown) {
    super(message, { cause });
  }
}

/** Codes beside EAGAIN by which a system says that another process has the lock. */
const HELD: ReadonlySet<string> = new Set(['EACCES', 'EBUSY']);
/** How often a file may be replaced between being opened and being locked. */
const ATTEMPTS = 10;

/**
 * Takes the lock on the file `path`, in a directory that exists; makes the file where there is none. Resolves to the
 * lock, or to its owner, in words. Throws `LockFileError`.
 */
export async function takeLockFile(path: string): Promise<LockFile | { readonly owner: string }> {
  const tryLock = await loadBinding();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const descriptor = open(path);
    let locked = false;
    try {
      if (!lock(tryLock, descriptor, path)) return { owner: ownerIn(path) };
      // The owner before may have removed the directory; a lock on a file that is gone excludes nobody.
      if (!isAt(path, descriptor)) continue;
      locked = true;
    } finally {
      if (!locked) closeSync(descriptor);
    }
    nameOwner(descriptor);
    return lockFile(path, descriptor, tryLock);
  }
  return { owner: 'a process that is removing it' };
}

type TryLock = (descriptor: number) => boolean;

function lockFile(path: string, descriptor: number, tryLock: TryLock): LockFile {
  let released = false;
  return {
    isInPlace: () => !released && isAt(path, descriptor),
    alsoLock: (other, otherPath) => lock(tryLock, other, otherPath),
    release() {
      if (released) return;
      released = true;
      closeSync(descriptor);
    },
  };
}

/** The descriptor is closed in processes that are started from here: Node opens files so. */
function open(path: string): number {
  try {
    return openSync(path, 'a+', 0o644);
  } catch (error) {
    throw new LockFileError(`${path} cannot be written: ${messageOf(error)}`, error);
  }
}

function lock(tryLock: TryLock, descriptor: number, path: string): boolean {
  try {
    return tryLock(descriptor);
  } catch (error) {
    if (HELD.has((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw new LockFileError(
      `${path} cannot be locked: ${messageOf(error)} (does its file system have locks?)`,
      error,
    );
  }
}

function isAt(path: string, descriptor: number): boolean {
  const own = fstatSync(descriptor, { bigint: true });
  const there = statSync(path, { bigint: true, throwIfNoEntry: false });
  return there !== undefined && there.ino === own.ino && there.dev === own.dev;
}

/** For messages only: where the file cannot be written any more, on a full disk say, the lock holds all the same. */
function nameOwner(descriptor: number): void {
  try {
    ftruncateSync(descriptor);
    writeSync(descriptor, `${process.pid} ${hostname()}\n`);
  } catch {
    // Then the message of the next process names no owner.
  }
}

function ownerIn(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return 'another process';
  }
  const [, pid, host] = /^(\d+) (\S+)\n$/.exec(text) ?? [];
  if (pid === undefined || host === undefined) return 'another process';
  return host === hostname() ? `process ${pid}` : `process ${pid} of host ${host}`;
}

async function loadBinding(): Promise<TryLock> {
  try {
    return (await import('fs-native-extensions')).tryLock;
  } catch (error) {
    throw new LockFileError(
      `directories cannot be locked: fs-native-extensions cannot be loaded on this machine (${messageOf(error)}); ` +
        'reinstall the packages for this platform, or run without a data directory',
      error,
    );
  }
}
