import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleTs } from '../../../../scripts/bundle-ts.js';
import { ManualClock, systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { EmbeddedLogOptions } from '../../../../src/log/embedded/embedded-log.ts';
import { openRepair } from '../../../../src/log/embedded/repair-journal.ts';
import type { Log } from '../../../../src/log/log.ts';
import { appendRecord } from '../../../harness/append-record.ts';
import { until } from '../../../harness/until.ts';
import { describeLogContract, kindOfRejection, readRecords } from '../../../harness/log-contract.ts';

let root: string;
let directories = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'millrace-log-'));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

function freshDirectory(): string {
  return join(root, String(directories++));
}

function open(directory: string, options: Partial<EmbeddedLogOptions> = {}): Promise<Log> {
  return openEmbeddedLog({ clock: systemClock, logger: silentLogger, directory, ...options });
}

async function write(
  log: Log,
  topic: string,
  values: readonly (string | Buffer)[],
  partition = 0,
): Promise<void> {
  const writer = await log.openWriter();
  for (const value of values) {
    appendRecord(writer, { topic, partition }, { value });
    await writer.flush();
  }
  await writer.close();
}

/** Everything in a topic, partition by partition. */
async function contentOf(log: Log, topic: string): Promise<string[][]> {
  const found: string[][] = [];
  for (const [partition, { start, end }] of (await log.admin.offsets(topic)).entries()) {
    const reader = log.openReader();
    reader.assign({ topic, partition, offset: start });
    const records = await readRecords(reader, end - start);
    expect(records.map(({ offset }) => offset)).toEqual(
      Array.from({ length: end - start }, (_, i) => start + i),
    );
    found.push(records.map(({ value }) => String(value)));
    await reader.close();
  }
  return found;
}

function filesOf(directory: string, extension: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(extension))
    .sort()
    .map((name) => join(directory, name));
}

const SMALL = { segmentBytesMax: 100_000, cacheBytesMax: 0 };

describeLogContract('in a directory', async () => {
  const log = await open(freshDirectory());
  return { log, close: () => log.close() };
});

describeLogContract('in a directory, in small files, nothing cached, synced', async () => {
  const log = await open(freshDirectory(), { ...SMALL, sync: true });
  return { log, close: () => log.close() };
});

