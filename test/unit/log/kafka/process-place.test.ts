import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isOfDeadProcess, nameOfProcess } from '../../../../src/log/kafka/process-place.ts';

test.skipIf(process.platform !== 'linux')('a process of this machine that has ended is known', async () => {
  const name = nameOfProcess()!;
  expect(name).toMatch(/^[0-9a-f]{12}\.\d+\.\d+$/);
  expect(isOfDeadProcess(`millrace-${name}`)).toBe(false);
  const [place, pid, ticks] = name.split('.') as [string, string, string];
  // The id was given to another process since.
  expect(isOfDeadProcess(`millrace-${place}.${pid}.${Number(ticks) - 1}`)).toBe(true);
  // Of another machine, and of a client that has no such name.
  expect(isOfDeadProcess(`millrace-000000000000.${pid}.${Number(ticks) - 1}`)).toBe(false);
  expect(isOfDeadProcess('consumer-1')).toBe(false);

  const other = spawn('sleep', ['60']);
  await once(other, 'spawn');
  const alive = (): boolean => !isOfDeadProcess(`x-${place}.${other.pid!}.${begunAt(other.pid!)}`);
  const begun = begunAt(other.pid!);
  expect(alive()).toBe(true);
  const ended = once(other, 'exit');
  other.kill('SIGKILL');
  await ended;
  expect(isOfDeadProcess(`x-${place}.${other.pid!}.${begun}`)).toBe(true);
});

function begunAt(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[19]!;
}
