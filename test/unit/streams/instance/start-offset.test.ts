import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock, systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../../src/log/log.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import type { OffsetReset } from '../../../../src/streams/topology/offset-reset.ts';
import { produce } from '../../../harness/log-records.ts';
import { drain, openStreams } from '../../../harness/open-streams.ts';

let log: Log;

beforeEach(async () => {
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  await log.admin.createTopic({ name: 'in', partitions: 1 });
  for (const [value, timestamp] of [
    ['one', 1000],
    ['two', 2000],
    ['three', 3000],
  ] as const)
    await produce(log, 'in', [{ key: 'k', value, timestamp }]);
});

afterEach(() => log.close());

/** What an application reads that starts at 4 seconds; `own` is its source's policy. */
async function read(instance: OffsetReset | undefined, own?: OffsetReset): Promise<string[]> {
  const seen: string[] = [];
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  builder
    .stream<string, string>('in', own === undefined ? {} : { offsetReset: own })
    .foreach((_key, value) => void seen.push(value));
  const streams = await openStreams(builder.build(), {
    log,
    clock: new ManualClock(4000),
    ...(instance !== undefined && { offsetReset: instance }),
  });
  await drain(streams);
  await streams.close();
  return seen;
}

const commit = (offset: number): Promise<void> =>
  log.admin.alterCommitted('app', [{ topic: 'in', partition: 0, offset }]);

test.each<[OffsetReset | undefined, string[]]>([
  [undefined, ['one', 'two', 'three']],
  ['earliest', ['one', 'two', 'three']],
  ['latest', []],
  [{ byDurationMs: 2000 }, ['two', 'three']],
  [{ byDurationMs: 1999 }, ['three']],
  [{ byDurationMs: 500 }, []],
  [{ byDurationMs: 1e9 }, ['one', 'two', 'three']],
])('without a committed offset, %j reads %j', async (reset, seen) => {
  expect(await read(reset)).toEqual(seen);
});

test('a source’s own policy goes before the instance’s', async () => {
  expect(await read('latest', { byDurationMs: 1000 })).toEqual(['three']);
});

test('a committed offset goes before every policy', async () => {
  await commit(1);
  expect(await read('none')).toEqual(['two', 'three']);
});

test('none refuses to start without an offset, and with one that is gone', async () => {
  await expect(read('none')).rejects.toMatchObject({ name: 'LogError', kind: 'offset-out-of-range' });
  await log.admin.deleteRecords({ topic: 'in', partition: 0, offset: 2 });
  await commit(1);
  await expect(read('none')).rejects.toThrow(
    'group app has offset 1, which is gone, for partition 0 of topic in',
  );
});

test('an offset that is gone is reset', async () => {
  await log.admin.deleteRecords({ topic: 'in', partition: 0, offset: 1 });
  await commit(0);
  expect(await read({ byDurationMs: 1000 })).toEqual(['three']);
});
