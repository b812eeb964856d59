import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import { GrowingLog } from '../../harness/growing-log.ts';
import { produce, readAll } from '../../harness/log-records.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';
import { until } from '../../harness/until.ts';

const SOURCES = `
  CREATE STREAM S (K STRING KEY, V STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', KEY_FORMAT='KAFKA');
  CREATE TABLE U (K STRING PRIMARY KEY, N STRING) WITH (KAFKA_TOPIC='u', VALUE_FORMAT='JSON', KEY_FORMAT='KAFKA');`;
const QUERIES = `
  CREATE STREAM COPY AS SELECT * FROM S;
  CREATE TABLE BY_KEY AS SELECT K, COUNT(*) AS N FROM S GROUP BY K;
  CREATE TABLE BY_VALUE AS SELECT V, COUNT(*) AS N FROM S GROUP BY V;
  CREATE STREAM JOINED AS SELECT S.K, V, N FROM S JOIN U ON S.K = U.K;`;

let directory: string;
let shown: Record<string, number>;
let log: GrowingLog;
let engine: Engine;
/** Added to the machine's time. */
let laterMs = 0;
const clock = { ...systemClock, now: () => systemClock.now() + laterMs };

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-growth-'));
  shown = {};
  await start();
  for (const topic of ['s', 'u']) {
    await log.admin.createTopic({ name: topic, partitions: 4 });
    show(topic, 2);
  }
  await execute(engine, SOURCES + QUERIES);
  await execute(engine, "INSERT INTO S VALUES ('a', 'x'); INSERT INTO S VALUES ('b', 'x');");
  await engine.drain();
});
afterEach(async () => {
  await engine.close();
  rmSync(directory, { recursive: true });
});

function show(topic: string, partitions: number): void {
  shown[topic] = partitions;
  log.show(topic, partitions);
}

async function start(): Promise<void> {
  log = new GrowingLog(await openEmbeddedLog({ clock, logger: silentLogger, directory }));
  for (const [topic, partitions] of Object.entries(shown)) log.show(topic, partitions);
  engine = await openEngine(null, { log, clock, commandLog: true });
}

async function restart(): Promise<void> {
  await engine.close();
  await start();
}

/** A minute goes by, and every query has noticed. */
async function notice(): Promise<void> {
  laterMs += 60_000;
  await until(() =>
    [...engine.queries.values()].every(
      ({ state, streams }) => state === 'ERROR' || streams.tasks.some(({ partition }) => partition === 3),
    ),
  );
}

const states = (): Record<string, string> =>
  Object.fromEntries([...engine.queries.values()].map(({ sink, state }) => [sink, state]));

const names = (): string[] => engine.catalog.sources().map(({ name }) => name);

const pull = async (sql: string): Promise<unknown> => (await execute(engine, sql)).rows;

const reason = async (id: string): Promise<string> => {
  const { entity } = await execute(engine, `EXPLAIN ${id};`);
  return JSON.stringify(entity);
};

test('of the queries on a topic that gets partitions those run on that can, and the others say what to do', async () => {
  await produce(log, 's', [{ key: 'c', value: '{"V":"x"}', partition: 3 }]);
  show('s', 4);
  await notice();
  await engine.drain();
  const EXPECTED = { COPY: 'RUNNING', BY_KEY: 'ERROR', BY_VALUE: 'RUNNING', JOINED: 'ERROR' };
  const check = async (): Promise<void> => {
    expect(states()).toEqual(EXPECTED);
    expect(names()).toEqual(['KSQL_PROCESSING_LOG', 'S', 'U', 'COPY', 'BY_KEY', 'BY_VALUE', 'JOINED']);
    expect(new Set((await readAll(log, 'COPY')).map(({ key }) => key))).toEqual(new Set(['a', 'b', 'c']));
    expect(await pull("SELECT N FROM BY_VALUE WHERE V = 'x';")).toEqual([[3]]);
    await expect(pull("SELECT N FROM BY_KEY WHERE K = 'a';")).rejects.toMatchObject({
      code: 'ML_IN_USE',
      message: expect.stringContaining('topic s has') as string,
      hint: expect.stringContaining('TERMINATE CTAS_BY_KEY_1, copy the topic') as string,
    });
  };
  await check();
  expect(await reason('CTAS_BY_KEY_1')).toContain('topic s has 4 partitions now and had 2');
  await restart();
  await engine.drain();
  await check();
  expect(await reason('CSAS_JOINED_3')).toContain('TERMINATE CSAS_JOINED_3, copy the topic');
});

test('what says what to do is done, and works', async () => {
  show('s', 4);
  await restart();
  await execute(engine, 'DROP TABLE BY_KEY;');
  expect((await log.admin.listTopics()).filter((topic) => topic.includes('BY_KEY_1-'))).toEqual([]);
  expect(await log.admin.committed('_millrace_test_query_CTAS_BY_KEY_1')).toEqual([]);
  await execute(engine, 'CREATE TABLE BY_KEY AS SELECT K, COUNT(*) AS N FROM COPY GROUP BY K;');
  await engine.drain();
  expect(await pull("SELECT N FROM BY_KEY WHERE K = 'a';")).toEqual([[1]]);
});

test('topics that are gone, or made anew with fewer partitions, keep everything listed', async () => {
  await log.admin.deleteTopic('u');
  show('s', 1);
  await restart();
  expect(names()).toEqual(['KSQL_PROCESSING_LOG', 'S', 'U', 'COPY', 'BY_KEY', 'BY_VALUE', 'JOINED']);
  expect(states()).toEqual({ COPY: 'ERROR', BY_KEY: 'ERROR', BY_VALUE: 'ERROR', JOINED: 'ERROR' });
  expect(await reason('CSAS_COPY_0')).toContain('topic s has 1 partitions and had 2: it was deleted');
  expect(await reason('CSAS_JOINED_3')).toContain('topic u does not exist');
});

test('rows are inserted, and new queries made, by the partitions of now', async () => {
  show('s', 4);
  show('u', 4);
  await execute(engine, 'CREATE STREAM TOO AS SELECT S.K, V, N FROM S JOIN U ON S.K = U.K;');
  expect((await log.admin.describeTopic('TOO'))!.partitions).toBe(4);
  laterMs += 60_000;
  for (let i = 0; i < 20; i++) await execute(engine, `INSERT INTO S VALUES ('k${i}', 'x');`);
  expect(new Set((await readAll(log, 's')).map(({ partition }) => partition)).size).toBe(4);
});
