import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../src/log/log.ts';
import { openStateBackend } from '../../../src/state/task-state.ts';
import { CrashingLog, type CrashPoint } from '../../harness/crashing-log.ts';
import { produce, readAll } from '../../harness/log-records.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';
import { until } from '../../harness/until.ts';

/** Rows of the processing log are in the commit that steps over the record: neither lost with it nor there twice. */

let directory: string;
let log: Log;
let process: CrashingLog;
let engine: Engine;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-skipped-'));
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  await start();
});
afterEach(async () => {
  await engine.close();
  await log.close();
  rmSync(directory, { recursive: true });
});

/** Another process of the service on the same log, which outlives it; all state lies on disk. */
async function start(): Promise<void> {
  process = new CrashingLog(log);
  process.close = () => Promise.resolve();
  const state = openStateBackend({ residentBytes: 0 });
  engine = await openEngine(null, { log: process, commandLog: true, state, stateDirectory: directory });
}

const logged = async (): Promise<unknown[]> =>
  (await readAll(log, 'test_processing_log')).map(({ value }) => {
    const { OFFSET, REASON } = JSON.parse(value!) as Record<string, unknown>;
    return [OFFSET, REASON];
  });

const put = (...values: readonly string[]): Promise<void> =>
  produce(
    log,
    's',
    values.map((value) => ({ key: 'a', value })),
  );

test.each<[CrashPoint, number]>([
  ['before-commit', 200],
  ['after-commit', 1],
])('a process that dies %s', async (point, commitMs) => {
  await execute(
    engine,
    `SET 'commit.interval.ms'='${commitMs}';
     CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
     CREATE TABLE T AS SELECT K, SUM(V) AS N, 10 / SUM(V) AS W FROM S GROUP BY K;`,
  );
  await put('{"V":5}');
  await engine.drain();
  await engine.close();
  await start();
  await until(() => [...engine.queries.values()].every(({ state }) => state === 'RUNNING'));
  process.crashAt(point);
  // The sum of the second is 0 as long as nobody knows the row on disk; that of the fourth is.
  await put('{"V":0}', 'not json', '{"V":-5}', '{"V":5}');
  await until(() => process.crashed);
  await engine.processingLog.flush();
  await engine.close();
  await start();
  await engine.drain();
  expect(await logged()).toEqual([
    [2, 'deserialization'],
    [3, 'evaluation'],
  ]);
  expect((await execute(engine, 'SELECT N FROM T;')).rows).toEqual([[5]]);
});

test('what waits for the commit is committed early where it is a lot', async () => {
  await execute(
    engine,
    `SET 'commit.interval.ms'='3600000';
     CREATE STREAM S (V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
     CREATE STREAM Q AS SELECT * FROM S;`,
  );
  const large = Array.from({ length: 30 }, () => ({ key: null, value: 'x'.repeat(200_000) }));
  await produce(log, 's', large);
  const [query] = engine.queries.values();
  await until(() => query!.streams.processedRecords === 30);
  await until(() => query!.streams.tasks.every(({ commitNeeded }) => !commitNeeded));
  expect(await logged()).toHaveLength(30);
});

test('a topic that somebody has deleted is made anew, and no row is lost', async () => {
  await execute(
    engine,
    `CREATE STREAM S (V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
     CREATE STREAM Q AS SELECT * FROM S;`,
  );
  await log.admin.deleteTopic('test_processing_log');
  await put('not json');
  const [query] = engine.queries.values();
  await until(() => query!.errors.length === 1);
  await until(() => query!.state === 'RUNNING');
  await engine.drain();
  expect(await logged()).toEqual([[0, 'deserialization']]);
});
