import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import { PrintQuery } from '../../../src/engine/print-query.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../src/log/log.ts';
import { appendRecord } from '../../harness/append-record.ts';

/** PRINT shows whatever is in a topic. */

let log: Log;
beforeEach(async () => {
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  await log.admin.createTopic({ name: 't', partitions: 2 });
});
afterEach(() => log.close());

type Part = string | Buffer | null;

async function append(partition: number, timestamp: number, key: Part, value: Part): Promise<void> {
  const writer = await log.openWriter();
  appendRecord(writer, { topic: 't', partition }, { timestamp, key, value });
  await writer.flush();
  await writer.close();
}

const open = (
  options: { fromBeginning?: boolean; interval?: number; limit?: number } = {},
): Promise<PrintQuery> =>
  PrintQuery.open('q', log, {
    topic: 't',
    partitions: 2,
    fromBeginning: options.fromBeginning ?? true,
    interval: options.interval ?? null,
    limit: options.limit ?? null,
  });

async function lines(query: PrintQuery): Promise<string[]> {
  const found: string[] = [];
  for (let batch = await query.next(); batch !== null; batch = await query.next())
    for (const row of batch.rows) found.push(row[0] as string);
  return found;
}

test('shows time, key, value, partition and offset; nulls and bytes that are no text as such', async () => {
  await append(0, 1_500_000_000_000, 'k', '{"a":"ü\\n"}');
  await append(0, 0, null, null);
  await append(0, 1, Buffer.from([0xff, 0x00]), '\u001b[2J');
  const query = await open({ limit: 3 });
  expect(await lines(query)).toEqual([
    'rowtime: 2017-07-14 02:40:00.000Z, key: k, value: {"a":"ü\\n"}, partition: 0, offset: 0',
    'rowtime: 1970-01-01 00:00:00.000Z, key: <null>, value: <null>, partition: 0, offset: 1',
    'rowtime: 1970-01-01 00:00:00.001Z, key: 0xff00, value: 0x1b5b324a, partition: 0, offset: 2',
  ]);
  expect(query.end).toBe('limit');
});

test('a timestamp beyond the calendar is shown as its number', async () => {
  await append(0, 9_000_000_000_000_000, 'k', 'v');
  expect(await lines(await open({ limit: 1 }))).toEqual([
    'rowtime: 9000000000000000, key: k, value: v, partition: 0, offset: 0',
  ]);
});

test('reads all partitions, and stops at the limit though more came with the same batch', async () => {
  for (let i = 0; i < 5; i++) await append(i % 2, i, `k${i}`, 'v');
  const found = await lines(await open({ limit: 5 }));
  expect(found.map((line) => /key: (\w+)/.exec(line)?.[1] ?? '').sort()).toEqual([
    'k0',
    'k1',
    'k2',
    'k3',
    'k4',
  ]);
  expect(await lines(await open({ limit: 2 }))).toHaveLength(2);
});

test('INTERVAL shows every n-th record, the first among them', async () => {
  for (let i = 0; i < 7; i++) await append(0, i, null, `v${i}`);
  const found = await lines(await open({ interval: 3, limit: 3 }));
  expect(found.map((line) => /value: (\w+)/.exec(line)![1])).toEqual(['v0', 'v3', 'v6']);
});

test('without FROM BEGINNING only what comes from now on', async () => {
  await append(0, 0, null, 'before');
  const query = await open({ fromBeginning: false, limit: 1 });
  const reading = lines(query);
  await append(1, 0, null, 'after');
  expect(await reading).toEqual([expect.stringContaining('value: after, partition: 1')]);
});

test('closing while it waits ends it, and may be done twice', async () => {
  const query = await open();
  const waiting = query.next();
  await query.close();
  expect(await waiting).toBeNull();
  await query.close();
  expect([query.end, await query.next()]).toEqual(['terminated', null]);
});

test('LIMIT 0 shows nothing', async () => {
  expect(await lines(await open({ limit: 0 }))).toEqual([]);
});
