import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { expect, test } from 'vitest';
import { describeKafka, javaConsume, javaProduce, uniqueName } from '../harness/kafka.ts';

const DAY_MS = 86_400_000;

describeKafka('the broker of the tests', (address) => {
  test('takes records from the console producer and gives them to the console consumer', async () => {
    const topic = uniqueName('broker');
    const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] });
    await admin.disconnect();
    await javaProduce(address, topic, ['a\tone', 'b\ttwo']);
    expect(await javaConsume(address, topic, 2)).toEqual([
      'Partition:0\tNO_HEADERS\ta\tone',
      'Partition:0\tNO_HEADERS\tb\ttwo',
    ]);
  });

  /** Else rows of windows of long ago go while a test reads them, and it waits for them for good. */
  test('looks for records that are too old less often than a run lasts', async () => {
    const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: brokers.map(({ nodeId }) => ({ type: ConfigResourceTypes.BROKER, name: String(nodeId) })),
    });
    await admin.disconnect();
    expect(resources.length).toBeGreaterThan(0);
    for (const { configEntries } of resources) {
      const valueOf = new Map(configEntries.map(({ configName, configValue }) => [configName, configValue]));
      // Topics that are compacted and have a retention, as those of windowed tables, are the cleaner's.
      for (const name of ['log.retention.check.interval.ms', 'log.cleaner.backoff.ms'])
        expect(Number(valueOf.get(name)), name).toBeGreaterThanOrEqual(DAY_MS);
    }
  });
});
