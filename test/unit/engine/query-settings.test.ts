import { expect, test } from 'vitest';
import { systemClock as clock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import { openEngine } from '../../../src/engine/open-engine.ts';
import { newSession } from '../../../src/engine/session.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import { parseStatements } from '../../../src/sql/parser/parse.ts';
import { openStateBackend } from '../../../src/state/task-state.ts';
import { readAll } from '../../harness/log-records.ts';
import { execute, openEngine as openTestEngine } from '../../harness/open-engine.ts';

test('functions of a query are given the properties that the session had', async () => {
  const log = await openEmbeddedLog({ clock, logger: silentLogger });
  const engine = await openEngine({
    log,
    stateDirectory: null,
    state: openStateBackend(),
    clock,
    random: () => 0.5,
    logger: silentLogger,
    serviceId: 'test',
    commandLog: false,
    version: 'test',
  });
  const session = newSession();
  const run = async (sql: string): Promise<void> => {
    for (const statement of parseStatements(sql)) await engine.execute(statement, session);
  };
  await run(`CREATE STREAM A (K INT KEY, V INT) WITH (KAFKA_TOPIC='A', FORMAT='JSON', PARTITIONS=1);
    SET 'ksql.functions.collect_list.limit'='1';
    CREATE TABLE SHORT AS SELECT K, COLLECT_LIST(V) AS L FROM A GROUP BY K;
    UNSET 'ksql.functions.collect_list.limit';
    CREATE TABLE LONG AS SELECT K, COLLECT_LIST(V) AS L FROM A GROUP BY K;
    INSERT INTO A (K, V) VALUES (1, 10);
    INSERT INTO A (K, V) VALUES (1, 20);`);
  await engine.drain();
  const last = async (topic: string): Promise<string | null> => (await readAll(log, topic)).at(-1)!.value;
  expect(await last('SHORT')).toBe('{"L":[10]}');
  expect(await last('LONG')).toBe('{"L":[10,20]}');
  await engine.close();
});

test('a query may have a name that is longer than topics may be', async () => {
  const engine = await openTestEngine();
  try {
    const name = 'A'.repeat(300);
    await execute(
      engine,
      `CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', FORMAT='JSON', PARTITIONS=1);
       CREATE TABLE ${name} WITH (KAFKA_TOPIC='t') AS SELECT V, COUNT(*) AS N FROM S GROUP BY V;
       CREATE TABLE ${name}B WITH (KAFKA_TOPIC='u') AS SELECT V, COUNT(*) AS N FROM S GROUP BY V;
       INSERT INTO S VALUES (1, 2);`,
    );
    await engine.drain();
    expect(await readAll(engine.log, 't')).toHaveLength(1);
    expect(await readAll(engine.log, 'u')).toHaveLength(1);
  } finally {
    await engine.close();
  }
});

test('the topics that the engine makes for itself have the replicas that the process was started with', async () => {
  const log = await openEmbeddedLog({ clock, logger: silentLogger });
  const replicas = new Map<string, number | undefined>();
  const create = log.admin.createTopic.bind(log.admin);
  log.admin.createTopic = (topic) => {
    replicas.set(topic.name, topic.replicas);
    return create(topic);
  };
  const options = { log, commandLog: true, keepQueries: true };
  const engine = await openTestEngine(null, {
    ...options,
    properties: new Map([['ksql.internal.topic.replicas', '3']]),
  });
  expect([...replicas]).toEqual([
    ['_millrace_test_command_topic', 3],
    ['_millrace_test_queries', 3],
    ['test_processing_log', 3],
  ]);
  await engine.close();
});
