import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';

/**
 * A process's name that others on the same machine can look up: whether it lives is known at once then, and not when its
 * session in a group has run out. Linux only; elsewhere nobody is known to be dead.
 */

/** Where this process's pid means it, and when it began, in the kernel's ticks: `<place>.<pid>.<ticks>`. Null where unknown. */
export function nameOfProcess(): string | null {
  const place = placeOf();
  const ticks = place === null ? null : beginOf(process.pid);
  return ticks === null ? null : `${place}.${process.pid}.${ticks}`;
}

/** Whether `name`, at the end of `text`, is of a process of this place that has ended. */
export function isOfDeadProcess(text: string): boolean {
  const [, place, pid, ticks] = /([0-9a-f]{12})\.(\d+)\.(\d+)$/.exec(text) ?? [];
  if (place === undefined || place !== placeOf()) return false;
  // Where processes are hidden from each other, one that is not seen may live.
  if (beginOf(1) === null) return false;
  return beginOf(Number(pid)) !== ticks;
}

/** The machine since it was started, and the space of process ids, which containers have of their own. */
function placeOf(): string | null {
  try {
    const machine = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
    const space = readlinkSync('/proc/self/ns/pid');
    return createHash('sha256').update(`${machine} ${space}`).digest('hex').slice(0, 12);
  } catch {
    return null;
  }
}

/** When a process that lives began, in ticks since the machine did (proc(5): the state is field 3, the time field 22). */
function beginOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : fields[19]!;
  } catch {
    return null;
  }
}
