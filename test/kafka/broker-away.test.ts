import { kill } from 'node:process';
import { expect, test } from 'vitest';
import { startKafka } from '../../scripts/kafka.js';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import type { LogReader } from '../../src/log/log.ts';
import { describeKafka } from '../harness/kafka.ts';
import { execute, openEngine } from '../harness/open-engine.ts';
import { until } from '../harness/until.ts';

/** A broker that stops answering for a while: one of its own, because others need theirs. */

describeKafka('a broker that is away', () => {
  test('statements that write are answered in time, the others go on, and all is well when it is back', async () => {
    const broker = await startKafka();
    const log = await openKafkaLog({
      brokers: [broker.address],
      clientId: 'away',
      clock: systemClock,
      logger: silentLogger,
    });
    const engine = await openEngine(null, { log, commandLog: true, logPatienceMs: 500 });
    try {
      await execute(
        engine,
        `CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
         CREATE STREAM R (K INT KEY, V INT) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON', PARTITIONS=1);
         INSERT INTO S VALUES (0, 0);`,
      );
      kill(broker.pid, 'SIGSTOP');
      const writing = Promise.allSettled([
        execute(engine, 'INSERT INTO S VALUES (1, 1);'),
        execute(engine, 'INSERT INTO R VALUES (1, 1);'),
        execute(engine, 'CREATE TYPE T AS INT;'),
      ]);
      const looking = execute(engine, 'SHOW STREAMS; SHOW QUERIES; EXPLAIN SELECT * FROM S EMIT CHANGES;');
      await looking;
      expect(await writing).toMatchObject([
        { reason: { code: 'ML_LOG', hint: expect.stringContaining('may have been written') as string } },
        { reason: { code: 'ML_LOG', hint: expect.stringContaining('nothing was written') as string } },
        { reason: { code: 'ML_LOG', hint: expect.stringContaining('takes effect if') as string } },
      ]);
      kill(broker.pid, 'SIGCONT');
      // What waits for its turn is sent away while the command of before is on its way.
      for (;;) {
        const answer = await execute(engine, 'CREATE TYPE U AS INT;').catch((error: unknown) => error);
        if (!(answer instanceof Error)) break;
        expect(answer).toMatchObject({
          code: 'ML_LOG',
          message: expect.stringContaining('not begun') as string,
        });
      }
      expect(engine.catalog.types().map(([name]) => name)).toEqual(['T', 'U']);
      const inserted = await execute(engine, 'INSERT INTO S VALUES (2, 2);').catch((error: unknown) => error);
      expect(inserted).not.toBeInstanceOf(Error);
      expect((await execute(engine, 'SELECT V FROM S;')).rows).toEqual([[0], [1], [2]]);
      expect((await execute(engine, 'SELECT V FROM R;')).rows).toEqual([]);
    } finally {
      kill(broker.pid, 'SIGCONT');
      await engine.close();
      await broker.stop();
    }
  }, 180_000);

  test('it is told once, not with every attempt', async () => {
    const broker = await startKafka();
    const warnings: string[] = [];
    let attempts = 0;
    const log = await openKafkaLog({
      brokers: [broker.address],
      clientId: 'away',
      clock: systemClock,
      logger: {
        ...silentLogger,
        warn: (_fields, message) => void warnings.push(message),
        // What kafkajs says of each connection that it could not make.
        debug: (_fields, message) => void (/Connection error/.test(message) && attempts++),
      },
    });
    const readers: LogReader[] = [];
    try {
      for (const topic of ['a', 'b', 'c']) {
        await log.admin.createTopic({ name: topic, partitions: 1 });
        const reader = log.openReader();
        reader.assign({ topic, partition: 0, offset: 0 });
        await reader.poll(0);
        readers.push(reader);
      }
      await broker.stop();
      await until(() => attempts > 20);
      expect(warnings.length).toBeGreaterThan(0);
      expect(warnings).toEqual([...new Set(warnings)]);
    } finally {
      await Promise.all(readers.map((reader) => reader.close()));
      await log.close();
      await broker.stop();
    }
  }, 60_000);
});
