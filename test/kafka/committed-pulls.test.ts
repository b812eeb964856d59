import { afterEach, expect, test } from 'vitest';
import { systemClock as clock } from '../../src/common/clock.ts';
import { silentLogger as logger } from '../../src/common/logger.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { newSession } from '../../src/engine/session.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { produce } from '../harness/log-records.ts';
import { execute, openEngine } from '../harness/open-engine.ts';
import { untilAsync } from '../harness/until.ts';

describeKafka('pulls of what is processed exactly once', (address) => {
  let engine: Engine;
  afterEach(() => engine.close());

  test.each(["SELECT N FROM C WHERE K = 'a';", 'SELECT N FROM C;'])(
    'hold nothing that is not committed: %s',
    async (pull) => {
      const topic = uniqueName('pulls');
      engine = await openEngine(null, {
        log: await openKafkaLog({ brokers: [address], clientId: 'pulls', clock, logger }),
        serviceId: uniqueName('pulls'),
      });
      const session = newSession();
      await execute(
        engine,
        `SET 'commit.interval.ms'='600000';
         CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='${topic}', VALUE_FORMAT='JSON', PARTITIONS=1);
         CREATE TABLE C WITH (KAFKA_TOPIC='${topic}-c') AS SELECT K, COUNT(*) AS N FROM S GROUP BY K;`,
        session,
      );
      const { applicationId } = [...engine.queries.values()][0]!.streams;
      const committed = async (): Promise<number | undefined> =>
        (await engine.log.admin.committed(applicationId, [{ topic, partition: 0 }]))[0]?.offset;
      await untilAsync(async () => (await committed()) === 0);
      await produce(engine.log, topic, [{ key: 'a', value: '{"V":1}' }]);
      let rows: readonly unknown[] = [];
      await untilAsync(async () => {
        ({ rows } = await execute(engine, pull, session));
        return rows.length > 0;
      });
      // The next commit would else come in ten minutes.
      expect(rows).toEqual([[1]]);
      expect(await committed()).toBe(1);
    },
  );
});
