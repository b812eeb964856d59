import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import type { Log } from '../../src/log/log.ts';
import { Serdes } from '../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../src/streams/dsl/streams-builder.ts';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { produce, readAll } from '../harness/log-records.ts';
import { createStreams } from '../harness/open-streams.ts';

describeKafka('sources by pattern', (address) => {
  let log: Log;

  beforeAll(async () => {
    log = await openKafkaLog({
      brokers: [address],
      clientId: 'pattern',
      clock: systemClock,
      logger: silentLogger,
    });
  });
  afterAll(() => log.close());

  test('topics that appear while it runs are read as well', async () => {
    const name = uniqueName('pattern');
    const out = `out-${name}`;
    await log.admin.createTopic({ name: out, partitions: 1 });
    await log.admin.createTopic({ name: `${name}-a`, partitions: 1 });
    const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
    builder.stream(new RegExp(`${name}-.*`)).to(out);
    const streams = createStreams(builder.build(), {
      applicationId: `app-${name}`,
      log,
      topicRefreshMs: 200,
    });
    await streams.start();
    await produce(log, `${name}-a`, [{ key: 'k', value: 'first' }]);
    await log.admin.createTopic({ name: `${name}-b`, partitions: 2 });
    await produce(log, `${name}-b`, [{ key: 'k', value: 'second' }]);
    const values = async (): Promise<string[]> =>
      (await readAll(log, out)).map(({ value }) => value?.toString() ?? 'none');
    await expect.poll(values, { timeout: 20_000 }).toHaveLength(2);
    expect((await values()).toSorted()).toEqual(['first', 'second']);
    expect(streams.tasks).toHaveLength(2);
    await streams.close();
    await streams.cleanUp();
  });
});
