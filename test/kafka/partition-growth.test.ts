import { expect, test } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import { describeKafka, javaAddPartitions, javaProduce, uniqueName } from '../harness/kafka.ts';
import { produce, readAll } from '../harness/log-records.ts';
import { execute, openEngine } from '../harness/open-engine.ts';

describeKafka('a topic that gets partitions', (address) => {
  /** Added to the machine's time. */
  let laterMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + laterMs };

  const start = async (serviceId: string): Promise<Engine> => {
    const log = await openKafkaLog({ brokers: [address], clientId: 'grows', clock, logger: silentLogger });
    return openEngine(null, { log, clock, commandLog: true, serviceId });
  };

  test('is read whole by queries that can, stops the others with what to do, and all are there after a restart', async () => {
    const name = uniqueName('grows');
    let engine = await start(name);
    await execute(
      engine,
      `CREATE STREAM S (K STRING KEY, V STRING) WITH (KAFKA_TOPIC='${name}', VALUE_FORMAT='KAFKA', PARTITIONS=2);
       CREATE STREAM C WITH (KAFKA_TOPIC='${name}-copy') AS SELECT * FROM S;
       CREATE STREAM J (K STRING KEY, V INT) WITH (KAFKA_TOPIC='${name}-json', VALUE_FORMAT='JSON', PARTITIONS=2);
       CREATE TABLE T WITH (KAFKA_TOPIC='${name}-count') AS SELECT K, COUNT(*) AS N FROM J GROUP BY K;`,
    );
    const lines = Array.from({ length: 100 }, (_, i) => `k${i}\t${i}`);
    await javaProduce(address, name, lines.slice(0, 20));
    await javaAddPartitions(address, name, 4);
    await javaAddPartitions(address, `${name}-json`, 4);
    await javaProduce(address, name, lines.slice(20));
    laterMs += 60_000;
    const copied = async (): Promise<string[]> =>
      (await readAll(engine.log, `${name}-copy`)).map(({ key, value }) => `${key}\t${value}`).toSorted();
    await expect.poll(copied, { timeout: 30_000 }).toEqual(lines.toSorted());
    const states = (): string[] =>
      [...engine.queries.values()].map(({ sink, state }) => `${sink} ${state}`).toSorted();
    await expect.poll(states, { timeout: 30_000 }).toEqual(['C RUNNING', 'T ERROR']);
    await engine.close();

    engine = await start(name);
    await expect.poll(states, { timeout: 30_000 }).toEqual(['C RUNNING', 'T ERROR']);
    const counting = [...engine.queries.values()].find(({ sink }) => sink === 'T')!;
    expect(counting.errors.at(-1)!.message).toMatch(
      new RegExp(`^topic ${name}-json has 4 partitions now and had 2 .* copy it .*TERMINATE ${counting.id}`),
    );
    await javaProduce(address, name, ['k0\tagain']);
    await expect.poll(copied, { timeout: 30_000 }).toEqual([...lines, 'k0\tagain'].toSorted());
    await engine.close();
  }, 120_000);

  test('is read from its beginning when it was deleted and made anew, and that is told', async () => {
    const name = uniqueName('remade');
    const engine = await start(name);
    await execute(
      engine,
      `CREATE STREAM S (K STRING KEY, V STRING) WITH (KAFKA_TOPIC='${name}', VALUE_FORMAT='KAFKA', PARTITIONS=1);
       CREATE STREAM C WITH (KAFKA_TOPIC='${name}-copy') AS SELECT * FROM S;`,
    );
    const put = (of: string, count: number): Promise<void> =>
      produce(
        engine.log,
        name,
        Array.from({ length: count }, (_, i) => ({ key: 'k', value: `${of} ${i}` })),
      );
    const copied = async (): Promise<number> =>
      (await readAll(engine.log, `${name}-copy`)).filter(({ value }) => value!.startsWith('new')).length;
    await put('old', 3);
    await engine.drain();
    const [query] = engine.queries.values();
    query!.pause();
    await engine.log.admin.deleteTopic(name);
    await engine.log.admin.createTopic({ name, partitions: 1 });
    await put('new', 10);
    query!.resume();
    laterMs += 60_000;
    await expect.poll(copied, { timeout: 30_000 }).toBeGreaterThanOrEqual(10);
    // Which of it is seen first depends on when the reader looks.
    expect(query!.errors.map(({ message }) => message).join()).toMatch(
      /was deleted and made anew|OFFSET_OUT_OF_RANGE|there is no/,
    );
    await engine.close();
  }, 120_000);
});
