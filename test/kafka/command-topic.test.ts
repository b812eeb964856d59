import { expect, test } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import { describeKafka, javaProduce, uniqueName } from '../harness/kafka.ts';
import { execute, openEngine } from '../harness/open-engine.ts';

/** The command topic on a broker that others may write to. */

describeKafka('the command topic in Kafka', (address) => {
  const open = async (serviceId: string): Promise<Engine> =>
    openEngine(null, {
      log: await openKafkaLog({
        brokers: [address],
        clientId: serviceId,
        clock: systemClock,
        logger: silentLogger,
      }),
      commandLog: true,
      serviceId,
      deadCommandsMax: 6,
    });

  test('it is compacted, holds what others wrote, and brings everything back', async () => {
    const serviceId = uniqueName('compacted');
    const topic = `_millrace_${serviceId}_command_topic`;
    let engine = await open(serviceId);
    await execute(
      engine,
      `CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='${serviceId}-s', VALUE_FORMAT='JSON', PARTITIONS=2);
       CREATE TABLE T WITH (KAFKA_TOPIC='${serviceId}-t') AS SELECT K, COUNT(*) AS N FROM S GROUP BY K;
       INSERT INTO S VALUES (1, 1);`,
    );
    await engine.drain();
    await engine.close();
    await javaProduce(address, topic, ['x', '{"version":99}'], { keyed: false });
    engine = await open(serviceId);
    expect(engine.failedStatements.map(({ text }) => text)).toEqual(['x', '{"version":99}']);
    for (let i = 0; i < 8; i++)
      await execute(
        engine,
        `CREATE TYPE P AS STRUCT<X INT>; DROP TYPE P; ALTER SYSTEM 'commit.interval.ms' = '${100 + i}';`,
      );
    const { start, end } = (await engine.log.admin.offsets(topic))[0]!;
    expect(start).toBeGreaterThan(4);
    expect(end - start).toBeLessThan(25);
    await execute(engine, 'INSERT INTO S VALUES (1, 2);');
    await engine.drain();
    await engine.close();
    engine = await open(serviceId);
    expect(engine.failedStatements.map(({ text }) => text)).toEqual(['x', '{"version":99}']);
    expect(engine.systemProperties.get('commit.interval.ms')).toBe('107');
    await engine.drain();
    expect((await execute(engine, 'SELECT N FROM T WHERE K = 1;')).rows).toEqual([[2]]);
    expect([...engine.queries.keys()]).toEqual(['CTAS_T_0']);
    await engine.close();
  }, 60_000);
});