describe('a log in a directory', () => {
  test('is the same when it is opened again', async () => {
    const directory = freshDirectory();
    let log = await open(directory, SMALL);
    await log.admin.createTopic({ name: 'a', partitions: 3, configs: { 'cleanup.policy': 'compact' } });
    await log.admin.createTopic({ name: 'gone', partitions: 1 });
    await log.admin.createTopic({ name: 'again', partitions: 1 });
    const expected: string[][] = [[], [], []];
    for (let i = 0; i < 300; i++) {
      const value = `${i}`.padEnd(2000, '.');
      expected[i % 3]!.push(value);
      await write(log, 'a', [value], i % 3);
      if (i === 150) {
        await write(log, 'gone', ['x']);
        await write(log, 'again', ['old']);
        await log.admin.deleteTopic('gone');
        await log.admin.deleteTopic('again');
        await log.admin.createTopic({ name: 'again', partitions: 1 });
        await write(log, 'again', ['new']);
      }
      if (i === 200) {
        await log.admin.deleteRecords({ topic: 'a', partition: 1, offset: 20 });
        expected[1]!.splice(0, 20);
      }
      if (i % 100 === 0) {
        const writer = await log.openWriter({ group: 'g' });
        await writer.commit([{ topic: 'a', partition: 2, offset: i, metadata: `m${i}` }]);
      }
    }
    expect(filesOf(directory, '.log').length).toBeGreaterThan(5);
    for (let round = 0; round < 3; round++) {
      await log.close();
      log = await open(directory, SMALL);
      expect(await log.admin.listTopics()).toEqual(['a', 'again']);
      expect(await log.admin.topicConfigs('a')).toEqual({ 'cleanup.policy': 'compact' });
      expect(await contentOf(log, 'a')).toEqual(expected);
      expect(await contentOf(log, 'again')).toEqual([['new']]);
      expect(await log.admin.committed('g')).toEqual([
        { topic: 'a', partition: 2, offset: 200, metadata: 'm200' },
      ]);
      await write(log, 'a', [`round ${round}`]);
      expected[0]!.push(`round ${round}`);
      await log.admin.createTopic({ name: 'fleeting', partitions: 1 });
      await log.admin.deleteTopic('fleeting');
    }
    await log.close();
  });

  test('drops an unfinished last write, wherever it ended, and nothing else', async () => {
    const directory = freshDirectory();
    let log = await open(directory);
    await log.admin.createTopic({ name: 't', partitions: 1 });
    await write(log, 't', ['one', 'two']);
    await log.close();
    const file = filesOf(directory, '.log')[0]!;
    const start = statSync(file).size;
    log = await open(directory);
    await write(log, 't', ['three']);
    const bytes = readFileSync(file);
    await log.close();
    const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
    for (let at = start + 4; at <= end - 4; at += 3) {
      writeFileSync(file, Buffer.from(bytes).fill(0, at));
      // It is there when the log was closed.
      rmSync(join(directory, 'end'), { force: true });
      log = await open(directory);
      expect(await contentOf(log, 't')).toEqual([['one', 'two']]);
      await write(log, 't', ['instead']);
      await log.close();
      log = await open(directory);
      expect(await contentOf(log, 't')).toEqual([['one', 'two', 'instead']]);
      await log.close();
    }
  });

  test('opens without the indexes, with damaged ones, and without reading what they point to', async () => {
    const directory = freshDirectory();
    let log = await open(directory, SMALL);
    await log.admin.createTopic({ name: 't', partitions: 1 });
    const values = Array.from({ length: 30 }, (_, i) => `${i}`.padEnd(20_000, '.'));
    await write(log, 't', values);
    await log.close();
    const indexes = filesOf(directory, '.index');
    expect(indexes.length).toBeGreaterThan(3);

    rmSync(indexes[0]!);
    const damaged = readFileSync(indexes[1]!);
    damaged[40]! ^= 1;
    writeFileSync(indexes[1]!, damaged);
    log = await open(directory, SMALL);
    expect(await contentOf(log, 't')).toEqual([values]);
    await log.close();
    expect(filesOf(directory, '.index')).toEqual(indexes);

    const file = filesOf(directory, '.log')[2]!;
    const bytes = readFileSync(file);
    bytes[50_000]! ^= 1;
    writeFileSync(file, bytes);
    log = await open(directory, SMALL);
    const reader = log.openReader();
    reader.assign({ topic: 't', partition: 0, offset: 0 });
    expect(await kindOfRejection(readRecords(reader, 30))).toBe('corrupt');
    await log.close();

    rmSync(indexes[2]!);
    expect(await kindOfRejection(open(directory, SMALL))).toBe('corrupt');
  });

  test('deletes files of which nothing can be read any more, and remembers that', async () => {
    const directory = freshDirectory();
    let log = await open(directory, SMALL);
    await log.admin.createTopic({ name: 'kept', partitions: 1 });
    await log.admin.createTopic({ name: 'bounded', partitions: 1, configs: { 'retention.bytes': '50000' } });
    await log.admin.createTopic({ name: 'purged', partitions: 1 });
    await log.admin.createTopic({ name: 'deleted', partitions: 1 });
    await write(log, 'kept', ['early']);
    for (const topic of ['bounded', 'purged', 'deleted'])
      await write(log, topic, Array(50).fill(Buffer.alloc(20_000)));
    expect(filesOf(directory, '.log').length).toBeGreaterThan(15);
    await log.admin.deleteRecords({ topic: 'purged', partition: 0, offset: 50 });
    await log.admin.deleteTopic('deleted');
    // Files go when the disk has what says so.
    await until(() => filesOf(directory, '.log').length <= 5);
    const files = filesOf(directory, '.log');
    // The last is being written, and before it lies the end of `bounded`. What the first had left was moved.
    expect(files[0]).not.toContain('00000001.log');
    expect(filesOf(directory, '.index').length).toBe(files.length - 1);
    const before = [await log.admin.offsets('bounded'), await log.admin.offsets('purged')];
    expect(before[1]).toEqual([{ start: 50, end: 50 }]);
    await log.close();
    log = await open(directory, SMALL);
    expect([await log.admin.offsets('bounded'), await log.admin.offsets('purged')]).toEqual(before);
    expect(await contentOf(log, 'kept')).toEqual([['early']]);
    expect((await contentOf(log, 'bounded'))[0]!.length).toBe(before[0]![0]!.end - before[0]![0]!.start);
    await log.close();
  });

  test('retention.ms deletes the files of idle topics, and what it dropped stays dropped', async () => {
    const directory = freshDirectory();
    const clock = new ManualClock(1_700_000_000_000);
    const options = { ...SMALL, clock, retentionCheckMs: 1000 };
    let log = await open(directory, options);
    await log.admin.createTopic({ name: 'early', partitions: 1 });
    await log.admin.createTopic({ name: 't', partitions: 1, configs: { 'retention.ms': '5000' } });
    await write(log, 'early', ['x']);
    await write(log, 't', Array(50).fill(Buffer.alloc(20_000)));
    expect(filesOf(directory, '.log').length).toBeGreaterThan(5);
    clock.advance(10_000);
    // Runs behind what the timer began.
    await log.admin.createTopic({ name: 'other', partitions: 1 });
    await until(() => filesOf(directory, '.log').length === 2);
    const files = filesOf(directory, '.log');
    expect(files[0]).toContain('00000001.log');
    await log.close();
    // The first file still has batches of `t`, for which nobody may take it after the hole.
    log = await open(directory, options);
    expect(await log.admin.offsets('t')).toEqual([{ start: 50, end: 50 }]);
    expect(await contentOf(log, 'early')).toEqual([['x']]);
    await log.admin.deleteTopic('early');
    await log.close();
    expect(filesOf(directory, '.log')).toEqual([files[1]]);
  });

  test('a commit that runs while the log is closed is finished first', async () => {
    const directory = freshDirectory();
    let log = await open(directory);
    await log.admin.createTopic({ name: 't', partitions: 1 });
    const writer = await log.openWriter();
    appendRecord(writer, { topic: 't', partition: 0 }, { value: 'a' });
    const flushed = writer.flush();
    await log.close();
    await flushed;
    log = await open(directory);
    expect(await contentOf(log, 't')).toEqual([['a']]);
    await log.close();
  });

  test('belongs to one at a time', async () => {
    const directory = freshDirectory();
    const log = await open(directory);
    expect(await kindOfRejection(open(directory))).toBe('unavailable');
    await log.close();
    const again = await open(directory);
    await again.close();
  });

  test('belongs to its process also when somebody removed the lock file', async () => {
    const directory = freshDirectory();
    const log = await open(directory, { segmentBytesMax: 300 });
    await log.admin.createTopic({ name: 't', partitions: 1 });
    // In the first file, and in those after it.
    for (const value of ['a', 'b', 'c', 'd', 'e', 'f']) {
      rmSync(join(directory, 'lock'));
      expect(await kindOfRejection(open(directory))).toBe('unavailable');
      expect(await kindOfRejection(openRepair(directory))).toBe('unavailable');
      await write(log, 't', [value.repeat(100)]);
    }
    expect(filesOf(directory, '.log').length).toBeGreaterThan(2);
    await log.close();
    const again = await open(directory);
    expect(await contentOf(again, 't')).toEqual([
      ['a', 'b', 'c', 'd', 'e', 'f'].map((value) => value.repeat(100)),
    ]);
    await again.close();
  });

  test('belongs to nobody because of what its lock file says', async () => {
    const directory = freshDirectory();
    const made = await open(directory);
    await made.close();
    for (const text of [`${process.ppid}\n`, `${process.pid} 1\n`, '', 'nonsense']) {
      writeFileSync(join(directory, 'lock'), text);
      const log = await open(directory);
      await log.close();
    }
  });

  test('another version of the format is refused and left alone', async () => {
    const directory = freshDirectory();
    const made = await open(directory);
    await made.close();
    const file = filesOf(directory, '.log')[0]!;
    const bytes = readFileSync(file);
    bytes[7] = 0x39;
    writeFileSync(file, bytes);
    expect(await kindOfRejection(open(directory))).toBe('corrupt');
    expect(readFileSync(file)).toEqual(bytes);
  });
});

