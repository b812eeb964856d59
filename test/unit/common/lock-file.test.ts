import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LockFile, LockFileError, takeLockFile } from '../../../src/common/lock-file.ts';

let root: string;
let path: string;
const started: ChildProcess[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'millrace-lock-'));
  path = join(root, 'lock');
});
afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  rmSync(root, { recursive: true, force: true });
});

async function take(at = path): Promise<LockFile> {
  const taken = await takeLockFile(at);
  if ('owner' in taken) throw new Error(`held by ${taken.owner}`);
  return taken;
}

/** Locks the file and says so; then waits until it is killed. */
const HOLDER = `
const { tryLock } = require(${JSON.stringify(fileURLToPath(import.meta.resolve('fs-native-extensions')))});
const descriptor = require('node:fs').openSync(require('node:worker_threads').workerData ?? process.argv[1], 'a+');
const got = tryLock(descriptor);
process.stdout.write(got ? 'held\\n' : 'refused\\n');
require('node:worker_threads').parentPort?.postMessage(got);
setInterval(() => {}, 1000);
`;

test('has one owner, whom the next one is told; the file stays and is free again', async () => {
  const lock = await take();
  expect(await takeLockFile(path)).toEqual({ owner: `process ${process.pid}` });
  expect(lock.isInPlace()).toBe(true);
  lock.release();
  lock.release();
  expect(existsSync(path)).toBe(true);
  (await take()).release();
});

test('the text in the file holds nobody up: not that of another process, not garbage', async () => {
  const start = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ')[19];
  for (const text of [`${process.pid} ${start}\n`, `${process.ppid}\n`, '', 'x'.repeat(10_000)]) {
    writeFileSync(path, text);
    (await take()).release();
  }
});

test('a process that is killed gives it back at once, one that was started meanwhile does not keep it', async () => {
  const owner = spawn(process.execPath, ['-e', HOLDER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(owner);
  await once(owner.stdout, 'data');
  expect(await takeLockFile(path)).toEqual({ owner: 'another process' });
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  const lock = await take();
  const child = spawn(process.execPath, ['-e', "console.log('up'); setInterval(() => {}, 1000)"], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(child);
  await once(child.stdout, 'data');
  lock.release();
  (await take()).release();
});

test('another path to the same directory is the same lock', async () => {
  const directory = join(root, 'data');
  mkdirSync(directory);
  symlinkSync(directory, join(root, 'link'));
  const lock = await take(join(directory, 'lock'));
  expect(await takeLockFile(join(root, 'link', 'lock'))).toEqual({ owner: `process ${process.pid}` });
  lock.release();
});

test('it is the thread’s too: another one is refused, and one that ends gives it back', async () => {
  const worker = new Worker(HOLDER, { eval: true, workerData: path, stdout: true });
  const [got] = (await once(worker, 'message')) as [boolean];
  expect(got).toBe(true);
  expect(await takeLockFile(path)).toHaveProperty('owner');
  await worker.terminate();
  (await take()).release();
});

test('knows when its directory was removed or replaced, and a lock of the new one is another', async () => {
  const directory = join(root, 'data');
  mkdirSync(directory);
  const lock = await take(join(directory, 'lock'));
  renameSync(directory, join(root, 'moved'));
  expect(lock.isInPlace()).toBe(false);
  mkdirSync(directory);
  const other = await take(join(directory, 'lock'));
  expect([lock.isInPlace(), other.isInPlace()]).toEqual([false, true]);
  expect(await takeLockFile(join(root, 'moved', 'lock'))).toHaveProperty('owner');
  lock.release();
  other.release();
});

test('locks another file too, until that is closed', async () => {
  const lock = await take();
  const other = join(root, 'other');
  const descriptor = openSync(other, 'a+');
  expect(lock.alsoLock(descriptor, other)).toBe(true);
  lock.release();
  expect(await takeLockFile(other)).toHaveProperty('owner');
  closeSync(descriptor);
  (await take(other)).release();
});

test('what cannot be locked is an error that names it', async () => {
  mkdirSync(path);
  await expect(takeLockFile(path)).rejects.toThrow(LockFileError);
  await expect(takeLockFile(path)).rejects.toThrow(`${path} cannot be written: EISDIR`);
});
