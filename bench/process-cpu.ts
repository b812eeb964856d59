import { readFileSync } from 'node:fs';

/** Of Linux: what `/proc` counts in (`getconf CLK_TCK`). */
const TICKS_PER_SECOND = 100;

/** CPU seconds that a process has taken, user and system, all its threads. Only on Linux. */
export function cpuSecondsOf(pid: number): number {
  // The name before it is in brackets and may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export function residentMegabytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) / 1024;
}

/** TCP connections of this machine to `port`. */
export function connectionsTo(port: number): number {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const established = '01';
  return ['tcp', 'tcp6']
    .flatMap((kind) => readFileSync(`/proc/net/${kind}`, 'latin1').trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote, state]) => remote!.endsWith(suffix) && state === established).length;
}

/** The most that a process has had in memory so far. */
export function peakMegabytes(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) / 1024;
}
