import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { EmbeddedLogOptions } from '../../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../../src/log/log.ts';
import { LogError } from '../../../../src/log/log.ts';
import { appendRecord } from '../../../harness/append-record.ts';
import { openAndRead, readContent } from '../../../harness/journal-directory.ts';
import { until } from '../../../harness/until.ts';

/** What a write is told when the disk or the directory is not what it was. */

let root: string;
let directory: string;
let log: Log;

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'millrace-disk-'));
  directory = join(root, 'log');
});

afterEach(async () => {
  vi.restoreAllMocks();
  await log.close();
  fs.rmSync(root, { recursive: true, force: true });
});

async function open(options: Partial<EmbeddedLogOptions> = {}): Promise<void> {
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger, directory, ...options });
  await log.admin.createTopic({ name: 't', partitions: 1 });
  await write('first');
}

async function write(value: string | Buffer): Promise<void> {
  const writer = await log.openWriter();
  appendRecord(writer, { topic: 't', partition: 0 }, { value });
  await writer.flush();
}

async function refusal(promise: Promise<unknown>): Promise<LogError> {
  return promise.then(
    () => {
      throw new Error('it was acknowledged');
    },
    (error: unknown) => {
      if (!(error instanceof LogError)) throw error;
      return error;
    },
  );
}

async function values(): Promise<readonly string[] | undefined> {
  return (await readContent(log, [])).content.get('t-0');
}

describe('a log directory that vanishes', () => {
  test('removed: nothing is acknowledged any more, and what there is can be read', async () => {
    await open();
    fs.rmSync(directory, { recursive: true });
    for (let i = 0; i < 3; i++) {
      const { kind, message } = await refusal(write('lost'));
      expect([kind, message]).toEqual([
        'unavailable',
        expect.stringContaining(`${directory}/00000001.log is gone`),
      ]);
    }
    expect((await refusal(log.admin.createTopic({ name: 'u', partitions: 1 }))).kind).toBe('unavailable');
    expect(await values()).toEqual(['0:first']);
  });

  test('renamed: refused until it is back, and then all is as if nothing had been', async () => {
    await open();
    fs.renameSync(directory, `${directory}-away`);
    expect((await refusal(write('lost'))).message).toContain('gone');
    fs.mkdirSync(directory);
    fs.writeFileSync(join(directory, '00000001.log'), 'not the same');
    expect((await refusal(write('lost'))).message).toContain('00000001.log is another one');
    fs.rmSync(directory, { recursive: true });
    fs.renameSync(`${directory}-away`, directory);
    await write('second');
    expect(await values()).toEqual(['0:first', '1:second']);
    await log.close();
    const { content, warnings } = await openAndRead(directory, []);
    expect([content?.get('t-0'), warnings]).toEqual([['0:first', '1:second'], []]);
  });

  test('its newest file removed: refused too', async () => {
    await open();
    fs.rmSync(join(directory, '00000001.log'));
    expect((await refusal(write('lost'))).message).toContain('gone');
  });
});

describe('a disk that fails', () => {
  function fail(name: 'fdatasync' | 'writev', code: string): void {
    vi.spyOn(fs, name).mockImplementationOnce(((...given: unknown[]) => {
      const done = given.at(-1) as (error: Error) => void;
      setImmediate(() => done(Object.assign(new Error(`${code}: ${name}`), { code })));
    }) as never);
  }

  test('to sync: nothing more is written, for the next sync would not tell what was lost', async () => {
    await open({ sync: true });
    fail('fdatasync', 'EIO');
    expect((await refusal(write('lost'))).message).toMatch(/cannot be written \(EIO/);
    vi.restoreAllMocks();
    expect((await refusal(write('later'))).kind).toBe('unavailable');
    expect(await values()).toEqual(['0:first']);
    await log.close();
    const { content } = await openAndRead(directory, []);
    expect(content?.get('t-0')).toEqual(['0:first']);
  });

  test('to write: the same; but when only room is missing, it goes on when there is room', async () => {
    await open();
    fail('writev', 'ENOSPC');
    expect((await refusal(write('no room'))).message).toContain('ENOSPC');
    await write('second');
    fail('writev', 'EIO');
    expect((await refusal(write('lost'))).message).toContain('EIO');
    expect((await refusal(write('later'))).kind).toBe('unavailable');
    expect(await values()).toEqual(['0:first', '1:second']);
  });

  test('to sync a file that was closed: nothing more is written', async () => {
    const errors: string[] = [];
    await open({
      segmentBytesMax: 2000,
      logger: { ...silentLogger, error: (_, message) => errors.push(message) },
    });
    fail('fdatasync', 'EIO');
    await write(Buffer.alloc(3000));
    await until(() => errors.length > 0);
    expect((await refusal(write('later'))).kind).toBe('unavailable');
    await log.close();
    // It was not closed in peace, and does not say so.
    expect(fs.readdirSync(directory)).not.toContain('end');
  });
});
