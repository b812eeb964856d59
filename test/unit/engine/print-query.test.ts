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
  PrintQuery.open(
    'q',
    log,
    {
      topic: 't',
      partitions: 2,
      fromBeginning: options.fromBeginning ?? true,
      interval: options.interval ?? null,
      limit: options.limit ?? null,
    },
    () => undefined,
  );

async function lines(query: PrintQuery): Promise<string[]> {
  const found: string[] = [];
  for (let batch = await query.next(); batch !== null; batch = await query.next())
    for (const row of batch.rows) found.push(row[0] as string);
  return found;
}

async function records(query: PrintQuery): Promise<string[]> {
  return (await lines(query)).filter((line) => line.startsWith('rowtime: '));
}

test('shows time, key, value, partition and offset; nulls and bytes that are no text as such', async () => {
  await append(0, 1_500_000_000_000, 'k', '{"a":"ü\\n"}');
  await append(0, 0, null, null);
  await append(0, 1, Buffer.from([0xff, 0x00]), '\u001b[2');
  const query = await open({ limit: 3 });
  expect(await records(query)).toEqual([
    'rowtime: 2017/07/14 02:40:00.000 Z, key: k, value: {"a":"ü\\n"}, partition: 0, offset: 0',
    'rowtime: 1970/01/01 00:00:00.000 Z, key: <null>, value: <null>, partition: 0, offset: 1',
    'rowtime: 1970/01/01 00:00:00.001 Z, key: 0xff00, value: 0x1b5b32, partition: 0, offset: 2',
  ]);
  expect(query.end).toBe('limit');
});

test('a timestamp beyond the calendar is shown as its number', async () => {
  await append(0, 9_000_000_000_000_000, 'k', 'v');
  expect(await records(await open({ limit: 1 }))).toEqual([
    'rowtime: 9000000000000000, key: k, value: v, partition: 0, offset: 0',
  ]);
});

test('reads all partitions, and stops at the limit though more came with the same batch', async () => {
  for (let i = 0; i < 5; i++) await append(i % 2, i, `k${i}`, 'v');
  const found = await records(await open({ limit: 5 }));
  expect(found.map((line) => /key: (\w+)/.exec(line)?.[1] ?? '').sort()).toEqual([
    'k0',
    'k1',
    'k2',
    'k3',
    'k4',
  ]);
  expect(await records(await open({ limit: 2 }))).toHaveLength(2);
});

test('INTERVAL shows every n-th record, the first among them', async () => {
  for (let i = 0; i < 7; i++) await append(0, i, null, `v${i}`);
  const found = await records(await open({ interval: 3, limit: 3 }));
  expect(found.map((line) => /value: (\w+)/.exec(line)![1])).toEqual(['v0', 'v3', 'v6']);
});

test('without FROM BEGINNING only what comes from now on', async () => {
  await append(0, 0, null, 'before');
  const query = await open({ fromBeginning: false, limit: 1 });
  const reading = records(query);
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
  expect(await records(await open({ limit: 0 }))).toEqual([]);
});

async function formatsOf(...records: readonly (readonly [Part, Part])[]): Promise<string[]> {
  for (const [key, value] of records) await append(0, 0, key, value);
  const found = await lines(await open({ limit: records.length }));
  return found.map((line) => line.replace(/^rowtime: .*?, (key: .*), partition.*$/, '$1'));
}

const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const long = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
};
const double = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
};

test('formats are guessed, and said again when a record rules one out', async () => {
  expect(await formatsOf(['18', '{"a":1}'], [null, 'plain'], ['x', null])).toEqual([
    'Key format: JSON or KAFKA_STRING',
    'Value format: JSON or KAFKA_STRING',
    'key: 18, value: {"a":1}',
    'Value format: KAFKA_STRING',
    'key: <null>, value: plain',
    'Key format: KAFKA_STRING',
    'key: x, value: <null>',
  ]);
});

test('numbers are shown as numbers', async () => {
  expect(await formatsOf([int(-5), long(7n)], [int(6), double(1.5)])).toEqual([
    'Key format: KAFKA_INT',
    'Value format: KAFKA_BIGINT or KAFKA_DOUBLE',
    'key: -5, value: 7',
    'key: 6, value: 1.5',
  ]);
});

test('windowed keys are shown with their bounds', async () => {
  expect(await formatsOf([Buffer.concat([Buffer.from('k'), long(60_000n)]), 'v'])).toContain(
    'Key format: TIME_WINDOWED(KAFKA_STRING)',
  );
  const found = await lines(await open({ limit: 1 }));
  expect(found.at(-1)).toContain('key: [k@60000/-], value: v');
});

test('sessions have both bounds', async () => {
  const [format, , line] = await formatsOf([
    Buffer.concat([int(1), long(1_700_000_005_000n), long(1_700_000_000_000n)]),
    '1',
  ]);
  expect(format).toBe('Key format: SESSION_WINDOWED(KAFKA_INT)');
  expect(line).toBe('key: [1@1700000000000/1700000005000], value: 1');
});

test('a topic of several formats is called mixed, and bytes of none rule nothing out', async () => {
  expect(await formatsOf(['x', 'a'], [int(1), Buffer.from([0xff])], ['y', 'b'])).toEqual([
    'Key format: KAFKA_STRING',
    'Value format: KAFKA_STRING',
    'key: x, value: a',
    'Key format: KAFKA_INT (mixed)',
    'key: 1, value: 0xff',
    'Key format: KAFKA_STRING (mixed)',
    'key: y, value: b',
  ]);
});