describe('a process that writes', () => {
  let code: string;
  let script: string;
  beforeAll(async () => {
    code = mkdtempSync(join(tmpdir(), 'millrace-writing-'));
    script = await bundleTs('test/unit/log/embedded/writing-process.ts', code);
  });
  afterAll(() => rmSync(code, { recursive: true, force: true }));

  test('killed at any moment loses nothing that was acknowledged, and leaves no half commit', async () => {
    const directory = freshDirectory();
    let acknowledged = -1;
    for (let round = 0; round < 10; round++) {
      const child = spawn(process.execPath, [script, directory, String(round % 2 === 0 ? 50 : 30_000)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(child, 'exit');
      const enough = acknowledged + 3 + round * 13;
      for await (const line of createInterface({ input: child.stdout })) {
        acknowledged = Number(line);
        if (acknowledged >= enough) child.kill('SIGKILL');
      }
      await exited;

      const log = await open(directory);
      const [first, second] = await contentOf(log, 't');
      expect(first!.length).toBeGreaterThan(acknowledged);
      expect(second).toEqual(first);
      expect(first!.map((value) => Number.parseInt(value, 10))).toEqual(first!.map((_, i) => i));
      expect((await log.admin.committed('g'))[0]!.offset).toBe(first!.length - 1);
      await log.close();
    }
  });

  test('that runs out of room keeps what it had acknowledged, and goes on when there is room', async () => {
    const directory = freshDirectory();
    // 1,024-byte blocks: no file may grow beyond 150 KB.
    const shell = spawnSync('bash', [
      '-c',
      `ulimit -f 150; exec "$0" "$@"`,
      process.execPath,
      script,
      directory,
      '40000',
    ]);
    expect(String(shell.stderr)).toBe('');
    const lines = String(shell.stdout).trim().split('\n');
    expect(lines.at(-1)).toBe('failed');
    const complaints: string[] = [];
    const complain = (_: object, message: string): number => complaints.push(message);
    const log = await open(directory, { logger: { ...silentLogger, warn: complain, error: complain } });
    expect(complaints).toEqual([]);
    const [first, second] = await contentOf(log, 't');
    expect(first!.length).toBe(lines.length);
    expect(first!.at(-1)).toBe('small');
    expect(first!.slice(0, -1)).toEqual(second);
    await log.close();
  });

  test('a copy of the directory opens too', async () => {
    const directory = freshDirectory();
    const log = await open(directory);
    await log.admin.createTopic({ name: 't', partitions: 1 });
    await write(log, 't', ['one']);
    const copy = freshDirectory();
    cpSync(directory, copy, { recursive: true });
    const other = await open(copy);
    expect(await contentOf(other, 't')).toEqual([['one']]);
    await other.close();
    await log.close();
  });
});
