import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { CommandLog } from '../../src/engine/command-log.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { execute, openEngine } from '../harness/open-engine.ts';
import { untilAsync } from '../harness/until.ts';

/** What processes that wait know of what the active one is told. */

describeKafka('processes that wait', (address) => {
  const engines: Engine[] = [];
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((engine) => engine.close()));
  });
  const openLog = (clientId: string) =>
    openKafkaLog({ brokers: [address], clientId, clock: systemClock, logger: silentLogger });
  const open = async (serviceId: string): Promise<Engine> => {
    const engine = await openEngine(null, {
      log: await openLog(serviceId),
      commandLog: true,
      serviceId,
      deadCommandsMax: 6,
    });
    engines.push(engine);
    return engine;
  };
  /** All that statements can change, but for how queries go. */
  const known = async (engine: Engine): Promise<string> => {
    const answers = [];
    for (const what of ['STREAMS', 'TABLES', 'TYPES', 'FUNCTIONS', 'PROPERTIES'])
      answers.push((await execute(engine, `SHOW ${what};`)).entity);
    const queries = [...engine.queries.values()].map(({ id, statementText, isPaused }) => {
      return { id, statementText, isPaused };
    });
    return JSON.stringify([answers, queries, engine.sequence]);
  };

  test('know all of it, and go on with it', async () => {
    const service = uniqueName('followed');
    const a = await open(service);
    await execute(
      a,
      `CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='${service}-s', VALUE_FORMAT='JSON', PARTITIONS=2);
       CREATE TABLE T WITH (KAFKA_TOPIC='${service}-t') AS SELECT K, COUNT(*) AS N FROM S GROUP BY K;
       INSERT INTO S VALUES (1, 1);`,
    );
    const b = await open(service);
    for (const statement of [
      'CREATE TYPE P AS STRUCT<X INT>;',
      "ALTER SYSTEM 'commit.interval.ms' = '50';",
      'CREATE STREAM R AS SELECT K, V FROM S WHERE V > 1;',
      'CREATE OR REPLACE STREAM R AS SELECT K, V FROM S WHERE V > 2;',
      'PAUSE CSAS_R_1;',
      'ALTER STREAM S ADD COLUMN W INT;',
      'CREATE STREAM Q AS SELECT K, V FROM R;',
      'TERMINATE CSAS_Q_3;',
      'DROP STREAM Q DELETE TOPIC;',
      'DROP TYPE P;',
      'RESUME CSAS_R_1;',
      'INSERT INTO R SELECT K, W AS V FROM S;',
      // The log is compacted on the way.
      ...Array.from({ length: 8 }, (_, i) => `ALTER SYSTEM 'commit.interval.ms' = '${100 + i}';`),
    ]) {
      await execute(a, statement);
      await untilAsync(async () => (await known(a)) === (await known(b)));
    }
    expect([...b.queries.values()].map(({ state }) => state)).toEqual(['WAITING', 'WAITING', 'WAITING']);
    expect((await b.log.admin.offsets(`_millrace_${service}_command_topic`))[0]!.start).toBeGreaterThan(4);
    await a.close();
    await untilAsync(() =>
      Promise.resolve([...b.queries.values()].every(({ state }) => state === 'RUNNING')),
    );
    await execute(b, 'INSERT INTO S (K, V) VALUES (1, 2);');
    await b.drain();
    expect((await execute(b, 'SELECT N FROM T WHERE K = 1;')).rows).toEqual([[2]]);
    await execute(b, 'CREATE STREAM Z AS SELECT K, V FROM R;');
    expect([...b.queries.keys()].at(-1)).toBe('CSAS_Z_5');
  }, 60_000);

  test('a command of a process in whose place another one writes is refused, and its queries go on when the group says so', async () => {
    const service = uniqueName('outdone');
    const a = await open(service);
    await execute(
      a,
      `CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='${service}-s', VALUE_FORMAT='JSON', PARTITIONS=2);
       CREATE TABLE T WITH (KAFKA_TOPIC='${service}-t') AS SELECT K, COUNT(*) AS N FROM S GROUP BY K;
       INSERT INTO S VALUES (1, 1);`,
    );
    // As one would that has taken the first one for dead.
    const log = await openLog('other');
    const other = await CommandLog.open(log, service);
    await other.own();
    const { length } = (await other.read()).commands;
    await expect(execute(a, 'CREATE TYPE P AS STRUCT<X INT>;')).rejects.toMatchObject({ code: 'ML_WAITING' });
    expect((await other.read()).commands).toHaveLength(length);
    await other.append(
      { version: 1, statement: 'CREATE TYPE P AS INT;', properties: {}, sequence: 1 },
      0,
      null,
    );
    await untilAsync(() =>
      Promise.resolve([...a.queries.values()].every(({ state }) => state === 'RUNNING')),
    );
    await a.drain();
    expect((await execute(a, 'SELECT N FROM T WHERE K = 1;')).rows).toEqual([[1]]);
    expect(JSON.stringify((await execute(a, 'SHOW TYPES;')).entity)).toContain('INTEGER');
    await log.close();
  }, 60_000);
});
