import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTestEngine } from '../../../src/test-runner/open-test-engine.ts';
import { type Clock, systemClock } from '../../../src/common/clock.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { RowStream } from '../../../src/engine/result.ts';
import { newSession } from '../../../src/engine/session.ts';
import { parseStatements } from '../../../src/sql/parser/parse.ts';
import type { Row } from '../../../src/types/value.ts';
import { appendRecord } from '../../harness/append-record.ts';
import { execute } from '../../harness/open-engine.ts';

/** A pull query over a whole table: piece by piece, as far as its client asks. */

let engine: Engine;
/** How much later each look at the clock is: a turn of 10 ms ends with the third, however fast the machine is. */
let lookMs = 0;
let aheadMs = 0;
const clock: Clock = {
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic() + (aheadMs += lookMs),
  setTimer: (delayMs, action) => systemClock.setTimer(delayMs, action),
};
const KEYS = 7000;

beforeEach(async () => {
  engine = await openTestEngine(clock, {});
  await execute(
    engine,
    "CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='s', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON', PARTITIONS=3);",
  );
  const writer = await engine.log.openWriter();
  for (let i = 0; i < KEYS; i++)
    appendRecord(
      writer,
      { topic: 's', partition: i % 3 },
      { key: `k${i}`, value: `{"V":${i}}`, timestamp: i * 10 },
    );
  await writer.flush();
  await writer.close();
});
afterEach(async () => {
  expect(engine.rowBudget.usedBytes).toBe(0);
  expect(engine.openQueries.size).toBe(0);
  await engine.close();
});

async function open(sql: string): Promise<RowStream> {
  const result = await engine.execute(parseStatements(sql)[0]!, newSession());
  if (result.kind !== 'rows') throw new Error('no rows');
  return result.rows;
}

async function rest(rows: RowStream): Promise<Row[]> {
  const found: Row[] = [];
  for (let batch = await rows.next(); batch !== null; batch = await rows.next()) found.push(...batch.rows);
  return found;
}

const sorted = (rows: readonly Row[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

const AGGREGATES = [
  ['a table', 'CREATE TABLE T AS SELECT K, SUM(V) AS N FROM S GROUP BY K;'],
  ['windows', 'CREATE TABLE T AS SELECT K, SUM(V) AS N FROM S WINDOW TUMBLING (SIZE 5 SECONDS) GROUP BY K;'],
  ['one window', 'CREATE TABLE T AS SELECT K, SUM(V) AS N FROM S WINDOW TUMBLING (SIZE 1 DAY) GROUP BY K;'],
  ['sessions', 'CREATE TABLE T AS SELECT K, SUM(V) AS N FROM S WINDOW SESSION (5 SECONDS) GROUP BY K;'],
] as const;

test.each(AGGREGATES)(
  '%s: every row once, filtered and limited, in pieces, and others have their turn',
  async (_what, sql) => {
    await execute(engine, sql);
    await engine.drain();
    const all = Array.from({ length: KEYS }, (_, i) => [`k${i}`, i]);
    expect(sorted(await rest(await open('SELECT K, N FROM T;')))).toEqual(sorted(all));
    const filtered = all.filter(([, n]) => (n as number) % 1000 < 3);
    let turns = 0;
    let counting = true;
    lookMs = 4;
    const count = (): void => {
      turns++;
      if (counting) setImmediate(count);
    };
    setImmediate(count);
    expect(sorted(await rest(await open('SELECT K, N FROM T WHERE N % 1000 < 3;')))).toEqual(
      sorted(filtered),
    );
    counting = false;
    lookMs = 0;
    expect(turns).toBeGreaterThanOrEqual(1);
    expect(await rest(await open('SELECT K, N FROM T LIMIT 2500;'))).toHaveLength(2500);
    expect(await rest(await open('SELECT K, N FROM T LIMIT 0;'))).toHaveLength(0);

    const half = await open('SELECT K, N FROM T;');
    const first = (await half.next())!.rows.length;
    expect(first).toBeLessThan(KEYS / 3);
    expect(engine.rowBudget.usedBytes).toBeLessThan(128 * 1024);
    await half.close();
  },
);

test('rows that come and change while a table is read are given once', async () => {
  await execute(engine, AGGREGATES[0][1]);
  await engine.drain();
  const rows = await open('SELECT K, N FROM T;');
  const found = [...(await rows.next())!.rows];
  const writer = await engine.log.openWriter();
  for (let i = 0; i < KEYS; i += 70)
    for (const key of [`k${i}`, `new${i}`])
      appendRecord(writer, { topic: 's', partition: i % 3 }, { key, value: '{"V":1}', timestamp: i });
  await writer.flush();
  await writer.close();
  await engine.drain();
  found.push(...(await rest(rows)));
  const keys = found.map(([key]) => key as string);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.filter((key) => key.startsWith('k'))).toHaveLength(KEYS);
});

test('a table that is dropped while it is read is said to be', async () => {
  await execute(engine, AGGREGATES[0][1]);
  await engine.drain();
  const rows = await open('SELECT K, N FROM T;');
  await rows.next();
  await execute(engine, 'DROP TABLE T;');
  await expect(rest(rows)).rejects.toThrow('the table was closed while it was read');
  await rows.close();
});
