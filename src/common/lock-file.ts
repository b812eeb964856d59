import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

export interface LockFileOptions {
  /**
   * Whether a lock of this very process counts as held. Where the caller knows what its own process holds, a lock that
   * a thread left behind can be taken over.
   */
  readonly ownCounts: boolean;
}

/**
 * Takes the lock file `path` for this process: it holds the process's id and when it was started. A lock whose owner is
 * dead is taken over. Returns what gives it back, or the id of the process that has it.
 */
export function takeLockFile(
  path: string,
  { ownCounts }: LockFileOptions,
): (() => void) | { readonly owner: string } {
  const own = `${process.pid} ${startOf(process.pid)}\n`;
  for (let attempt = 0; attempt < 10; attempt++) {
    if (create(path, own))
      return () => {
        if (readText(path) === own) rmSync(path, { force: true });
      };
    const found = readText(path);
    if (found === undefined) continue;
    if (isAlive(found) && (ownCounts || found !== own)) return { owner: found.trim().split(' ')[0]! };
    removeStale(path, found);
  }
  return { owner: 'that is taking it' };
}

/** Makes the file with its text in it, at once: a link, unlike a new file, is never seen half-written. */
function create(path: string, text: string): boolean {
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, text);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Another process may be taking over the same stale lock, and may have put its own in place by now: the file is
 * moved aside first, and put back when it turns out not to be the stale one.
 */
function removeStale(path: string, stale: string): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (readText(aside) !== stale) {
    try {
      linkSync(aside, path);
    } catch {
      // A third one was quicker; both see its lock in the next attempt.
    }
  }
  rmSync(aside, { force: true });
}

function isAlive(lock: string): boolean {
  const [pid, start] = lock.trim().split(' ');
  if (pid === undefined || !/^\d+$/.test(pid)) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  // The id may belong to somebody else by now: in containers it is the same after each restart.
  const now = startOf(Number(pid));
  return now === '' || start === undefined || now === start;
}

/** When a process was started, in ticks since the machine was; empty where the system does not tell. */
function startOf(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`);
  // The second field is the name in parentheses, with spaces as it likes; the start is the 22nd.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
